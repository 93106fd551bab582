#include "engine/places.hpp"

#include "base/seeded_bug.hpp"
#include "engine/dispatch.hpp"
#include "engine/endings.hpp"
#include "engine/flow.hpp"
#include "engine/gates.hpp"
#include "engine/items.hpp"
#include "engine/queues.hpp"
#include "engine/stopping.hpp"

namespace baton::engine {
namespace {

void park(Run& run, Task& task) {
  task.parked = true;
  if (is_item(task)) ++run.tasks[task.row.step].items_waiting;
}

// A task that is ready, into its queue, unless that is full.
void join_queue(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  const auto full = full_queue(state, run, task);
  if (!full) return enter_queue(state, run, task, moment, effects);
  park(run, task);
  // A new owner finds its place in its row.
  const bool draws = task.row.order == 0;
  stand_outside(state, run, task, *full);
  if (draws) effects.touch(run, task.row.key.ordinal);
}

// Gives free places to those that had one before, then to those that are parked. True: there are more.
bool fill_places(State& state, Run& run, const Moment& moment, Effects& effects) {
  constexpr int kParkedAtOnce = 100;
  const model::Blocker full = model::Blocker::run_full(run.row.key);
  for (int parked = 0; run.active < run.program->workflow().max_parallel;) {
    if (const auto waiting = state.blocked.find(full); waiting != state.blocked.end()) {
      Task& next = run.tasks[waiting->second.tasks.begin()->second.ordinal];
      take_place(run, next);
      stand_again(state, run, next);
      want_dispatch(state);
      continue;
    }
    if (run.parked.empty()) return false;
    // Those whose queue is full take no place: there may be many of them.
    if (++parked > kParkedAtOnce) return true;
    Task& next = run.tasks[run.parked.front()];
    run.parked.pop_front();
    // It has ended where it stood, or is about to, or stands before its queue since.
    if (!next.parked || next.line != nullptr || is_closing(run, next)) continue;
    unpark(run, next);
    join_queue(state, run, next, moment, effects);
  }
  return false;
}

}  // namespace

void take_place(Run& run, Task& task) {
  if (task.slot || is_helper(task)) return;  // what gives things back waits for no place
  task.slot = true;
  ++run.active;
}

void leave_place(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (!task.slot) return;
  task.slot = false;
  --run.active;
  fill(state, run, moment, effects);
}

void fill(State& state, Run& run, const Moment& moment, Effects& effects) {
  if (fill_places(state, run, moment, effects)) {
    state.work.push_back({WorkKind::fill, {run.row.key, kWholeRun}, 0});
  }
}

void activate(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  // What gives things back never waits for the tasks that wait for it.
  if (is_helper(task)) return enqueue(state, run, task, moment, effects);
  if (is_item(task)) ++run.tasks[task.row.step].items_active;
  join_queue(state, run, task, moment, effects);
}

void enter_queue(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (task.parked) unpark(run, task);
  leave_line(state, task);
  const std::uint32_t limit = run.program->workflow().max_parallel;
  if (limit > 0 && run.active >= limit + (seeded_bug(Bug::one_more_than_max_parallel) ? 1 : 0)) {
    park(run, task);
    run.parked.push_back(task.row.key.ordinal);
    return;
  }
  take_place(run, task);
  enqueue(state, run, task, moment, effects);
}

void unpark(Run& run, Task& task) {
  task.parked = false;
  if (is_item(task)) --run.tasks[task.row.step].items_waiting;
}

void start_again(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (is_helper(task) || !run.program->step(task.row.step).child) {
    return enqueue(state, run, task, moment, effects);
  }
  effects.touch(run, task.row.key.ordinal);
  task.row.held = false;
  task.row.due = {};
  push_ready(state, run, task.row.key.ordinal);
}

}  // namespace baton::engine
