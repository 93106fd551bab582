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

void want_fill(State& state, Run& run) {
  if (run.fill_pending) return;
  run.fill_pending = true;
  state.work.push_back({WorkKind::fill, {run.row.key, kWholeRun}, 0});
}

void park(Run& run, Task& task) {
  task.parked = true;
  if (is_item(task)) ++run.tasks[task.row.step].items_waiting;
}

// Whether another task of the run may be under way.
bool has_place(const Run& run) {
  const std::uint32_t limit = run.program->workflow().max_parallel;
  return limit == 0 || run.active < limit + (seeded_bug(Bug::one_more_than_max_parallel) ? 1 : 0);
}

// A task that is ready stands before what is full. A new owner finds its place in its row.
void park_before(State& state, Run& run, Task& task, const model::Blocker& full, Effects& effects) {
  if (task.parked) unpark(run, task);
  park(run, task);
  const bool draws = task.row.order == 0;
  stand_outside(state, run, task, full);
  if (draws) effects.touch(run, task.row.key.ordinal);
}

// Gives free places to those that wait for one, by their priority, then in the order in which they came.
// True: there are more.
bool fill_places(State& state, Run& run, const Moment& moment, Effects& effects) {
  constexpr int kParkedAtOnce = 100;
  const model::Blocker full = model::Blocker::run_full(run.row.key);
  for (int parked = 0; has_place(run);) {
    const auto waiting = state.blocked.find(full);
    if (waiting == state.blocked.end()) return false;
    Task& next = run.tasks[waiting->second.tasks.begin()->second.ordinal];
    if (!next.parked) {  // it had one before
      take_place(run, next);
      stand_again(state, run, next);
      want_dispatch(state);
      continue;
    }
    // Those whose queue is full take no place: there may be many of them.
    if (++parked > kParkedAtOnce) return true;
    if (is_closing(run, next)) {  // it is about to end
      leave_line(state, next);
    } else if (const auto before = full_queue(state, run, next)) {
      park_before(state, run, next, *before, effects);
    } else {
      enter_queue(state, run, next, moment, effects);
    }
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
  run.fill_pending = false;
  if (fill_places(state, run, moment, effects)) want_fill(state, run);
}

void activate(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  // What gives things back never waits for the tasks that wait for it.
  if (is_helper(task)) return enqueue(state, run, task, moment, effects);
  if (is_item(task)) ++run.tasks[task.row.step].items_active;
  if (const auto full = full_queue(state, run, task)) return park_before(state, run, task, *full, effects);
  if (run.program->workflow().max_parallel == 0) return enter_queue(state, run, task, moment, effects);
  // Others that become ready at the same time may be more urgent.
  park_before(state, run, task, model::Blocker::run_full(run.row.key), effects);
  if (has_place(run)) want_fill(state, run);
}

void enter_queue(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (!has_place(run)) {
    return park_before(state, run, task, model::Blocker::run_full(run.row.key), effects);
  }
  if (task.parked) unpark(run, task);
  leave_line(state, task);
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
