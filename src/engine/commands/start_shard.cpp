#include <algorithm>
#include <vector>

#include "base/seeded_bug.hpp"
#include "engine/attempts.hpp"
#include "engine/branches.hpp"
#include "engine/breakers.hpp"
#include "engine/commands/commands.hpp"
#include "engine/deadlines.hpp"
#include "engine/dispatch.hpp"
#include "engine/endings.hpp"
#include "engine/flow.hpp"
#include "engine/gates.hpp"
#include "engine/generations.hpp"
#include "engine/limits.hpp"
#include "engine/load.hpp"
#include "engine/pauses.hpp"
#include "engine/queues.hpp"
#include "engine/rates.hpp"
#include "engine/resources.hpp"
#include "engine/run_limits.hpp"
#include "engine/timers.hpp"
#include "engine/turns.hpp"
#include "engine/waiting.hpp"
#include "engine/workers.hpp"
#include "model/space.hpp"

namespace baton::engine::commands {
namespace {

using model::TaskStatus;

// A running attempt of a worker elsewhere: its claim stays valid, its lease starts anew (SEMANTICS 50).
void keep(State& state, Run& run, Task& task, const Moment& moment) {
  Worker& worker = renew_lease(state, task.row.worker, task.row.in_process, moment);
  // Whether it was named before is not known.
  worker.attempts.emplace(task.row.token, Worker::Held{task.row.key, moment.now});
  if (seeded_bug(Bug::forget_lease_on_reload))
    state.timers.erase({worker.lease, TimerKind::lease, {}, task.row.worker});
  task.heartbeat = moment.now;  // what was said before is not known
  recall_probe(state, run, task);
  if (task.row.stopping == model::Stopping::soft) {
    set_timer(state, task, task.row.due);
  } else if (task.row.stopping == model::Stopping::none) {
    set_attempt_timer(state, task, run.program->action(task.row));
  }
}

// An attempt in the process of an owner that has gone. Those of this owner go on when it loads its state
// again after a commit that failed, which may have been the one that interrupted the others.
bool is_orphan(const State& state, const Task& task) {
  return task.row.in_process && task.row.token.incarnation != state.incarnation;
}

// Whose turn it was is found from the rows of those that have started or wait.
void recall_first_turns(State& state) {
  for (auto& [name, queue] : state.queues) {
    for (auto& [priority, turns] : queue.turns) {
      std::optional<std::uint64_t> first;
      for (const auto& [function, line] : queue.lines) {
        const auto at = line.tasks.lower_bound({static_cast<std::uint8_t>(9 - priority), 0, 0});
        if (at != line.tasks.end() && at->first.urgency == 9 - priority)
          first = std::min(first.value_or(at->first.turn), at->first.turn);
      }
      // Those before it have started, with runs that may be over.
      if (first) note_turn(queue, priority, std::max(*first, kTurn) - kTurn);
    }
  }
}

}  // namespace

// Recovery is the normal way to start: everything that was on its way goes on from what the rows say.
void decide(State& state, const model::StartShard&, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  state.closed = state.record(model::closed_key()) != nullptr;
  load_breakers(state, moment);
  load_limits(state);
  load_rates(state, moment);
  load_queues(state);
  std::vector<Run*> runs;
  for (const auto& [key, run] : state.runs) {
    if (!model::is_terminal(run->row.status)) runs.push_back(run.get());
  }
  std::ranges::sort(runs, {}, [](const Run* run) { return run->row.key; });

  std::vector<Task*> queued;
  std::vector<std::pair<Run*, Ordinal>> interrupted;
  load_pauses(state, moment);
  for (Run* run : runs) {
    bool rank = false;
    for (Task& task : run->tasks) {
      if (model::has_attempt(task.row) && !seeded_bug(Bug::forget_holders_on_reload)) {
        take_limits(state, *run, task);
      }
      state.last_order = std::max(state.last_order, task.row.order);
      // A wait has a place only while its poll stands in the queue.
      const bool polls =
          task.row.status == TaskStatus::running && !has_attempt(task.row) && task.row.order != 0;
      if (polls) {
        recall_place(state, *run, task);
        stand_again(state, *run, task);
      } else if (task.row.order != 0 && task.row.status == TaskStatus::pending) {
        recall_place(state, *run, task);  // it stood before its full queue, and will again
      } else if (task.row.order != 0 && task.row.status != TaskStatus::queued && task.row.starts > 0) {
        note_turn(state.queues[queue_of(*run, task)], task.row.priority, task.row.turn);
      }
      if (task.row.status == TaskStatus::queued) {
        queued.push_back(&task);
      } else if (task.row.status == TaskStatus::retrying) {
        if (is_fallback_due(task.row)) {
          state.work.push_back({WorkKind::ready, task.row.key, 0});
        } else if (!task.row.held && !task.row.giving_back &&
                   !seeded_bug(Bug::forget_retry_timer_on_reload)) {
          set_timer(state, task, task.row.due);
        }
      } else if (task.row.status == TaskStatus::running && !has_attempt(task.row)) {
        if (!seeded_bug(Bug::forget_wait_timer_on_reload)) set_wait_timer(state, *run, task, moment);
      } else if (task.row.status == TaskStatus::running && is_orphan(state, task)) {
        interrupted.emplace_back(run, task.row.key.ordinal);
      } else if (task.row.status == TaskStatus::running) {
        keep(state, *run, task, moment);
      } else if (task.row.status == TaskStatus::pending && is_helper(task)) {
        state.work.push_back({WorkKind::ready, task.row.key, 0});
      }
      // A change of the run's priority was not carried through yet.
      if (!model::is_terminal(task.row.status)) rank |= task.row.priority != priority_of(*run, task.row.step);
    }
    if (rank) state.work.push_back({WorkKind::rank, {run->row.key, kWholeRun}, 0});
    const bool admitted = recall_entry(state, *run);
    for (Task& task : run->tasks) arm_clock(state, *run, task);
    if (run->row.recovery.scope != model::Recovery::Scope::none) {
      // It takes the pending tasks up when all of them are reset.
      if (!seeded_bug(Bug::forget_recovery_on_reload)) resume_recovery(state, *run, moment);
      if (run->row.status == model::RunStatus::recovering) continue;
    } else if (admitted) {
      take_up(state, *run);
    }
    if (!seeded_bug(Bug::forget_deadline_on_reload)) arm_run_clock(state, *run);
    const bool stop = run->row.cancel_requested || run->row.timed_out ||
                      (run->any_failed && run->program->workflow().fail_fast);
    if (stop && run->row.stage == model::RunStage::main && !seeded_bug(Bug::forget_cancel_on_reload)) {
      state.work.push_back({WorkKind::sweep, {run->row.key, kWholeRun}, 0});
    }
    resume_endings(state, *run);
  }
  // Rows of versions that kept no places: in the order in which they became ready, behind all others.
  const auto placeless =
      std::ranges::partition(queued, [](const Task* task) { return task->row.order != 0; });
  std::ranges::sort(placeless, {},
                    [](const Task* task) { return std::pair(task->row.ready_at, task->row.key); });
  for (Task* task : placeless) {
    Run& run = *state.find(task->row.key.run);
    draw_place(state, run, *task);
    effects.touch(run, task->row.key.ordinal);
  }
  for (Task* task : queued) {
    if (seeded_bug(Bug::forget_queue_on_reload) && task == queued.back()) break;
    Run& run = *state.find(task->row.key.run);
    recall_place(state, run, *task);
    count_in(state, run, *task);
    if (waits_for_release(state, run, *task)) {
      block(state, *task, model::Blocker::breaker_open(breaker_settings(run, *task)->name));
    } else {
      stand_again(state, run, *task);
      reject_if_due(state, run, *task);
    }
  }
  recall_first_turns(state);
  for (const auto& [run, ordinal] : interrupted) {
    if (seeded_bug(Bug::forget_interrupted_on_reload)) break;
    lose(state, *run, run->tasks[ordinal], model::AttemptEnd::interrupted, moment, effects);
  }
  std::vector<std::string> lines;
  for (const auto& [limit, waiting] : state.waiting_runs) lines.push_back(limit);
  for (const std::string& limit : lines) want_entries(state, limit);
  scan_orphans(state);
  arm_orphan_scan(state, moment.now);
  effects.reply(reply_to, model::Done{});
}

void take_up_helpers(State& state, Run& run, const Moment& moment, Effects& effects) {
  std::vector<Ordinal> interrupted;
  for (Task& task : run.tasks) {
    if (!is_helper(task)) continue;
    if (task.row.status == TaskStatus::queued && task.line == nullptr) {
      effects.touch(run, task.row.key.ordinal);
      count_in(state, run, task);
      stand_last(state, run, task);
      want_dispatch(state);
    } else if (task.row.status == TaskStatus::pending) {
      state.work.push_back({WorkKind::ready, task.row.key, 0});
    } else if (task.row.status == TaskStatus::retrying && !task.has_timer) {
      set_timer(state, task, task.row.due);
    } else if (task.row.status == TaskStatus::running) {
      const auto worker = state.workers.find(task.row.worker);
      if (worker != state.workers.end() && worker->second.attempts.contains(task.row.token)) continue;
      if (is_orphan(state, task)) {
        interrupted.push_back(task.row.key.ordinal);
      } else {
        keep(state, run, task, moment);
      }
    }
  }
  for (const Ordinal ordinal : interrupted) {
    lose(state, run, run.tasks[ordinal], model::AttemptEnd::interrupted, moment, effects);
  }
}

}  // namespace baton::engine::commands
