#include "engine/breakers.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "engine/attempts.hpp"
#include "engine/breaker.hpp"
#include "engine/dispatch.hpp"
#include "engine/endings.hpp"
#include "engine/gates.hpp"

namespace baton::engine {
namespace {

using model::Blocker;
using model::BreakerForce;
using model::BreakerRow;
using model::BreakerState;

constexpr Duration kReleaseEvery = Duration::seconds(1);
constexpr std::size_t kReleaseParts = 10;
constexpr std::size_t kReasonLimit = 256;  // bytes kept of the last failure

void disarm(State& state, Breaker& breaker) {
  if (!breaker.timer) return;
  state.timers.erase({*breaker.timer, TimerKind::breaker, {}, breaker.row.settings.name});
  breaker.timer.reset();
}

void arm(State& state, Breaker& breaker, ShardTime at) {
  disarm(state, breaker);
  breaker.timer = at;
  state.timers.insert({at, TimerKind::breaker, {}, breaker.row.settings.name});
}

std::size_t standing(const State& state, const Blocker& blocker) {
  const auto found = state.blocked.find(blocker);
  return found == state.blocked.end() ? 0 : found->second.tasks.size();
}

std::string settings_name(const Run& run, const Task& task) {
  const model::BreakerSettings* settings = breaker_settings(run, task);
  return settings != nullptr ? settings->name : std::string();
}

std::string why_open(const BreakerRow& row) {
  const std::string name = "breaker " + row.settings.name;
  if (row.force == BreakerForce::open) {
    return name + " was opened by " + row.forced_by + (row.reason.empty() ? "" : ": " + row.reason);
  }
  return name + (row.state == BreakerState::half_open ? " is half-open" : " is open") +
         (row.last_failure.empty() ? "" : "; the last failure was " + row.last_failure);
}

// The failure of a task that its breaker holds and that does not wait for it; nullopt: it waits, or is not
// held.
std::optional<model::Failure> rejection(const State& state, const Run& run, const Task& task) {
  if (!is_held_by_breaker(state, run, task)) return std::nullopt;
  model::Failure failure{
      .type = model::error_type::kBreakerOpen,
      .message = why_open(state.breakers.find(breaker_settings(run, task)->name)->second.row),
      .never_retry = true};
  const model::ErrorRule* rule = run.program->rule_for(task.row.step, failure);
  const bool waits = rule != nullptr ? rule->action == model::ErrorAction::retry
                                     : run.program->step(task.row.step).fallback == nullptr;
  return waits ? std::nullopt : std::optional(std::move(failure));
}

// Lets as many past as there are free probes.
void let_probes_past(State& state, Breaker& breaker, const Moment& moment) {
  const std::uint32_t probes = std::max(breaker.row.settings.probes, 1U);
  if (breaker.probing >= probes) return;
  const Blocker blocker = Blocker::breaker_open(breaker.row.settings.name);
  release(state, blocker, probes - breaker.probing);
  // One that was let past may be cancelled before it starts: then the next one is the probe.
  if (standing(state, blocker) > 0) arm(state, breaker, moment.now + kReleaseEvery);
}

// Of a breaker that lets attempts through. The last part ends the release.
void let_a_part_past(State& state, Breaker& breaker, const Moment& moment) {
  const Blocker blocker = Blocker::breaker_open(breaker.row.settings.name);
  release(state, blocker, std::max<std::size_t>(breaker.row.release_part, 1));
  if (standing(state, blocker) > 0) {
    arm(state, breaker, moment.now + kReleaseEvery);
  } else {
    breaker.row.release_part = 0;
  }
}

// What its new state means for those that wait.
void follow(State& state, Breaker& breaker, const Moment& moment) {
  disarm(state, breaker);
  breaker.row.release_part = 0;
  if (breaker.row.force == BreakerForce::open) return;
  if (breaker.row.force == BreakerForce::closed || breaker.row.state == BreakerState::closed) {
    const std::size_t waiting = standing(state, Blocker::breaker_open(breaker.row.settings.name));
    breaker.row.closed_at = moment.now;
    breaker.row.release_part = static_cast<std::uint32_t>((waiting + kReleaseParts - 1) / kReleaseParts);
    let_a_part_past(state, breaker, moment);
  } else if (breaker.row.state == BreakerState::half_open) {
    let_probes_past(state, breaker, moment);
  } else {
    arm(state, breaker, breaker.row.open_until());
  }
}

}  // namespace

const model::BreakerSettings* breaker_settings(const Run& run, const Task& task) {
  if (is_helper(task)) return nullptr;  // what gives things back is never held up
  if (task.row.phase != model::Phase::primary && task.row.phase != model::Phase::preflight) return nullptr;
  return run.program->step(task.row.step).breaker.get();
}

bool is_held_by_breaker(const State& state, const Run& run, const Task& task) {
  if (state.breakers.empty()) return false;
  const model::BreakerSettings* settings = breaker_settings(run, task);
  if (settings == nullptr) return false;
  const auto found = state.breakers.find(settings->name);
  return found != state.breakers.end() && !admits(found->second.row, found->second.probing);
}

void reject_if_due(State& state, const Run& run, const Task& task) {
  if (rejection(state, run, task)) state.work.push_back({WorkKind::reject, task.row.key, 0});
}

void reject(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (task.row.status != model::TaskStatus::queued) return;
  if (const auto failure = rejection(state, run, task)) {
    fail_attempt(state, run, task, *failure, moment, effects);
  } else if (task.line != nullptr && task.line->blocker == Blocker::breaker_open(settings_name(run, task))) {
    // It lets attempts through again; nobody else comes back to this one.
    stand_again(state, run, task);
    want_dispatch(state);
  }
}

void note_start(State& state, const Run& run, Task& task) {
  const model::BreakerSettings* settings = breaker_settings(run, task);
  if (settings == nullptr) return;
  const auto found = state.breakers.find(settings->name);
  if (found == state.breakers.end() || found->second.row.state != BreakerState::half_open) return;
  task.probe = true;
  ++found->second.probing;
}

void note_end(State& state, const Run& run, Task& task, model::AttemptEnd end, const model::Failure& failure,
              const Moment& moment, Effects& effects) {
  const model::BreakerSettings* settings = breaker_settings(run, task);
  if (settings == nullptr) return;
  const bool completed = end == model::AttemptEnd::completed;
  const bool failed = end == model::AttemptEnd::failed;
  const Sign sign = completed ? Sign::success
                    : failed  ? sign_of(*settings, failure.type, failure.status.value_or(0))
                              : Sign::neutral;
  const auto found = state.breakers.find(settings->name);
  // One that never saw a failure has no row.
  if (found == state.breakers.end() && (sign != Sign::failure && settings->rate_percent == 0)) return;
  Breaker& breaker = found != state.breakers.end() ? found->second : state.breakers[settings->name];
  const bool was_probe = task.probe;
  task.probe = false;
  if (was_probe) --breaker.probing;
  breaker.row.settings = *settings;
  const std::uint32_t failures = breaker.row.failure_count;
  if (sign == Sign::failure) {
    breaker.row.last_failure = utf8_prefix(failure.type + ": " + failure.message, kReasonLimit);
  }
  const bool changed = note(breaker.row, sign, moment.now, moment.wall);
  if (changed) {
    follow(state, breaker, moment);
  } else if (was_probe && breaker.row.state == BreakerState::half_open) {
    let_probes_past(state, breaker, moment);
  }
  // Successes of a closed breaker are not worth a row each.
  if (changed || sign == Sign::failure || failures != breaker.row.failure_count) {
    effects.put(model::to_record(breaker.row));
  }
}

void force(State& state, const std::string& name, BreakerForce force, std::string by, std::string why,
           const Moment& moment, Effects& effects) {
  Breaker& breaker = state.breakers[name];
  BreakerRow& row = breaker.row;
  row.settings.name = name;
  row.force = force;
  row.forced_by = std::move(by);
  row.reason = std::move(why);
  row.changed_at = moment.wall;
  if (force == BreakerForce::none) {
    row.state = BreakerState::closed;
    row.forced_by.clear();
    row.reason.clear();
    row.failure_count = 0;
    row.success_count = 0;
    row.slices = {};
  }
  follow(state, breaker, moment);
  effects.put(model::to_record(row));
}

void breaker_due(State& state, const std::string& name, const Moment& moment, Effects& effects) {
  const auto found = state.breakers.find(name);
  if (found == state.breakers.end()) return;
  Breaker& breaker = found->second;
  breaker.timer.reset();
  if (breaker.row.force == BreakerForce::open) return;
  bool changed = half_open(breaker.row, moment.now, moment.wall);
  if (breaker.row.force != BreakerForce::closed && breaker.row.state == BreakerState::half_open) {
    let_probes_past(state, breaker, moment);
  } else if (admits(breaker.row, breaker.probing)) {
    const bool releasing = breaker.row.release_part > 0;
    let_a_part_past(state, breaker, moment);
    changed |= releasing && breaker.row.release_part == 0;
  }
  if (changed) effects.put(model::to_record(breaker.row));
}

void load_breakers(State& state, const Moment& moment) {
  for (const auto& [key, known] : state.records) {
    if (key.kind != model::RecordKind::breaker || !known.record) continue;
    auto row = model::breaker_of(*known.record);
    if (!row) continue;
    Breaker& breaker = state.breakers[key.key];
    breaker.row = std::move(*row);
    if (breaker.row.force == BreakerForce::open) continue;
    if (breaker.row.release_part > 0) {
      arm(state, breaker, moment.now + kReleaseEvery);
    } else if (breaker.row.state == BreakerState::open) {
      arm(state, breaker, breaker.row.open_until());
    }
  }
}

void recall_probe(State& state, const Run& run, Task& task) {
  const model::BreakerSettings* settings = breaker_settings(run, task);
  if (settings == nullptr) return;
  const auto found = state.breakers.find(settings->name);
  if (found == state.breakers.end()) return;
  const BreakerRow& row = found->second.row;
  // Whatever started since it became half-open did so as a probe.
  if (row.state != BreakerState::half_open || task.row.attempt_started < row.open_until()) return;
  task.probe = true;
  ++found->second.probing;
}

bool waits_for_release(const State& state, const Run& run, const Task& task) {
  const model::BreakerSettings* settings = breaker_settings(run, task);
  if (settings == nullptr) return false;
  const auto found = state.breakers.find(settings->name);
  if (found == state.breakers.end() || found->second.row.release_part == 0) return false;
  return task.row.queued_at + run.row.paused_for <= found->second.row.closed_at;
}

}  // namespace baton::engine
