#include <algorithm>

#include "engine/attempts.hpp"
#include "engine/commands/commands.hpp"
#include "engine/rounds.hpp"
#include "engine/waiting.hpp"

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

// What a task is between two of its attempts.
TaskStatus between(const Run& run, const model::TaskRow& row, bool round_ended) {
  if (is_wait(run, row)) return TaskStatus::running;
  return round_ended && is_repeated(run, row) && run.program->step(row.step).repeat->delay.us <= 0
             ? TaskStatus::queued
             : TaskStatus::retrying;
}

// What the report of this attempt was answered with: what became of the task then, not since.
TaskStatus first_answer(const Run& run, const model::TaskRow& row, const model::AttemptRecord& record) {
  // The last one of its generation decided what became of the task then.
  const bool newest = &record == &row.history.back();
  const bool last =
      newest ? record.generation == row.generation : (&record + 1)->generation != record.generation;
  const bool past = record.generation != row.generation;
  switch (record.end) {
    case AttemptEnd::completed:
      // A round or poll that ended well need not have been the last one.
      if (past && last) return TaskStatus::completed;
      if (last && (row.status == TaskStatus::completed || row.status == TaskStatus::failed))
        return row.status;
      return between(run, row, true);
    case AttemptEnd::cancelled:
      return TaskStatus::cancelled;
    case AttemptEnd::failed:
      if (past) return last || newest ? TaskStatus::failed : between(run, row, false);
      return last && row.status == TaskStatus::failed ? TaskStatus::failed : between(run, row, false);
    default:  // interrupted: back in the queue, unless that was once too often or the run was being cancelled
      return last && model::is_terminal(row.status) ? row.status
             : is_wait(run, row)                    ? TaskStatus::running
                                                    : TaskStatus::queued;
  }
}

}  // namespace

void decide(State& state, const model::ReportAttempt& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  model::Outcome outcome = command.outcome;
  limit_result(state.settings, outcome);
  Run* run = nullptr;
  if (Task* task = holder(state, command.token, command.task, run)) {
    settle(state, *run, *task, std::move(outcome), moment, effects);
    effects.reply(reply_to, model::ReportAccepted{run->tasks[command.task.ordinal].row.status});
    return;
  }
  if (run != nullptr && run->row.id == command.task.run && command.task.ordinal < run->tasks.size()) {
    const model::TaskRow& row = run->tasks[command.task.ordinal].row;
    const auto record = std::ranges::find(row.history, command.token, &model::AttemptRecord::token);
    if (record != row.history.end() && same_outcome(*record, outcome)) {
      effects.reply(reply_to, model::ReportAccepted{first_answer(*run, row, *record)});
      return;
    }
  }
  effects.reply(reply_to, Error{ErrorCode::stale_token,
                                "token " + command.token.text() + " does not hold task " +
                                    command.task.text() + " (any more); the report changes nothing",
                                command.task.text()});
}

}  // namespace baton::engine::commands
