// Why something is not running: asked of the engine, told with names.
#include "api/handlers.hpp"

namespace baton::api {
namespace {

std::string render(const model::Explanation& answer, const RunSteps* steps) {
  JsonText out;
  out.begin_object();
  out.key("run").string(answer.run.text());
  out.key("task");
  if (answer.task) {
    out.string(TaskId{answer.run, *answer.task}.text());
  } else {
    out.null();
  }
  out.key("status").string(answer.status);
  out.key("reasons").begin_array();
  for (const model::Reason& reason : answer.reasons) {
    out.begin_object();
    out.key("code").string(reason.code);
    out.key("message").string(reason.message);
    out.key("subject").string_or_null(reason.subject);
    out.key("until").instant(reason.until.value_or(WallTime{}));
    out.key("count").integer(reason.count);
    out.key("tasks").begin_array();
    for (const Ordinal task : reason.tasks) {
      out.begin_object();
      out.key("id").string(TaskId{answer.run, task}.text());
      out.key("step");
      out.string_or_null(steps != nullptr ? steps->name(task) : "");
      out.end_object();
    }
    out.end_array().end_object();
  }
  out.end_array().end_object();
  return out.take();
}

void ask(const CorePtr& core, const CallPtr& call, model::Explain question) {
  const model::Sender actor = call->actor;
  core->runs.send(question, actor, [core, call](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    core->workers.post([core, call, answered = std::get<model::Explanation>(std::move(reply))] {
      const auto view = core->queries.find(answered.run);
      const auto steps = view ? core->queries.known_steps_of(view->row) : nullptr;
      call->json(200, render(answered, steps.get()));
    });
  });
}

}  // namespace

void explain_run(const CorePtr& core, CallPtr call) {
  if (const auto known = call->only({}); !known) return call->fail(known.error());
  const auto id = call->run_id();
  if (!id) return call->fail(id.error());
  ask(core, call, {*id, std::nullopt});
}

void explain_task(const CorePtr& core, CallPtr call) {
  if (const auto known = call->only({}); !known) return call->fail(known.error());
  const auto id = call->task_id();
  if (!id) return call->fail(id.error());
  ask(core, call, {id->run, id->ordinal});
}

}  // namespace baton::api
