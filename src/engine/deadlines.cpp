#include "engine/deadlines.hpp"

#include <algorithm>
#include <optional>

#include "base/duration.hpp"
#include "base/seeded_bug.hpp"
#include "engine/attempts.hpp"
#include "engine/breakers.hpp"
#include "engine/dispatch.hpp"
#include "engine/explain_limits.hpp"
#include "engine/flow.hpp"
#include "engine/gates.hpp"
#include "engine/phases.hpp"
#include "engine/stopping.hpp"

namespace baton::engine {
namespace {

using model::RunStatus;
using model::StopReason;
using model::TaskStatus;

// The earliest of some instants.
class Earliest {
 public:
  void add(ShardTime at) { at_ = at_ ? std::min(*at_, at) : at; }
  const std::optional<ShardTime>& at() const { return at_; }

 private:
  std::optional<ShardTime> at_;
};

bool is_set(ShardTime at) {
  return at.us != 0;
}

// It has an sla that was not missed yet.
bool is_late_set(const model::TaskRow& row) {
  return is_set(row.late_at) && row.late_at != model::kReported;
}

// The same instant on the shard's clock.
ShardTime shard_time(const Run& run, ShardTime in_run_time) {
  return in_run_time + run.row.paused_for;
}

bool stands_still(const Run& run) {
  return run.row.status == RunStatus::paused;
}

std::optional<ShardTime> deadline_of(const Run& run, const Task& task) {
  // An attempt that is stopped for one of these is the last one: there is nothing more to decide.
  const bool ending =
      task.row.stop_reason == StopReason::deadline || task.row.stop_reason == StopReason::cancelled;
  if (!is_set(task.row.deadline) || ending || stands_still(run) || seeded_bug(Bug::step_deadline_ignored))
    return std::nullopt;
  return shard_time(run, task.row.deadline);
}

std::optional<ShardTime> start_limit(const Run& run, const Task& task) {
  const auto& timeout = run.program->action(task.row).timeout;
  if (task.row.status != TaskStatus::queued || !timeout || timeout->start.us == 0 || stands_still(run))
    return std::nullopt;
  return shard_time(run, task.row.queued_at + timeout->start);
}

std::optional<ShardTime> heartbeat_limit(const Run& run, const Task& task) {
  const auto& timeout = run.program->action(task.row).timeout;
  if (!model::has_attempt(task.row) || task.row.stopping != model::Stopping::none || !timeout ||
      timeout->heartbeat.us == 0) {
    return std::nullopt;
  }
  return std::max(task.heartbeat, task.row.attempt_started) + timeout->heartbeat;
}

// Only the main phase has one.
std::optional<ShardTime> deadline_of(const Run& run) {
  const bool counts =
      !run.row.timed_out && !run.row.cancel_requested && run.row.stage == model::RunStage::main;
  if (!is_set(run.row.deadline) || !counts || stands_still(run)) return std::nullopt;
  return shard_time(run, run.row.deadline);
}

bool is_due(const std::optional<ShardTime>& at, const Moment& moment) {
  return at && *at <= moment.now;
}

// A pause or a breaker keeps the queued task from starting. A limit does not count as one: waiting for it is
// waiting for others to end.
bool is_blocked(const State& state, const Run& run, const Task& task) {
  if (task.line != nullptr && task.line->blocker && !is_of_flow(*task.line->blocker)) return true;
  const auto blocker = blocker_of(state, run, task);
  return (blocker && !is_of_flow(*blocker)) ||
         is_paused(state, model::Blocker::queue_paused(queue_of(run, task)));
}

void deadline_over(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  effects.touch(run, task.row.key.ordinal);
  if (task.row.expanded) {
    task.row.stop_reason = StopReason::deadline;
    task.sweeping = true;
    state.work.push_back({WorkKind::sweep, task.row.key, 0});
  } else if (model::has_attempt(task.row)) {
    stop_attempt(state, run, task, model::Stopping::soft, StopReason::deadline, moment, effects);
  } else {
    fail_task(state, run, task, deadline_failure(run.program->step(task.row.step)), moment, effects);
  }
}

// When its breaker last let attempts through again.
std::optional<ShardTime> held_by_breaker_until(const State& state, const Run& run, const Task& task) {
  const model::BreakerSettings* settings = breaker_settings(run, task);
  if (settings == nullptr) return std::nullopt;
  const auto found = state.breakers.find(settings->name);
  if (found == state.breakers.end()) return std::nullopt;
  const model::BreakerRow& row = found->second.row;
  if (row.state == model::BreakerState::closed) return row.closed_at;
  return row.open_until();
}

bool reaches(const model::Blocker& pause, const Run& run, const Task& task) {
  switch (pause.kind) {
    case model::BlockerKind::step_paused:
      return pause.run == run.row.key && pause.step == task.row.step;
    case model::BlockerKind::queue_paused:
      return pause.name == queue_of(run, task);
    case model::BlockerKind::target_paused:
      return pause.name == run.program->action(task.row).target;
    default:
      return false;
  }
}

void start_limit_over(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  effects.touch(run, task.row.key.ordinal);
  // No worker could have taken it: the wait begins anew.
  if (is_blocked(state, run, task)) {
    task.row.queued_at = run_time(run, moment.now);
    return;
  }
  if (const auto held = held_by_breaker_until(state, run, task);
      held && task.row.queued_at < run_time(run, *held)) {
    task.row.queued_at = run_time(run, *held);
    return;
  }
  const auto blocker = blocker_of(state, run, task);
  ++task.row.start_timeouts;
  fail_attempt(state, run, task,
               {.type = model::error_type::kStartTimeout,
                .message = (blocker ? "it could not start within " : "no worker took it within ") +
                           to_string(run.program->action(task.row).timeout->start) +
                           (blocker ? ": " + flow_reason(state, run, task, *blocker, moment).message : "")},
               moment, effects);
}

}  // namespace

ShardTime run_time(const Run& run, ShardTime now) {
  return {now.us - run.row.paused_for.us};
}

void start_run_clocks(State& state, Run& run, const Moment& moment) {
  const model::Workflow& workflow = run.program->workflow();
  if (workflow.deadline) run.row.deadline = run_time(run, moment.now) + *workflow.deadline;
  if (workflow.sla) run.row.late_at = moment.now + *workflow.sla;
  arm_run_clock(state, run);
}

void start_task_clocks(Run& run, Task& task, const Moment& moment) {
  const auto& rules = run.program->step(task.row.step).failure;
  // Items have no clocks of their own: a step's deadline is about all of them.
  if (!rules || task.row.index >= 0 || is_set(task.row.deadline) || is_set(task.row.late_at)) return;
  if (rules->deadline) task.row.deadline = run_time(run, moment.now) + *rules->deadline;
  if (rules->sla) task.row.late_at = moment.now + *rules->sla;
}

void clear_clock(State& state, Task& task) {
  if (!task.has_clock) return;
  state.timers.erase({task.clock, TimerKind::clock, task.row.key, {}});
  task.has_clock = false;
}

void clear_run_clock(State& state, Run& run) {
  if (!run.has_clock) return;
  state.timers.erase({run.clock, TimerKind::run_clock, {run.row.key, kWholeRun}, {}});
  run.has_clock = false;
}

void arm_clock(State& state, const Run& run, Task& task) {
  Earliest first;
  if (!model::is_terminal(task.row.status)) {
    if (is_late_set(task.row)) first.add(task.row.late_at);
    for (const auto& at : {deadline_of(run, task), start_limit(run, task), heartbeat_limit(run, task)}) {
      if (at) first.add(*at);
    }
  }
  if (task.has_clock && first.at() == task.clock) return;
  clear_clock(state, task);
  if (!first.at()) return;
  task.clock = *first.at();
  task.has_clock = true;
  state.timers.insert({task.clock, TimerKind::clock, task.row.key, {}});
}

void arm_run_clock(State& state, Run& run) {
  Earliest first;
  if (!model::is_terminal(run.row.status)) {
    if (is_set(run.row.late_at)) first.add(run.row.late_at);
    if (const auto deadline = deadline_of(run)) first.add(*deadline);
  }
  if (run.has_clock && first.at() == run.clock) return;
  clear_run_clock(state, run);
  if (!first.at()) return;
  run.clock = *first.at();
  run.has_clock = true;
  state.timers.insert({run.clock, TimerKind::run_clock, {run.row.key, kWholeRun}, {}});
}

void want_waits_anew(State& state, const model::Blocker& pause, const Moment& moment) {
  if (pause.kind != model::BlockerKind::step_paused && pause.kind != model::BlockerKind::queue_paused &&
      pause.kind != model::BlockerKind::target_paused) {
    return;
  }
  state.pauses_over.push_back({pause, moment.now, {}});
  state.work.push_back({WorkKind::anew, {}, 0});
}

bool begin_waits_anew(State& state, Effects& effects, std::size_t row_limit) {
  constexpr int kLookedThroughAtOnce = 10'000;
  PauseOver over = std::move(state.pauses_over.front());
  state.pauses_over.pop_front();
  int looked = 0;
  for (auto at = state.timers.lower_bound(over.seen); at != state.timers.end();) {
    over.seen = *at;
    if (++looked > kLookedThroughAtOnce || effects.rows() >= row_limit) {
      state.pauses_over.push_back(std::move(over));
      return true;
    }
    ++at;  // what is set later is met again, and left as it is
    if (over.seen.kind != TimerKind::clock) continue;
    Run* run = state.find(over.seen.task.run);
    if (run == nullptr) continue;
    Task& task = run->tasks[over.seen.task.ordinal];
    const ShardTime anew = run_time(*run, over.at);
    if (!start_limit(*run, task) || !reaches(over.what, *run, task) || task.row.queued_at >= anew) continue;
    effects.touch(*run, task.row.key.ordinal);
    task.row.queued_at = anew;
    arm_clock(state, *run, task);
  }
  return false;
}

void note_heartbeat(State& state, const Run& run, Task& task, const Moment& moment) {
  task.heartbeat = moment.now;
  arm_clock(state, run, task);
}

TimeLeft time_left(const State& state, const Run& run, const Task& task, const Moment& moment) {
  Earliest soft;
  Earliest hard;
  if (const auto& timeout = run.program->action(task.row).timeout; timeout && timeout->soft.us > 0) {
    soft.add(task.row.attempt_started + timeout->soft);
    hard.add(task.row.attempt_started + timeout->hard);
  }
  // Items have none of their own: that of their step counts for all of them.
  for (const auto& at :
       {deadline_of(run, task.row.index >= 0 ? run.tasks[task.row.step] : task), deadline_of(run)}) {
    if (!at) continue;
    soft.add(*at);
    hard.add(*at + state.settings.cancel_grace);
  }
  if (!soft.at()) return {};
  // One that is due already still has its moment: 0 would say that there is no end.
  const auto left = [&](ShardTime at) { return std::max(at - moment.now, Duration{1}); };
  return {left(*soft.at()), left(*hard.at())};
}

void on_clock(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (model::is_terminal(task.row.status)) return;
  if (is_late_set(task.row) && task.row.late_at <= moment.now) {
    effects.touch(run, task.row.key.ordinal);
    task.row.late_at = model::kReported;
    effects.record(run, {.kind = model::FactKind::task_sla_missed,
                         .at = moment.wall,
                         .task = task.row.key.ordinal,
                         .step = task.row.step,
                         .index = task.row.index,
                         .number = run.program->step(task.row.step).failure->sla->us});
  }
  if (is_due(deadline_of(run, task), moment)) {
    deadline_over(state, run, task, moment, effects);
  } else if (is_due(start_limit(run, task), moment)) {
    start_limit_over(state, run, task, moment, effects);
  } else if (is_due(heartbeat_limit(run, task), moment)) {
    stop_attempt(state, run, task, model::Stopping::soft, StopReason::heartbeat, moment, effects);
  }
  arm_clock(state, run, task);
}

void on_run_clock(State& state, Run& run, const Moment& moment, Effects& effects) {
  if (model::is_terminal(run.row.status)) return;
  if (is_set(run.row.late_at) && run.row.late_at <= moment.now) {
    effects.touch(run);
    run.row.late_at = seeded_bug(Bug::sla_missed_twice) ? moment.now + Duration::seconds(1) : ShardTime{};
    effects.record(run, {.kind = model::FactKind::run_sla_missed,
                         .at = moment.wall,
                         .number = run.program->workflow().sla->us});
  }
  if (is_due(deadline_of(run), moment)) time_out_run(state, run, moment, effects);
  arm_run_clock(state, run);
}

}  // namespace baton::engine
