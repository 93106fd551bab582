#include <boost/json/serialize.hpp>

#include "base/text.hpp"
#include "engine/attempts.hpp"
#include "engine/commands/commands.hpp"
#include "engine/signals.hpp"
#include "engine/waiting.hpp"

namespace baton::engine::commands {
namespace {

std::string result_of_approval(const model::AnswerApproval& command, const std::string& by) {
  boost::json::object result{{"approved", true}, {"by", by}, {"reason", command.reason}};
  std::string text = boost::json::serialize(result);
  // The value is JSON text already.
  text.insert(text.size() - 1, ",\"value\":" + (command.value.empty() ? "null" : command.value));
  return text;
}

}  // namespace

void decide(State& state, const model::AnswerApproval& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  Run* run = state.find(command.task.run.key());
  if (run == nullptr || run->row.id != command.task.run || command.task.ordinal >= run->tasks.size()) {
    effects.reply(reply_to, Error{ErrorCode::not_found, "there is no task " + command.task.text(), ""});
    return;
  }
  if (command.value.size() > model::kMaxSignalBytes) {
    effects.reply(
        reply_to,
        Error{ErrorCode::too_large,
              "the value of an approval may have " + std::to_string(model::kMaxSignalBytes) + " bytes", ""});
    return;
  }
  Task& task = run->tasks[command.task.ordinal];
  const model::Step& step = run->program->step(task.row.step);
  const bool asks = is_wait(*run, task.row) && step.wait->what == model::Wait::For::approval;
  if (!asks || task.row.status != model::TaskStatus::running) {
    const std::string status(name(task.row.status));
    effects.reply(reply_to,
                  Error{ErrorCode::conflict,
                        asks ? "step " + step.name + " is " + status + ", not waiting for an approval"
                             : "step " + step.name + " does not ask for an approval",
                        status});
    return;
  }
  effects.touch(*run, command.task.ordinal);
  const std::string reason(utf8_prefix(command.reason, model::kMessageLimit));
  effects.record(*run, {.kind = model::FactKind::task_resolved,
                        .at = moment.wall,
                        .task = command.task.ordinal,
                        .step = task.row.step,
                        .index = task.row.index,
                        .attempt = task.row.starts,
                        .text = command.approved ? "approved" : "rejected",
                        .other = reason});
  if (command.approved) {
    end_wait(state, *run, task, result_of_approval(command, effects.actor()), moment, effects);
  } else {
    const std::string by = effects.actor().empty() ? "" : " by " + effects.actor();
    fail_unstarted(state, *run, task,
                   {.type = model::error_type::kRejected,
                    .message = "rejected" + by + (reason.empty() ? "" : ": " + reason),
                    .never_retry = true},
                   moment, effects);
  }
  effects.reply(reply_to, model::ApprovalAnswered{command.task, run->tasks[command.task.ordinal].row.status});
}

}  // namespace baton::engine::commands
