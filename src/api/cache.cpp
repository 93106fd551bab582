// Cached results: what steps with `cache` keep for later runs.
#include "api/control.hpp"
#include "api/handlers.hpp"
#include "api/render.hpp"
#include "api/request_body.hpp"
#include "model/cached_result.hpp"

namespace baton::api {
namespace {

using model::CachedResult;
using model::RecordKind;

constexpr std::size_t kChunk = 50;  // a record holds its result
constexpr std::size_t kMostLooked = 2000;
constexpr std::size_t kMostCleared = 200;  // by one request

struct Filter {
  std::string workflow;
  std::string step;
  bool expired = false;  // only those that are too old
};

Result<Filter> checked(Filter filter) {
  if (filter.workflow.empty() && !filter.step.empty()) {
    return fail(ErrorCode::invalid_request, "\"step\" needs \"workflow\": a step is one of a workflow");
  }
  return filter;
}

struct Found {
  std::vector<CachedResult> items;
  std::string next;  // "" = that is all
};

// A page of those that the filter names, in the order of their keys; a damaged one is left out.
Result<Found> find(Core& core, const Filter& filter, std::string after, std::size_t limit) {
  store::RecordFilter records{.kind = RecordKind::cached_result};
  std::string prefix;
  if (!filter.workflow.empty()) {
    records.group = filter.workflow;
    prefix = filter.workflow + '/' + (filter.step.empty() ? "" : filter.step + '/');
    if (after.empty()) after = prefix;
  }
  const WallTime now = wall_now(core);
  Found found;
  for (std::size_t looked = 0; looked < kMostLooked;) {
    TRY(const std::vector<model::Record> chunk,
        core.store.list_records(records, after.empty() ? std::nullopt : std::optional(after), kChunk));
    for (const model::Record& record : chunk) {
      if (!record.id.key.starts_with(prefix)) return found;
      if (found.items.size() == limit) {
        found.next = std::move(after);
        return found;
      }
      ++looked;
      after = record.id.key;
      auto cached = model::cached_of(record);
      if (cached && (!filter.expired || cached->expires_at <= now)) found.items.push_back(std::move(*cached));
    }
    if (chunk.size() < kChunk) return found;
  }
  found.next = std::move(after);
  return found;
}

Result<std::string> cursor_of(std::string_view text, std::string where) {
  std::string_view workflow;
  std::string_view step;
  if (!text.empty() && (text.size() > 512 || !model::split_cached_key(text, workflow, step)))
    return fail(ErrorCode::invalid_request, "\"cursor\" is not one that a page gave out", std::move(where));
  return std::string(text);
}

Result<std::string> list(Core& core, const Call& call) {
  TRY_VOID(call.only({"workflow", "step", "limit", "cursor"}));
  TRY(const std::size_t limit, call.number("limit", 50, 1, 200));
  TRY(const Filter filter, checked({.workflow = std::string(call.query("workflow").value_or("")),
                                    .step = std::string(call.query("step").value_or(""))}));
  TRY(std::string after, cursor_of(call.query("cursor").value_or(""), ""));
  TRY(const Found found, find(core, filter, std::move(after), limit));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (const CachedResult& cached : found.items) write_cached_result(cached, out);
  out.end_array().key("next").string_or_null(found.next).end_object();
  return out.take();
}

struct Clearing {
  model::ForgetResults command;
  std::string next;
  bool dry_run = false;
};

Result<Clearing> read_clear(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"workflow", "step", "expired", "all", "dry_run", "cursor"}));
  Filter filter;
  TRY(filter.workflow, body.text("workflow", 128));
  TRY(filter.step, body.text("step", 128));
  TRY(filter.expired, body.boolean("expired", false));
  TRY(filter, checked(std::move(filter)));
  TRY(const bool all, body.boolean("all", false));
  if (filter.workflow.empty() && !filter.expired && !all) {
    return fail(ErrorCode::invalid_request,
                "say what to clear: \"workflow\", perhaps with \"step\", \"expired\", or \"all\"");
  }
  Clearing clearing;
  TRY(clearing.dry_run, body.boolean("dry_run", false));
  TRY(const std::string cursor, body.text("cursor", 512));
  TRY(std::string after, cursor_of(cursor, "/cursor"));
  TRY(Found found, find(core, filter, std::move(after), kMostCleared));
  clearing.next = std::move(found.next);
  for (CachedResult& cached : found.items) clearing.command.keys.push_back(std::move(cached.key));
  return clearing;
}

void answer_cleared(Call& call, std::size_t count, const std::string& next, bool dry_run) {
  JsonText out;
  out.begin_object().key("cleared").integer(static_cast<std::int64_t>(count));
  out.key("dry_run").boolean(dry_run);
  out.key("next").string_or_null(next).end_object();
  call.json(200, out.take());
}

}  // namespace

void list_cached_results(const CorePtr& core, CallPtr call) {
  answer(*call, list(*core, *call));
}

void clear_cached_results(const CorePtr& core, CallPtr call) {
  auto clearing = read_clear(*core, *call);
  if (!clearing) return call->fail(clearing.error());
  const std::size_t count = clearing->command.keys.size();
  // One that was asked before has the answer of then, although there is nothing any more.
  if (clearing->dry_run || (count == 0 && !was_asked_before(*core, *call)))
    return answer_cleared(*call, count, clearing->next, clearing->dry_run);
  const model::Sender actor = call->actor;
  core->runs.send(std::move(clearing->command), actor,
                  [call, next = std::move(clearing->next)](model::ReplyBody reply) {
                    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
                    answer_cleared(*call, std::get<model::Discarded>(reply).count, next, false);
                  });
}

}  // namespace baton::api
