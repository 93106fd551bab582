#include "engine/attempts.hpp"
#include "engine/breakers.hpp"
#include "engine/commands/commands.hpp"
#include "engine/deadlines.hpp"
#include "engine/decide.hpp"
#include "engine/dispatch.hpp"
#include "engine/pauses.hpp"
#include "engine/places.hpp"
#include "engine/rates.hpp"
#include "engine/resources.hpp"
#include "engine/stopping.hpp"
#include "engine/timers.hpp"
#include "engine/waiting.hpp"
#include "engine/workers.hpp"

namespace baton::engine::commands {
namespace {

using model::TaskStatus;

// A timer that is served so long after it was due was not served because this server stood still (a stopped
// process, a disk that took its time).
constexpr Duration kStoodStill = Duration::seconds(1);

// Nobody was heard meanwhile: their words may wait behind this tick, so that silence says nothing about them.
void lease_due(State& state, const std::string& worker, ShardTime due, const Moment& moment,
               Effects& effects) {
  if (!state.workers.contains(worker)) return;
  if (moment.now - due > kStoodStill) {
    renew_lease(state, worker, false, moment);
  } else {
    lose_worker(state, worker, moment, effects);
  }
}

void fire(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (task.row.status == TaskStatus::retrying) {
    start_again(state, run, task, moment, effects);
  } else if (task.row.status == TaskStatus::running && !has_attempt(task.row)) {
    wake(state, run, task, moment, effects);
  } else if (task.row.status == TaskStatus::running) {
    const bool first = task.row.stopping == model::Stopping::none;
    stop_attempt(state, run, task, first ? model::Stopping::soft : model::Stopping::hard,
                 first ? model::StopReason::timeout : task.row.stop_reason, moment, effects);
  }
}

}  // namespace

void decide(State& state, const model::Tick&, model::ReplyTo, const Moment& moment, Effects& effects) {
  const std::size_t row_limit = effects.rows() + kRowsPerDecision;
  while (!state.timers.empty() && state.timers.begin()->at <= moment.now && effects.rows() < row_limit) {
    const Timer timer = *state.timers.begin();
    state.timers.erase(state.timers.begin());
    switch (timer.kind) {
      case TimerKind::task: {
        Run* run = state.find(timer.task.run);
        if (run == nullptr) break;
        Task& task = run->tasks[timer.task.ordinal];
        task.has_timer = false;
        fire(state, *run, task, moment, effects);
        break;
      }
      case TimerKind::clock: {
        Run* run = state.find(timer.task.run);
        if (run == nullptr) break;
        run->tasks[timer.task.ordinal].has_clock = false;
        on_clock(state, *run, run->tasks[timer.task.ordinal], moment, effects);
        break;
      }
      case TimerKind::run_clock: {
        Run* run = state.find(timer.task.run);
        if (run == nullptr) break;
        run->has_clock = false;
        on_run_clock(state, *run, moment, effects);
        break;
      }
      case TimerKind::resume:
        resume_due(state, moment, effects);
        break;
      case TimerKind::recover: {
        // Not one of a recovery that was called off: the next one has its own time.
        const Run* run = state.find(timer.task.run);
        if (run == nullptr || run->row.recovery.scope == model::Recovery::Scope::none ||
            run->row.recovery.due != timer.at) {
          break;
        }
        state.work.push_back({WorkKind::reset, timer.task, 0});
        break;
      }
      case TimerKind::lease:
        lease_due(state, timer.worker, timer.at, moment, effects);
        break;
      case TimerKind::breaker:
        breaker_due(state, timer.worker, moment, effects);
        break;
      case TimerKind::rate:
        rate_due(state, timer.worker, moment);
        break;
      case TimerKind::claim:
        end_claim(state, timer.worker, effects);
        break;
      case TimerKind::orphans:
        state.orphan_scan.reset();
        scan_orphans(state);
        arm_orphan_scan(state, moment.now);
        break;
    }
  }
}

}  // namespace baton::engine::commands
