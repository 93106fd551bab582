#include <algorithm>
#include <vector>

#include "engine/attempts.hpp"
#include "engine/commands/commands.hpp"
#include "engine/deadlines.hpp"
#include "engine/dispatch.hpp"
#include "engine/flow.hpp"
#include "engine/gates.hpp"
#include "engine/timers.hpp"
#include "engine/workers.hpp"

namespace baton::engine::commands {
namespace {

using model::TaskStatus;

// A running attempt of a worker elsewhere: its claim stays valid, its lease starts anew (SEMANTICS 50).
void keep(State& state, Run& run, Task& task, const Moment& moment) {
  Worker& worker = renew_lease(state, task.row.worker, task.row.in_process, moment);
  worker.attempts.emplace(task.row.token, task.row.key);
  task.heartbeat = moment.now;  // what was said before is not known
  const auto& timeout = run.program->action(task.row).timeout;
  if (task.row.stopping == model::Stopping::soft) {
    set_timer(state, task, task.row.due);
  } else if (task.row.stopping == model::Stopping::none && timeout && timeout->soft.us > 0) {
    set_timer(state, task, task.row.attempt_started + timeout->soft);
  }
}

// An attempt in the process of an owner that has gone. Those of this owner go on when it loads its state
// again after a commit that failed, which may have been the one that interrupted the others.
bool is_orphan(const State& state, const Task& task) {
  return task.row.in_process && task.row.token.incarnation != state.incarnation;
}

// Whether a mapped step has failed already: what is open of it is swept.
bool is_failing(const Run& run, const Task& group) {
  const auto& rules = run.program->step(group.row.step).failure;
  const model::MaxFailures allowed = rules ? rules->max_failures : model::MaxFailures{};
  return group.row.stop_reason == model::StopReason::deadline ||
         allowed.exceeded_by(group.items_failed, group.row.item_count);
}

// Whether a pending task that has no items was ready, or parked, when the previous owner stopped.
bool is_due(const Run& run, const Task& task) {
  if (task.row.index >= 0) {
    return static_cast<std::uint32_t>(task.row.index) < run.tasks[task.row.step].next_item;
  }
  const model::Step& step = run.program->step(task.row.step);
  return trigger(step.trigger_rule, task.upstream).kind != Trigger::Kind::wait &&
         step.finally == run.row.finalizing;
}

}  // namespace

// Recovery is the normal way to start: everything that was on its way goes on from what the rows say.
void decide(State& state, const model::StartShard&, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  std::vector<Run*> runs;
  for (const auto& [key, run] : state.runs) {
    if (!model::is_terminal(run->row.status)) runs.push_back(run.get());
  }
  std::ranges::sort(runs, {}, [](const Run* run) { return run->row.key; });

  std::vector<Task*> queued;
  std::vector<std::pair<Run*, Ordinal>> interrupted;
  for (Run* run : runs) {
    for (Task& task : run->tasks) {
      if (task.row.status == TaskStatus::queued) {
        queued.push_back(&task);
      } else if (task.row.status == TaskStatus::retrying) {
        if (is_fallback_due(task.row)) {
          state.work.push_back({WorkKind::ready, task.row.key, 0});
        } else if (!task.row.held) {
          set_timer(state, task, task.row.due);
        }
      } else if (task.row.status == TaskStatus::running && is_orphan(state, task)) {
        interrupted.emplace_back(run, task.row.key.ordinal);
      } else if (task.row.status == TaskStatus::running) {
        keep(state, *run, task, moment);
      } else if (task.row.expanded && task.row.status == TaskStatus::pending) {
        if (is_failing(*run, task)) {
          task.sweeping = true;
          state.work.push_back({WorkKind::sweep, task.row.key, 0});
        } else {
          refill(state, *run, task);
        }
      } else if (task.row.status == TaskStatus::pending && is_due(*run, task)) {
        state.work.push_back({WorkKind::ready, task.row.key, 0});
      }
    }
    for (Task& task : run->tasks) arm_clock(state, *run, task);
    arm_run_clock(state, *run);
    const bool stop = run->row.cancel_requested || run->row.timed_out ||
                      (run->any_failed && run->program->workflow().fail_fast);
    if (stop && !run->row.finalizing) state.work.push_back({WorkKind::sweep, {run->row.key, kWholeRun}, 0});
  }
  std::ranges::sort(queued, {},
                    [](const Task* task) { return std::pair(task->row.ready_at, task->row.key); });
  for (Task* task : queued) {
    stand_last(state, *state.find(task->row.key.run), *task);
  }
  for (const auto& [run, ordinal] : interrupted) {
    lose(state, *run, run->tasks[ordinal], model::AttemptEnd::interrupted, moment, effects);
  }
  effects.reply(reply_to, model::Done{});
}

}  // namespace baton::engine::commands
