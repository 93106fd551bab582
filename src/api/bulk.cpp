// POST /api/v1/runs/bulk: one action on every run that a filter finds, page by page; what became of each.
#include <algorithm>
#include <array>
#include <atomic>

#include "api/control.hpp"
#include "api/handlers.hpp"
#include "api/replay.hpp"
#include "api/where.hpp"
#include "auth/permission.hpp"
#include "base/text.hpp"

namespace baton::api {
namespace {

using model::RunStatus;

constexpr std::size_t kMostAtOnce = 200;
constexpr std::size_t kMostReplays = 20;  // each has its input in memory
constexpr std::size_t kMaxKey = 200;

enum class Action : std::uint8_t { cancel, terminate, pause, resume, recover, retry, replay, prune };
constexpr std::array<std::string_view, 8> kActions = {"cancel",  "terminate", "pause",  "resume",
                                                      "recover", "retry",     "replay", "prune"};

// The states of runs that an action is for: what a dry run says.
bool is_for(Action action, RunStatus status) {
  switch (action) {
    case Action::cancel:
    case Action::terminate:
      return !model::is_terminal(status);
    case Action::pause:
      return status == RunStatus::pending || status == RunStatus::running || status == RunStatus::paused;
    case Action::resume:
      return status == RunStatus::paused;
    case Action::replay:
      return true;
    case Action::prune:
      return model::is_terminal(status);
    default:
      return status == RunStatus::failed || status == RunStatus::cancelled;
  }
}

// What a filter without a status finds. Cancelled runs were meant to end and completed ones need no
// repetition: such runs are taken up again only if the filter says so.
bool is_found(Action action, RunStatus status) {
  if (action == Action::replay) return status == RunStatus::failed;
  if (action == Action::prune) return is_for(action, status);
  return is_for(action, status) && status != RunStatus::cancelled;
}

struct Request {
  Action action = Action::cancel;
  store::RunFilter filter;
  bool nothing = false;  // no run can fulfil the filter
  std::optional<RunKey> before;
  std::size_t limit = kMostAtOnce;
  bool dry_run = false;
  bool force = false;
  std::string reason;
  std::string key;  // of replays: repeating the request with it makes no others
};

Result<model::CommandBody> command_of(Core& core, const Request& request, const RunId& run) {
  switch (request.action) {
    case Action::replay: {
      TRY(model::SubmitRun again,
          read_replay(core, run, nullptr, request.key.empty() ? "" : request.key + '.' + run.text()));
      return again;
    }
    case Action::cancel:
    case Action::terminate:
      return model::CancelRun{run, request.action == Action::terminate, request.reason};
    case Action::pause:
      return model::PauseCommand{.target = {model::BlockerKind::run_paused, run, ""}, .why = request.reason};
    case Action::resume:
      return model::ResumeCommand{{model::BlockerKind::run_paused, run, ""}};
    case Action::recover:
    case Action::retry:
      return model::RecoverRun{.run = run,
                               .failed_only = request.action == Action::retry,
                               .force = request.force,
                               .reason = request.reason};
    case Action::prune:
      break;  // one command for the page
  }
  return model::CancelRun{run, false, request.reason};
}

Status read_filter(const RequestBody& body, const Core& core, Request& request) {
  TRY(const boost::json::object members, body.object("filter"));
  if (members.empty()) {
    return fail(
        ErrorCode::invalid_request,
        "\"filter\" must say which runs: status, workflow, job_id, created_before, ended_before or where",
        "/filter");
  }
  Where where;
  for (const auto& [name, value] : members) {
    const auto wrong = [&](std::string_view wanted) {
      return fail(ErrorCode::invalid_request,
                  "\"filter\": \"" + printable(name) + "\" " + std::string(wanted),
                  "/filter/" + printable(name));
    };
    constexpr std::array<std::string_view, 6> kKnown = {"status",         "workflow",     "job_id",
                                                        "created_before", "ended_before", "where"};
    if (std::ranges::find(kKnown, std::string_view(name)) == kKnown.end()) {
      const std::string_view near = nearest(name, kKnown);
      return wrong(near.empty() ? "is not known"
                                : "is not known; did you mean \"" + std::string(near) + "\"?");
    }
    if (!value.is_string()) return wrong("must be a string");
    const std::string text(value.get_string());
    // What a variable that nobody set leaves behind: it must not mean all of them.
    if (text.empty()) return wrong("must not be empty; leave it out to find runs whatever it is");
    if (name == "status") {
      TRY_VOID(add_statuses(text, request.filter.statuses));
    } else if (name == "workflow") {
      request.filter.workflows = {text};
    } else if (name == "job_id") {
      request.filter.job_ids = {text};
    } else if (name == "where") {
      TRY(where, parse_where(text, wall_now(core)));
    } else {
      const auto at = parse_rfc3339(text);
      if (!at) return wrong("is no instant: " + at.error().message);
      (name == "ended_before" ? request.filter.ended_before : request.filter.created_before) = *at;
    }
  }
  request.nothing = !narrow(request.filter, where);
  if (!request.filter.statuses.empty()) return {};
  for (int i = 0; i <= static_cast<int>(RunStatus::cancelled); ++i) {
    const auto status = static_cast<RunStatus>(i);
    if (is_found(request.action, status)) request.filter.statuses.push_back(status);
  }
  return {};
}

Result<Request> read(const Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"action", "filter", "dry_run", "limit", "cursor", "reason", "force"}));
  Request request;
  TRY(const std::string action, body.text("action", 32));
  const auto found = std::ranges::find(kActions, action);
  if (found == kActions.end()) {
    std::string message =
        "\"action\" must be cancel, terminate, pause, resume, recover, retry, replay or prune";
    const std::string_view near = nearest(action, kActions);
    if (!near.empty()) message += "; did you mean \"" + std::string(near) + "\"?";
    return fail(ErrorCode::invalid_request, std::move(message), "/action");
  }
  request.action = static_cast<Action>(found - kActions.begin());
  TRY_VOID(read_filter(body, core, request));
  TRY(request.dry_run, body.boolean("dry_run", false));
  // As the route for one run says; a dry run removes nothing.
  if (request.action == Action::prune && !request.dry_run && !call.principal.may(model::Role::admin))
    return fail(ErrorCode::not_allowed, auth::refusal(model::Role::admin, call.principal), "/action");
  TRY(request.force, body.boolean("force", false));
  TRY(request.reason, body.text("reason", 1000));
  TRY(const auto limit, body.integer("limit", 1, kMostAtOnce));
  if (limit) request.limit = static_cast<std::size_t>(*limit);
  if (request.action == Action::replay) {
    request.limit = std::min(request.limit, kMostReplays);
    request.key = call.request.headers.find("Idempotency-Key").value_or("");
    if (request.key.size() > kMaxKey)
      return fail(ErrorCode::invalid_request, "an Idempotency-Key for many runs has at most 200 bytes");
  }
  TRY(const std::string cursor, body.text("cursor", 64));
  if (!cursor.empty()) {
    request.before = parse_run_cursor(cursor);
    if (!request.before)
      return fail(ErrorCode::invalid_request, "\"cursor\" is not one that a page gave out", "/cursor");
  }
  return request;
}

struct Item {
  RunId run;
  std::string workflow;
  RunStatus before = RunStatus::pending;
  std::optional<Error> error;
  std::optional<RunId> made;  // by a replay
};

// One page of runs on its way: the last reply renders it.
struct Page {
  Request request;
  std::vector<Item> items;
  std::string next;
  std::atomic<std::size_t> waiting = 0;
};

Result<std::shared_ptr<Page>> find_runs(Core& core, Request request) {
  auto page = std::make_shared<Page>();
  store::RunPage found;
  if (!request.nothing) {
    TRY(found, core.store.list_runs(request.filter, request.before, request.limit));
  }
  page->next = run_cursor(found.next);
  for (const model::RunRow& row : found.rows)
    page->items.push_back({row.id, row.workflow, row.status, std::nullopt, std::nullopt});
  page->request = std::move(request);
  return page;
}

std::string render(const Page& page) {
  const Request& request = page.request;
  JsonText out;
  out.begin_object();
  out.key("action").string(kActions[static_cast<std::size_t>(request.action)]);
  out.key("dry_run").boolean(request.dry_run);
  out.key("items").begin_array();
  for (const Item& item : page.items) {
    out.begin_object();
    out.key("run").string(item.run.text());
    out.key("workflow").string(item.workflow);
    out.key("status").string(model::name(item.before));
    out.key("outcome").string(item.error ? "refused" : request.dry_run ? "possible" : "done");
    out.key("made").string_or_null(item.made ? item.made->text() : "");
    out.key("error");
    if (item.error) {
      out.begin_object();
      out.key("type").string(info(item.error->code).name);
      out.key("message").string(item.error->message);
      out.end_object();
    } else {
      out.null();
    }
    out.end_object();
  }
  out.end_array().key("next").string_or_null(page.next).end_object();
  return out.take();
}

// The engine says which of them have to stay, also for a dry run: what keeps a run does not stand in its row.
void prune(const CorePtr& core, const CallPtr& call, const std::shared_ptr<Page>& page) {
  const Request& request = page->request;
  model::RemoveRuns command{.ended_before = request.filter.ended_before.value_or(WallTime{}),
                            .reason = request.reason,
                            .dry_run = request.dry_run};
  for (const Item& item : page->items) command.runs.push_back(item.run);
  // Without its idempotency key: removing again removes nothing more, and what is found then are other runs.
  const model::Sender actor(call->actor.name, call->actor.from);
  core->runs.send(std::move(command), actor, [core, call, page](model::ReplyBody reply) {
    if (auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    for (auto& [run, why] : std::get<model::RunsRemoved>(reply).kept) {
      const auto item = std::ranges::find(page->items, run, &Item::run);
      if (item != page->items.end()) item->error = std::move(why);
    }
    core->workers.post([call, page] { call->json(200, render(*page)); });
  });
}

}  // namespace

void prune_run(const CorePtr& core, CallPtr call) {
  const auto read = [&]() -> Result<model::RemoveRuns> {
    TRY_VOID(call->only({}));
    model::RemoveRuns command;
    TRY(const RunId run, call->run_id());
    command.runs.push_back(run);
    TRY(const RequestBody body, optional_body(*call));
    TRY_VOID(body.only({"reason"}));
    TRY(command.reason, body.text("reason", 1000));
    return command;
  };
  auto command = read();
  if (!command) return call->fail(command.error());
  const RunId run = command->runs.front();
  core->runs.send(std::move(*command), call->actor, [call, run](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    const auto& answer = std::get<model::RunsRemoved>(reply);
    if (!answer.kept.empty()) return call->fail(answer.kept.front().second);
    JsonText out;
    out.begin_object().key("id").string(run.text()).key("removed").boolean(true).end_object();
    call->json(200, out.take());
  });
}

void bulk_runs(const CorePtr& core, CallPtr call) {
  auto request = read(*core, *call);
  if (!request) return call->fail(request.error());
  auto found = find_runs(*core, std::move(*request));
  if (!found) return call->fail(found.error());
  const std::shared_ptr<Page> page = std::move(*found);
  if (page->request.action == Action::prune && !page->items.empty()) return prune(core, call, page);
  if (page->request.dry_run) {
    for (Item& item : page->items) {
      if (is_for(page->request.action, item.before)) continue;
      item.error = Error{ErrorCode::conflict, "the run is " + std::string(name(item.before)), ""};
    }
  }
  if (page->request.dry_run || page->items.empty()) return call->json(200, render(*page));
  page->waiting = page->items.size();
  const model::Sender actor = call->actor;
  const auto one_less = [core, call, page] {
    if (--page->waiting == 0) core->workers.post([call, page] { call->json(200, render(*page)); });
  };
  for (Item& item : page->items) {
    auto command = command_of(*core, page->request, item.run);
    if (!command) {
      item.error = std::move(command).error();
      one_less();
      continue;
    }
    model::Sender sender = actor;
    if (!sender.request.key.empty()) sender.request.key += '.' + item.run.text();
    core->runs.send(std::move(*command), std::move(sender), [one_less, &item](model::ReplyBody reply) {
      if (auto* error = std::get_if<Error>(&reply)) item.error = std::move(*error);
      if (const auto* made = std::get_if<model::Submitted>(&reply)) item.made = made->run;
      one_less();
    });
  }
}

}  // namespace baton::api
