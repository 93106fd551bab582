#include <algorithm>
#include <set>
#include <vector>

#include "base/text.hpp"
#include "engine/commands/commands.hpp"
#include "engine/dispatch.hpp"
#include "engine/endings.hpp"
#include "engine/flow.hpp"
#include "engine/generations.hpp"
#include "engine/lookup.hpp"
#include "engine/places.hpp"
#include "engine/run_limits.hpp"
#include "engine/stopping.hpp"
#include "engine/timers.hpp"

namespace baton::engine::commands {
namespace {

using model::Recovery;
using model::RunStatus;
using model::TaskStatus;
using Verdict = model::DecideTask::Verdict;

constexpr std::size_t kReasonLimit = 1000;  // bytes

std::string label(const Run& run, const Task& task) {
  std::string text =
      "task " + TaskId{run.row.id, task.row.key.ordinal}.text() + " (" + run.program->name(task.row.step);
  if (task.row.index >= 0) text += "[" + std::to_string(task.row.index) + "]";
  return text + ")";
}

std::unexpected<Error> conflict(const Run& run, const Task& task, const std::string& instead) {
  const std::string status(name(task.row.status));
  return fail(ErrorCode::conflict, label(run, task) + " is " + status + "; " + instead, status);
}

Status run_allows(const Run& run, const Task& task, const model::DecideTask& command) {
  const RunStatus status = run.row.status;
  const std::string id = "run " + run.row.id.text();
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorCode::conflict, id + " is " + std::string(name(status)) + "; " + why,
                std::string(name(status)));
  };
  if (is_helper(task)) {
    return refuse("the task gives back what another one made; `baton resources cleanup` does that again");
  }
  if (status == RunStatus::completed) return refuse("a completed run stays as it is: replay it as a new run");
  // A held step under `finally` waits for nothing but this decision.
  const bool finally = run.program->step(task.row.step).finally;
  if (status == RunStatus::cancelling && !(finally && task.row.held))
    return refuse("wait until it has ended");
  if (run.row.recovery.scope != Recovery::Scope::none) {
    return fail(ErrorCode::conflict, id + " is being recovered; try again when it runs", "recovering");
  }
  if (finally && !model::is_terminal(status) && !task.row.held) {
    return refuse("steps under `finally` always run to their end");
  }
  if (model::is_terminal(status)) {
    const std::uint32_t limit = run.program->workflow().max_recovery_attempts;
    if (!command.force && run.row.recovery_attempts >= limit) {
      return refuse(
          "it was recovered " + std::to_string(run.row.recovery_attempts) +
          " times already, as often as its workflow allows; force it if you know that it helps now");
    }
    return {};
  }
  if (model::is_terminal(task.row.status)) {
    if (run.row.stage != model::RunStage::main) {
      return refuse("only its endings are left; try again when it has ended");
    }
    if (is_closing(run, task)) return refuse("its tasks are being stopped; try again when it has ended");
  }
  return {};
}

// The steps whose end had this one skipped, found upwards through those that were skipped for the same
// reason.
std::vector<Ordinal> causes_of_skip(const Run& run, Ordinal step) {
  constexpr std::size_t kNamed = 3;
  std::vector<Ordinal> causes;
  std::vector<Ordinal> open = {step};
  std::set<Ordinal> seen;
  while (!open.empty() && causes.size() < kNamed) {
    const Ordinal next = open.back();
    open.pop_back();
    run.program->each_need(next, [&](Ordinal before) {
      if (!seen.insert(before).second) return;
      const model::TaskRow& row = run.tasks[before].row;
      if (row.status == TaskStatus::skipped && row.skip_reason != model::SkipReason::when &&
          row.skip_reason != model::SkipReason::operator_) {
        open.push_back(before);
      } else if (is_bad(row, run.program->step(before)) || row.status == TaskStatus::skipped) {
        causes.push_back(before);
      }
    });
  }
  std::ranges::sort(causes);
  return causes;
}

// A task that would only be skipped again says what to do instead.
Status would_start(const Run& run, const Task& task) {
  const model::TaskRow& row = task.row;
  const model::Step& step = run.program->step(row.step);
  if (row.status != TaskStatus::skipped || row.index >= 0 ||
      trigger(step.trigger_rule, task.upstream).kind != Trigger::Kind::skip) {
    return {};
  }
  std::string names;
  std::string instead;
  for (const Ordinal cause : causes_of_skip(run, row.step)) {
    const model::TaskRow& before = run.tasks[cause].row;
    names += (names.empty() ? "" : ", ") + run.program->name(cause) + " (" +
             std::string(name(before.status)) + ")";
    if (instead.empty() && before.status == TaskStatus::failed) {
      instead = "retry task " + TaskId{run.row.id, cause}.text() + ", which lets this one run as well";
    } else if (instead.empty() && before.status == TaskStatus::cancelled) {
      instead = "recover the run";
    }
  }
  if (instead.empty()) instead = "replay the run with another input, or recover it from such a step";
  return conflict(
      run, task,
      "it would be skipped again" + (names.empty() ? "" : " because of " + names) + ": " + instead);
}

bool others_failed(const Run& run, Ordinal step) {
  for (const Ordinal i : run.program->steps()) {
    if (i != step && !run.program->step(i).finally && run.tasks[i].row.status == TaskStatus::failed)
      return true;
  }
  return false;
}

// Whether what it gets can be said by a person.
Status may_get(const Run& run, const Task& task, const model::DecideTask& command) {
  if (command.input.empty()) return {};
  if (task.row.expanded) return conflict(run, task, "it has items; decide about those");
  const model::StepKind kind = run.program->step(task.row.step).kind;
  if (kind != model::StepKind::run && kind != model::StepKind::exec && kind != model::StepKind::http &&
      kind != model::StepKind::task) {
    return conflict(
        run, task,
        "Baton does a step of kind " + std::string(name(kind)) + " itself: there are no arguments to change");
  }
  if (task.row.status == TaskStatus::retrying && task.row.phase != model::Phase::primary) {
    return conflict(run, task,
                    "its " + std::string(name(task.row.phase)) + " is next, which these are not for");
  }
  return {};
}

void note_decision(Run& run, const Task& task, std::string decision, const std::string& reason,
                   const Moment& moment, Effects& effects) {
  effects.touch(run, task.row.key.ordinal);
  effects.record(run, {.kind = model::FactKind::task_resolved,
                       .at = moment.wall,
                       .task = task.row.key.ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .text = std::move(decision),
                       .other = std::string(utf8_prefix(reason, kReasonLimit))});
}

// Whether tasks that this one has added, or those of its items that the decision is about, still count.
bool has_live_parts(const Run& run, const Task& task, Verdict verdict) {
  if (run.program->has_live_parts(task.row.key.ordinal)) return true;
  for (std::uint32_t i = 0; i < task.row.item_count; ++i) {
    const Task& item = run.tasks[task.row.first_item + i];
    if ((verdict == Verdict::skip || is_to_be_redone(item.row)) &&
        run.program->has_live_parts(item.row.key.ordinal)) {
      return true;
    }
  }
  return false;
}

// A task that has ended: its next generation, in which it runs, or what the person decided stands.
Status redo(State& state, Run& run, Task& task, const model::DecideTask& command, const Moment& moment,
            Effects& effects) {
  const model::TaskRow& row = task.row;
  if (command.verdict == Verdict::fail) return conflict(run, task, "only a task that waits can be let fail");
  if (row.status == TaskStatus::completed) {
    return conflict(
        run, task,
        "to do it again with all that follows, recover its run from step " + run.program->name(row.step));
  }
  if (!model::is_terminal(run.row.status) && has_live_parts(run, task, command.verdict)) {
    return conflict(run, task,
                    "it, or an item of it, has added tasks, which it would add again: decide about those, or "
                    "recover the run when "
                    "it has ended");
  }
  if (command.verdict == Verdict::retry) TRY_VOID(would_start(run, task));
  if (command.verdict == Verdict::complete && row.expanded) {
    return conflict(run, task, "it has items, whose results are its result; complete those");
  }
  // What is not at fault itself can only be tried again.
  if (command.verdict == Verdict::complete && row.status != TaskStatus::failed) {
    return conflict(run, task, "only a failed or held task can be completed by a person");
  }
  if (run.program->workflow().fail_fast && others_failed(run, row.step)) {
    return conflict(run, task, "other steps failed as well, and the workflow fails fast: recover the run");
  }
  Recovery plan{.scope = Recovery::Scope::task,
                .then = command.verdict == Verdict::skip       ? Recovery::Then::skip
                        : command.verdict == Verdict::complete ? Recovery::Then::complete
                                                               : Recovery::Then::again,
                .root = row.key.ordinal,
                .reason = std::string(utf8_prefix(command.reason, kReasonLimit))};
  TRY_VOID(may_get(run, task, command));
  if (model::is_terminal(run.row.status)) TRY_VOID(enter_again(state, run));
  if (!command.input.empty()) note_decision(run, task, "edit", command.reason, moment, effects);
  begin_recovery(state, run, std::move(plan), Duration{},
                 command.verdict == Verdict::complete ? command.result : command.input, moment, effects);
  return {};
}

Status apply(State& state, Run& run, Task& task, const model::DecideTask& command, const Moment& moment,
             Effects& effects) {
  const TaskStatus status = task.row.status;
  if (model::is_terminal(status)) return redo(state, run, task, command, moment, effects);
  if (task.row.expanded && command.verdict != Verdict::retry) {
    return conflict(run, task, "it has items; decide about those");
  }
  if (status == TaskStatus::running && !has_attempt(task.row)) {
    return conflict(run, task, "it is waiting; send it what it waits for, or cancel the run");
  }
  if (status == TaskStatus::running) {
    return conflict(run, task, "an attempt is with a worker; wait until it ends, or cancel the run");
  }
  if (status != TaskStatus::retrying && command.verdict != Verdict::skip) {
    return conflict(run, task,
                    command.verdict == Verdict::retry ? "it has not been tried yet"
                                                      : "only a failed or held task can be decided about; "
                                                        "this one can be skipped");
  }
  TRY_VOID(may_get(run, task, command));
  if (status == TaskStatus::retrying) {
    effects.touch(run, task.row.key.ordinal);
    task.row.held = false;
    clear_timer(state, task);
    note_decision(run, task, std::string(name(model::CommandBody(command))), command.reason, moment, effects);
  }
  switch (command.verdict) {
    case Verdict::retry:
      if (!command.input.empty()) {
        effects.put(input_of(task.row.key), command.input);
        task.row.has_input = true;
      }
      start_again(state, run, task, moment, effects);
      return {};
    case Verdict::skip:
      skip_task(state, run, task, model::SkipReason::operator_, moment, effects);
      return {};
    case Verdict::complete:
      effects.touch(run, task.row.key.ordinal);
      effects.put(result_of(task.row.key), command.result);
      task.row.has_result = true;
      task.row.via = model::Via::operator_;
      complete_task(state, run, task, moment, effects);
      return {};
    case Verdict::fail:
      fail_task(state, run, task,
                {.type = task.row.error_type,
                 .message = task.row.error_message,
                 .exit_code = task.row.error_exit_code,
                 .status = task.row.error_status},
                moment, effects);
      return {};
  }
  return {};
}

Status decide_about(State& state, const model::DecideTask& command, const Moment& moment, Effects& effects) {
  TRY(Run * run, find_run(state, command.task.run));
  if (command.task.ordinal >= run->tasks.size()) {
    return fail(ErrorCode::not_found, "there is no task " + command.task.text());
  }
  Task& task = run->tasks[command.task.ordinal];
  if (task.old) {
    return conflict(*run, task,
                    "it is of a list that a recovery has replaced: decide about a task of the new one");
  }
  if (command.generation != 0 && command.generation != task.row.generation) {
    return conflict(*run, task, "it has been done again meanwhile: look at it first");
  }
  TRY_VOID(run_allows(*run, task, command));
  return apply(state, *run, task, command, moment, effects);
}

}  // namespace

void decide(State& state, const model::DecideTask& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  if (auto done = decide_about(state, command, moment, effects); !done) {
    effects.reply(reply_to, std::move(done.error()));
    return;
  }
  effects.reply(reply_to,
                model::RunAccepted{command.task.run, state.find(command.task.run.key())->row.status});
}

}  // namespace baton::engine::commands
