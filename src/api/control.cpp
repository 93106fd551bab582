// Commands to runs and their tasks: cancel, pause, recover, retry, skip, complete, change.
#include "api/control.hpp"

#include <boost/json/serialize.hpp>

#include "api/edits.hpp"
#include "api/handlers.hpp"
#include "api/stored_input.hpp"
#include "api/workflows.hpp"
#include "auth/permission.hpp"
#include "base/duration.hpp"
#include "model/request_use.hpp"
#include "net/http.hpp"
#include "spec/inputs.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;
using Verdict = model::DecideTask::Verdict;

constexpr std::size_t kReason = 1000;
constexpr std::size_t kName = 256;
constexpr std::size_t kMostKept = 1000;
constexpr std::size_t kMostAttached = std::size_t{64} << 10;
constexpr std::size_t kMostResult = std::size_t{2} << 20;

Result<model::CancelRun> read_cancel(const Call& call, bool terminate) {
  TRY_VOID(call.only({}));
  model::CancelRun command;
  TRY(command.run, call.run_id());
  TRY(const RequestBody body, optional_body(call));
  if (terminate) {
    TRY_VOID(body.only({"reason", "cleanup"}));
    command.terminate = true;
    TRY(const bool cleanup, body.boolean("cleanup", true));
    command.no_cleanup = !cleanup;
    if (command.no_cleanup && !call.principal.may(model::Role::admin))
      return fail(ErrorCode::not_allowed, auth::refusal(model::Role::admin, call.principal), "/cleanup");
  } else {
    TRY_VOID(body.only({"terminate", "reason", "give_up"}));
    TRY(command.terminate, body.boolean("terminate", false));
    TRY(command.give_up, body.boolean("give_up", false));
  }
  TRY(command.reason, body.text("reason", kReason));
  return command;
}

Result<model::PauseCommand> read_pause_run(const Call& call) {
  TRY_VOID(call.only({}));
  model::PauseCommand command;
  TRY(command.target.run, call.run_id());
  TRY(const RequestBody body, optional_body(call));
  TRY_VOID(body.only({"step", "reason", "until", "for"}));
  TRY(command.target.name, body.text("step", kName));
  if (!command.target.name.empty()) command.target.kind = model::BlockerKind::step_paused;
  TRY_VOID(read_pause(body, command));
  return command;
}

Result<model::ResumeCommand> read_resume_run(const Call& call) {
  TRY_VOID(call.only({}));
  model::ResumeCommand command;
  TRY(command.target.run, call.run_id());
  TRY(const RequestBody body, optional_body(call));
  TRY_VOID(body.only({"step"}));
  TRY(command.target.name, body.text("step", kName));
  if (!command.target.name.empty()) command.target.kind = model::BlockerKind::step_paused;
  return command;
}

// A step by its name, or by its place as a number.
Result<std::string> read_step(const RequestBody& body, std::string_view name) {
  const json::value* value = body.find(name);
  if (value != nullptr && value->is_int64() && value->get_int64() >= 0)
    return std::to_string(value->get_int64());
  return body.text(name, kName);
}

// The version that a recovery goes on with, and the run's input for it.
Status read_version_change(Core& core, const RequestBody& body, model::RecoverRun& command) {
  TRY(const auto version, read_version(body));
  if (!version) return {};
  TRY(const store::RunView view, core.queries.find(command.run));
  TRY(FoundVersion found, find_version(core, view.row.workflow, version));
  const auto before = core.queries.workflow_of(view.row);
  TRY_VOID(check_environment(*found.workflow, before.get()));
  TRY(const json::object given, given_input(core, command.run.key(), before.get(), *found.workflow));
  auto input = spec::resolve_inputs(*found.workflow, given);
  if (!input) {
    return fail(ErrorCode::conflict, "the run's input does not fit version " + std::to_string(*version) +
                                         "; replay it with another input instead\n" + input.error().message);
  }
  command.input = json::serialize(*input);
  command.onto = std::move(found.workflow);
  return {};
}

Result<model::RecoverRun> read_recover(Core& core, const Call& call, bool retry) {
  TRY_VOID(call.only({}));
  model::RecoverRun command;
  TRY(command.run, call.run_id());
  TRY(const RequestBody body, optional_body(call));
  if (retry) {
    TRY_VOID(body.only({"force", "reason"}));
    command.failed_only = true;
  } else {
    TRY_VOID(body.only({"from", "keep", "failed_only", "force", "reason", "version"}));
    TRY(command.from, read_step(body, "from"));
    TRY(command.failed_only, body.boolean("failed_only", false));
    if (const json::value* keep = body.find("keep")) {
      const auto wrong = [] {
        return fail(ErrorCode::invalid_request, "\"keep\" must be a list of names of steps", "/keep");
      };
      if (!keep->is_array() || keep->get_array().size() > kMostKept) return wrong();
      for (const json::value& step : keep->get_array()) {
        if (!step.is_string()) return wrong();
        command.keep.emplace_back(step.get_string());
      }
    }
  }
  TRY(command.force, body.boolean("force", false));
  TRY(command.reason, body.text("reason", kReason));
  if (!retry) {
    TRY_VOID(read_version_change(core, body, command));
  }
  return command;
}

Result<model::DecideTask> read_decision(Core& core, const Call& call, Verdict verdict) {
  TRY_VOID(call.only({}));
  model::DecideTask command{.verdict = verdict};
  TRY(command.task, call.task_id());
  TRY(const RequestBody body, optional_body(call));
  if (verdict == Verdict::complete) {
    TRY_VOID(body.only({"result", "force", "reason"}));
    if (const json::value* result = body.find("result")) command.result = json::serialize(*result);
    if (command.result.size() > kMostResult) {
      return fail(ErrorCode::too_large,
                  "the result has " + std::to_string(command.result.size()) + " bytes; at most " +
                      std::to_string(kMostResult) + " are allowed",
                  "/result");
    }
  } else if (verdict == Verdict::retry) {
    TRY_VOID(body.only({"arguments", "force", "reason"}));
    TRY(const json::object changes, body.object("arguments"));
    if (!changes.empty()) {
      TRY(EditedInput input, edited_input(core, command.task, changes, call.principal));
      command.input = std::move(input.text);
      command.generation = input.generation;
    }
  } else {
    TRY_VOID(body.only({"force", "reason"}));
  }
  TRY(command.force, body.boolean("force", false));
  TRY(command.reason, body.text("reason", kReason));
  return command;
}

Result<std::string> read_attached(const RequestBody& body, std::string_view name) {
  if (body.find(name) == nullptr) return std::string();
  TRY(const json::object object, body.object(name));
  std::string text = json::serialize(object);
  if (text.size() > kMostAttached) {
    return fail(ErrorCode::too_large,
                "\"" + std::string(name) + "\" has " + std::to_string(text.size()) + " bytes; at most " +
                    std::to_string(kMostAttached) + " are allowed",
                "/" + std::string(name));
  }
  return text;
}

Result<model::ChangeRun> read_change(const Call& call) {
  TRY_VOID(call.only({}));
  model::ChangeRun command;
  TRY(command.run, call.run_id());
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"priority", "metadata", "labels"}));
  TRY(const auto priority, body.integer("priority", 0, 9));
  if (priority) command.priority = static_cast<std::uint8_t>(*priority);
  TRY(command.metadata, read_attached(body, "metadata"));
  TRY(command.labels, read_attached(body, "labels"));
  TRY(command.expected, read_if_match(call.request));
  if (!priority && command.metadata.empty() && command.labels.empty()) {
    return fail(ErrorCode::invalid_request, "give at least one of \"priority\", \"metadata\" and \"labels\"");
  }
  return command;
}

template <typename Command>
void run_command(const CorePtr& core, const CallPtr& call, Result<Command> command, const RunId& run) {
  if (!command) return call->fail(command.error());
  send_and_show(core, call, run, std::move(*command));
}

void decide_task(const CorePtr& core, const CallPtr& call, Verdict verdict) {
  auto command = read_decision(*core, *call, verdict);
  if (!command) return call->fail(command.error());
  const TaskId id = command->task;
  const model::Sender actor = call->actor;
  core->runs.send(std::move(*command), actor, [core, call, id](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    core->workers.post([core, call, id] { answer(*call, core->queries.task(id)); });
  });
}

RunId run_of(const Call& call) {
  const auto id = call.run_id();
  return id ? *id : RunId{};
}

}  // namespace

Result<RequestBody> optional_body(const Call& call) {
  if (!call.request.body.empty()) return RequestBody::parse(call.request);
  net::Request empty;
  empty.headers.set("Content-Type", "application/json");
  empty.body = "{}";
  return RequestBody::parse(empty);
}

bool was_asked_before(Core& core, const Call& call) {
  const model::RequestKey& asked = call.actor.request;
  if (asked.key.empty()) return false;
  const auto record = core.store.get_record(model::request_use_key(asked.key));
  if (!record || !*record) return false;
  const auto use = model::request_use_of(**record);
  return use && use->body == asked.body;
}

Status read_pause(const RequestBody& body, model::PauseCommand& command) {
  TRY(command.why, body.text("reason", kReason));
  TRY(const std::string until, body.text("until", kName));
  const json::value* lasts = body.find("for");
  if (!until.empty() && lasts != nullptr) {
    return fail(ErrorCode::invalid_request, "\"until\" and \"for\" exclude each other", "/for");
  }
  if (!until.empty()) {
    auto at = parse_rfc3339(until);
    if (!at)
      return fail(ErrorCode::invalid_request, "\"until\" is no instant: " + at.error().message, "/until");
    command.until = *at;
  }
  if (lasts == nullptr) return {};
  auto duration =
      lasts->is_string() ? parse_duration(std::string(lasts->get_string()))
      : lasts->is_number()
          ? duration_from_seconds(lasts->to_number<double>())
          : Result<Duration>(fail(ErrorCode::invalid_request, "a number of seconds, or text such as 1h"));
  if (!duration) {
    return fail(ErrorCode::invalid_request, "\"for\" is no duration: " + duration.error().message, "/for");
  }
  command.lasts = *duration;
  return {};
}

void send_and_show(const CorePtr& core, const CallPtr& call, const RunId& run, model::CommandBody command) {
  const model::Sender actor = call->actor;
  core->runs.send(std::move(command), actor, [core, call, run](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    core->workers.post([core, call, run] { answer(*call, core->queries.run(run)); });
  });
}

void cancel_run(const CorePtr& core, CallPtr call) {
  run_command(core, call, read_cancel(*call, false), run_of(*call));
}
void terminate_run(const CorePtr& core, CallPtr call) {
  run_command(core, call, read_cancel(*call, true), run_of(*call));
}
void pause_run(const CorePtr& core, CallPtr call) {
  run_command(core, call, read_pause_run(*call), run_of(*call));
}
void resume_run(const CorePtr& core, CallPtr call) {
  run_command(core, call, read_resume_run(*call), run_of(*call));
}
void recover_run(const CorePtr& core, CallPtr call) {
  run_command(core, call, read_recover(*core, *call, false), run_of(*call));
}
void retry_run(const CorePtr& core, CallPtr call) {
  run_command(core, call, read_recover(*core, *call, true), run_of(*call));
}
void change_run(const CorePtr& core, CallPtr call) {
  auto command = read_change(*call);
  if (!command) return call->fail(command.error());
  const RunId run = command->run;
  const std::string expected = command->expected;
  core->runs.send(
      std::move(*command), call->actor, [core, call, run, expected](const model::ReplyBody& reply) {
        const auto* error = std::get_if<Error>(&reply);
        core->workers.post([core, call, run, expected, why = error ? std::optional(*error) : std::nullopt] {
          auto now = core->queries.run(run);
          if (why) return fail_edit(*call, *why, expected, std::move(now));
          answer(*call, std::move(now));
        });
      });
}
void retry_task(const CorePtr& core, CallPtr call) {
  decide_task(core, call, Verdict::retry);
}
void skip_task(const CorePtr& core, CallPtr call) {
  decide_task(core, call, Verdict::skip);
}
void fail_task(const CorePtr& core, CallPtr call) {
  decide_task(core, call, Verdict::fail);
}
void complete_task(const CorePtr& core, CallPtr call) {
  decide_task(core, call, Verdict::complete);
}

}  // namespace baton::api
