#include <algorithm>

#include "engine/attempts.hpp"
#include "engine/commands/commands.hpp"

namespace baton::engine::commands {
namespace {

using model::AttemptEnd;

// Whether an attempt that ended in this way was reported with such an outcome (SEMANTICS 49).
bool same_outcome(const model::AttemptRecord& record, const model::Outcome& outcome) {
  switch (record.end) {
    case AttemptEnd::completed:
      return outcome.kind == model::Outcome::Kind::completed;
    case AttemptEnd::failed:
    case AttemptEnd::cancelled:
      return outcome.kind == model::Outcome::Kind::failed;
    case AttemptEnd::interrupted:
      return outcome.kind == model::Outcome::Kind::interrupted;
    default:
      return false;
  }
}

}  // namespace

void decide(State& state, const model::ReportAttempt& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  Run* run = nullptr;
  if (Task* task = holder(state, command.token, command.task, run)) {
    settle(state, *run, *task, command.outcome, moment, effects);
    effects.reply(reply_to, model::ReportAccepted{run->tasks[command.task.ordinal].row.status});
    return;
  }
  if (run != nullptr && run->row.id == command.task.run && command.task.ordinal < run->tasks.size()) {
    const model::TaskRow& row = run->tasks[command.task.ordinal].row;
    const auto record = std::ranges::find(row.history, command.token, &model::AttemptRecord::token);
    if (record != row.history.end() && same_outcome(*record, command.outcome)) {
      effects.reply(reply_to, model::ReportAccepted{row.status});
      return;
    }
  }
  effects.reply(reply_to, Error{ErrorCode::stale_token,
                                "token " + command.token.text() + " does not hold task " +
                                    command.task.text() + " (any more); the report changes nothing",
                                command.task.text()});
}

}  // namespace baton::engine::commands
