// What an attempt says about how far it is.
#include "base/text.hpp"
#include "engine/attempts.hpp"
#include "engine/commands/commands.hpp"
#include "engine/deadlines.hpp"
#include "engine/phases.hpp"

namespace baton::engine::commands {

void decide(State& state, const model::ReportProgress& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  if (command.percent && *command.percent > 100) {
    return effects.reply(
        reply_to,
        Error{ErrorCode::invalid_request,
              "progress is a percentage from 0 to 100, not " + std::to_string(*command.percent), ""});
  }
  Run* run = nullptr;
  Task* task = holder(state, command.token, command.task, run);
  if (task == nullptr) return effects.reply(reply_to, stale(command.token, command.task));
  note_heartbeat(state, *run, *task, moment);
  const std::string message(utf8_prefix(command.message, model::kProgressLimit));
  const int percent = command.percent ? *command.percent : task->row.progress->percent;
  const bool same =
      percent == task->row.progress->percent && (message.empty() || message == task->row.progress->message);
  // A sign of life changes nothing that is kept.
  if (same) return effects.early_reply(reply_to, model::Done{});
  effects.touch(*run, command.task.ordinal);
  run->partial_weight -= partial_weight(*run, *task);
  task->row.progress.edit() = {static_cast<std::int8_t>(percent), message};
  run->partial_weight += partial_weight(*run, *task);
  update_progress(*run);
  effects.record(*run, {.kind = model::FactKind::task_progress,
                        .at = moment.wall,
                        .task = command.task.ordinal,
                        .step = task->row.step,
                        .index = task->row.index,
                        .attempt = task->row.starts,
                        .number = percent,
                        .text = message});
  effects.reply(reply_to, model::Done{});
}

}  // namespace baton::engine::commands
