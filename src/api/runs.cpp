// Reading runs.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <charconv>

#include "api/control.hpp"
#include "api/edits.hpp"
#include "api/handlers.hpp"
#include "api/where.hpp"
#include "base/text.hpp"

namespace baton::api {

using model::RunStatus;

Status add_statuses(std::string_view list, std::vector<RunStatus>& out) {
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), name.size() + 1));
    const auto found = model::run_statuses(name);
    if (found.empty()) {
      constexpr std::string_view kNames[] = {"pending",    "running",   "paused", "cancelling",
                                             "recovering", "completed", "failed", "cancelled"};
      std::string message = "unknown status \"" + printable(name) + "\"";
      const std::string_view near = nearest(name, kNames);
      if (!near.empty()) message += "; did you mean \"" + std::string(near) + "\"?";
      return fail(ErrorCode::invalid_request, std::move(message));
    }
    for (const RunStatus status : found) {
      if (std::ranges::find(out, status) == out.end()) out.push_back(status);
    }
  }
  return {};
}

namespace {

// `state`: what people ask for most.
Status apply_state(std::string_view state, store::RunFilter& filter, bool& recoverable) {
  if (state == "active") {
    filter.statuses = {RunStatus::pending, RunStatus::running, RunStatus::paused, RunStatus::cancelling,
                       RunStatus::recovering};
  } else if (state == "failed") {
    filter.statuses = {RunStatus::failed};
  } else if (state == "recoverable") {
    filter.statuses = {RunStatus::failed};
    recoverable = true;
  } else {
    return fail(ErrorCode::invalid_request,
                "query parameter \"state\" must be active, failed or recoverable");
  }
  return {};
}

Result<std::string> list(Core& core, const Call& call) {
  TRY_VOID(call.only({"status", "workflow", "job_id", "state", "where", "limit", "cursor"}));
  store::RunFilter filter;
  bool recoverable = false;
  if (const auto state = call.query("state")) {
    if (call.query("status")) {
      return fail(ErrorCode::invalid_request, "query parameters \"state\" and \"status\" exclude each other");
    }
    TRY_VOID(apply_state(*state, filter, recoverable));
  }
  if (const auto status = call.query("status")) {
    TRY_VOID(add_statuses(*status, filter.statuses));
  }
  if (const auto workflow = call.query("workflow"); workflow && !workflow->empty())
    filter.workflows.emplace_back(*workflow);
  if (const auto job = call.query("job_id"); job && !job->empty()) filter.job_ids.emplace_back(*job);
  bool nothing = false;
  if (const auto text = call.query("where")) {
    TRY(const Where where, parse_where(*text, wall_now(core)));
    nothing = !narrow(filter, where);
  }
  TRY(const std::size_t limit, call.number("limit", 50, 1, 1000));
  std::optional<RunKey> before;
  if (const auto cursor = call.query("cursor")) {
    before = parse_run_cursor(*cursor);
    if (!before)
      return fail(ErrorCode::invalid_request, "query parameter \"cursor\" is not one that a list gave out");
  }
  if (nothing) return R"({"items":[],"next":null})";
  return recoverable ? core.queries.recoverable_runs(filter, before, limit)
                     : core.queries.runs(filter, before, limit);
}

Result<std::string> history(Core& core, const Call& call) {
  TRY_VOID(call.only({"limit", "cursor"}));
  TRY(const RunId id, call.run_id());
  TRY(const std::size_t limit, call.number("limit", 100, 1, 1000));
  std::optional<JournalSequence> before;
  if (call.query("cursor")) {
    TRY(before, call.number("cursor", 0, 0, INT64_MAX));
  }
  return core.queries.history(id, before, limit);
}

// How the run stood at an instant.
Result<std::string> state(Core& core, const Call& call) {
  TRY_VOID(call.only({"at", "limit", "cursor"}));
  TRY(const RunId id, call.run_id());
  const auto text = call.query("at");
  if (!text)
    return fail(ErrorCode::invalid_request, "query parameter \"at\" is missing: the state at which time?");
  const auto at = parse_rfc3339(*text);
  if (!at) {
    return fail(ErrorCode::invalid_request, "query parameter \"at\" is no instant: " + at.error().message);
  }
  TRY(const std::size_t limit, call.number("limit", 1000, 1, 10'000));
  TRY(const std::size_t from, call.number("cursor", 0, 0, UINT32_MAX));
  return core.queries.state_at(id, *at, static_cast<Ordinal>(from), limit);
}

// The text that the run follows, in its canonical form.
Result<std::string> definition(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const RunId id, call.run_id());
  TRY(const store::RunView view, core.queries.find(id));
  TRY(std::optional<store::StoredDefinition> stored, core.store.get_definition(view.row.definition));
  if (!stored) return fail(ErrorCode::corrupt, "the definition of run " + id.text() + " is not stored");
  return std::move(stored->canonical);
}

}  // namespace

void list_runs(const CorePtr& core, CallPtr call) {
  answer(*call, list(*core, *call));
}

void run_history(const CorePtr& core, CallPtr call) {
  answer(*call, history(*core, *call));
}

void run_state(const CorePtr& core, CallPtr call) {
  answer(*call, state(*core, *call));
}

void run_definition(const CorePtr& core, CallPtr call) {
  answer(*call, definition(*core, *call));
}

void get_run(const CorePtr& core, CallPtr call) {
  const auto id = call->run_id();
  answer(*call, id ? core->queries.run(*id) : Result<Tagged>(fail(id.error())));
}

}  // namespace baton::api
