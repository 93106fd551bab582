#include "engine/stopping.hpp"

#include <string>

#include "engine/children.hpp"
#include "engine/endings.hpp"
#include "engine/flow.hpp"
#include "engine/items.hpp"
#include "engine/timers.hpp"

namespace baton::engine {
namespace {

using model::FactKind;
using model::TaskStatus;

// Of two reasons to stop an attempt the one with more weight says what follows.
int weight(model::StopReason reason) {
  switch (reason) {
    case model::StopReason::none:
      return 0;
    case model::StopReason::timeout:
    case model::StopReason::heartbeat:
      return 1;
    case model::StopReason::deadline:
      return 2;
    case model::StopReason::cancelled:
      return 3;
  }
  return 0;
}

}  // namespace

bool is_closing(const Run& run, const Task& task) {
  if (is_helper(task)) return false;  // they always run to their end
  if (run.program->step(task.row.step).finally) return is_item(task) && run.tasks[task.row.step].sweeping;
  return run.row.cancel_requested || run.row.timed_out || fails_fast(run) ||
         (is_item(task) && run.tasks[task.row.step].sweeping);
}

bool fails_fast(const Run& run) {
  return run.any_failed && run.program->workflow().fail_fast;
}

void stop_attempt(State& state, Run& run, Task& task, model::Stopping mode, model::StopReason reason,
                  const Moment& moment, Effects& effects) {
  if (!model::has_attempt(task.row)) return;
  // A cancel overrules all others, a deadline the timeouts, also of an attempt that is being stopped already:
  // the task is not to be retried.
  if (weight(reason) > weight(task.row.stop_reason)) {
    effects.touch(run, task.row.key.ordinal);
    task.row.stop_reason = reason;
  }
  if (task.row.stopping >= mode) return;
  effects.touch(run, task.row.key.ordinal);
  task.row.stopping = mode;
  effects.record(run, {.kind = FactKind::attempt_stopping,
                       .at = moment.wall,
                       .task = task.row.key.ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .attempt = task.row.starts,
                       .text = mode == model::Stopping::soft ? "soft" : "hard",
                       .other = std::string(name(reason))});
  effects.act(model::StopAttempt{task.row.worker, task.row.token, mode});
  if (mode == model::Stopping::hard) {
    clear_timer(state, task);
    return;
  }
  // A poll is also stopped because its wait has lasted too long, with or without a timeout of its own.
  const auto& timeout = run.program->action(task.row).timeout;
  const bool own = reason == model::StopReason::timeout && timeout && timeout->soft.us > 0 &&
                   task.row.attempt_started + timeout->soft <= moment.now;
  task.row.due = own ? task.row.attempt_started + timeout->hard : moment.now + state.settings.cancel_grace;
  set_timer(state, task, task.row.due);
}

bool sweep(State& state, Work& work, const Moment& moment, Effects& effects, std::size_t row_limit) {
  Run* run = state.find(work.task.run);
  if (run == nullptr || model::is_terminal(run->row.status)) return false;
  const bool whole = work.task.ordinal == kWholeRun;
  // What a recovery resets is not to be stopped for what made the earlier generation stop; a deadline that is
  // over meanwhile stops the new one.
  if (run->row.recovery.scope != model::Recovery::Scope::none && !run->row.cancel_requested) {
    return whole && run->row.timed_out && run->row.status != model::RunStatus::recovering;
  }
  if (!whole && !run->tasks[work.task.ordinal].sweeping) return false;  // its items have ended
  const Ordinal first = whole ? 0 : run->tasks[work.task.ordinal].row.first_item;
  const auto end =
      whole ? static_cast<Ordinal>(run->tasks.size()) : first + run->tasks[work.task.ordinal].row.item_count;
  const bool by_deadline =
      !whole && run->tasks[work.task.ordinal].row.stop_reason == model::StopReason::deadline;
  for (; first + work.cursor < end; ++work.cursor) {
    if (effects.rows() >= row_limit) return true;
    Task& task = run->tasks[first + work.cursor];
    if (model::is_terminal(task.row.status) || task.row.expanded) {
      // What it began was asked to stop, and is to stop at once now.
      const bool harder = whole && run->row.terminate && model::is_terminal(task.row.status);
      if (harder && run->program->step(task.row.step).child && !is_helper(task))
        leave_child(state, *run, task, moment, effects);
      continue;
    }
    if (is_helper(task)) {
      if (!whole || !run->row.no_cleanup) continue;
    } else if (whole && run->program->step(task.row.step).finally) {
      continue;
    }
    const bool begun = task.row.status == TaskStatus::running && run->program->step(task.row.step).child;
    if (begun && !whole && !by_deadline) continue;  // as an attempt: it may finish
    if (model::has_attempt(task.row)) {
      // One failed item lets its running siblings finish (SEMANTICS 30), a deadline does not.
      if (whole || by_deadline) {
        // What serves another task has none: it is dropped.
        const bool deadline =
            !is_helper(task) && (by_deadline || (run->row.timed_out && !run->row.cancel_requested));
        stop_attempt(state, *run, task, run->row.terminate ? model::Stopping::hard : model::Stopping::soft,
                     deadline ? model::StopReason::deadline : model::StopReason::cancelled, moment, effects);
      }
    } else if (whole && !run->row.cancel_requested && !run->row.timed_out &&
               (task.row.status == TaskStatus::pending ||
                (task.row.status == TaskStatus::queued && task.row.starts == 0))) {
      skip_task(state, *run, task, model::SkipReason::fail_fast, moment, effects);
    } else {
      cancel_task(state, *run, task, moment, effects);
    }
  }
  return false;
}

}  // namespace baton::engine
