#include <algorithm>

#include "base/seeded_bug.hpp"
#include "engine/attempts.hpp"
#include "engine/commands/commands.hpp"

namespace baton::engine::commands {
namespace {

using model::AttemptEnd;
using model::TaskStatus;

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

// The newest one is last, and mostly the one that is meant.
auto find(model::TaskRow& row, Token token) {
  const auto found = std::find_if(row.history.rbegin(), row.history.rend(),
                                  [&](const model::AttemptRecord& record) { return record.token == token; });
  return found == row.history.rend() ? row.history.end() : found.base() - 1;
}

}  // namespace

void decide(State& state, const model::ReportAttempt& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  model::Outcome outcome = command.outcome;
  limit_result(state.settings, outcome);
  Run* run = nullptr;
  if (Task* task = holder(state, command.token, command.task, run)) {
    settle(state, *run, *task, std::move(outcome), moment, effects);
    model::TaskRow& row = run->tasks[command.task.ordinal].row;
    if (const auto record = find(row, command.token); record != row.history.end())
      record->became = row.status;
    effects.reply(reply_to, model::ReportAccepted{row.status});
    return;
  }
  if (run != nullptr && run->row.id == command.task.run && command.task.ordinal < run->tasks.size()) {
    model::TaskRow& row = run->tasks[command.task.ordinal].row;
    const auto record = find(row, command.token);
    // A result that was refused made it a failure.
    if (record != row.history.end())
      check_result(*run, run->tasks[command.task.ordinal], record->phase, outcome);
    if (record != row.history.end() && same_outcome(*record, outcome) &&
        !seeded_bug(Bug::no_answer_for_repeated_report)) {
      effects.reply(reply_to, model::ReportAccepted{record->became == TaskStatus::pending ? row.status
                                                                                          : record->became});
      return;
    }
  }
  effects.reply(reply_to, Error{ErrorCode::stale_token,
                                "token " + command.token.text() + " does not hold task " +
                                    command.task.text() + " (any more); the report changes nothing",
                                command.task.text()});
}

}  // namespace baton::engine::commands
