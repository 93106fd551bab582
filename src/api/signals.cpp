// What people and other programs tell a run that waits: signals and answers to questions.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "api/request_body.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kMaxReason = 1000;

std::string member_text(const RequestBody& body, std::string_view name) {
  const boost::json::value* value = body.find(name);
  return value == nullptr ? "null" : boost::json::serialize(*value);
}

Result<model::SendSignal> read_signal(const Call& call) {
  TRY_VOID(call.only({}));
  model::SendSignal command;
  TRY(command.run, call.run_id());
  command.name = call.captures[1];
  command.key = call.request.headers.find("Idempotency-Key").value_or("");
  if (!call.request.body.empty()) {
    TRY(const RequestBody body, RequestBody::parse(call.request));
    TRY_VOID(body.only({"data"}));
    command.data = member_text(body, "data");
  }
  command.body = Hash256::of(command.name + "\n" + command.data);
  return command;
}

Result<model::AnswerApproval> read_answer(const Call& call, bool approved) {
  TRY_VOID(call.only({}));
  model::AnswerApproval command;
  command.approved = approved;
  TRY(command.task, call.task_id());
  if (call.request.body.empty()) return command;
  TRY(const RequestBody body, RequestBody::parse(call.request));
  if (approved) {
    TRY_VOID(body.only({"reason", "value"}));
  } else {
    TRY_VOID(body.only({"reason"}));
  }
  TRY(command.reason, body.text("reason", kMaxReason));
  command.value = member_text(body, "value");
  return command;
}

void answer(const CorePtr& core, CallPtr call, bool approved) {
  auto command = read_answer(*call, approved);
  if (!command) return call->fail(command.error());
  const TaskId task = command->task;
  const model::Sender actor = call->actor;
  core->runs.send(std::move(*command), actor, [core, call, task](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    core->workers.post([core, call, task] {
      auto body = core->queries.task(task);
      if (!body) return call->fail(body.error());
      call->json(200, std::move(*body));
    });
  });
}

}  // namespace

void send_signal(const CorePtr& core, CallPtr call) {
  auto command = read_signal(*call);
  if (!command) return call->fail(command.error());
  const std::string name = command->name;
  const model::Sender actor = call->actor;
  core->runs.send(std::move(*command), actor, [call, name](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    const auto& accepted = std::get<model::SignalAccepted>(reply);
    JsonText out;
    out.begin_object();
    out.key("run").string(accepted.run.text());
    out.key("signal").string(name);
    out.key("number").integer(accepted.number);
    out.end_object();
    call->json(accepted.existing ? 200 : 201, out.take());
  });
}

void approve_task(const CorePtr& core, CallPtr call) {
  answer(core, std::move(call), true);
}

void reject_task(const CorePtr& core, CallPtr call) {
  answer(core, std::move(call), false);
}

}  // namespace baton::api
