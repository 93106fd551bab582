// The items of a mapped step (`for_each`): made, started by a window, counted.
#pragma once

#include <cstddef>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"

namespace baton::engine {

inline bool is_item(const Task& task) {
  return task.row.index >= 0;
}

// A mapped step that is ready: evaluates its list and makes a task for each item. Invalidates references to
// tasks of the run.
void expand(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// Makes further items of a mapped step ready, as far as its window allows; bounded by `row_limit`.
void expand_items(State& state, Run& run, Task& group, const Moment& moment, Effects& effects,
                  std::size_t row_limit);

// Whether a pending item that something has held back has to wait for others, which took its place since. If
// so expand_items() comes back to it.
bool passes_over(const State& state, Run& run, const Task& item);

// Sees to it that expand_items() comes, if the step has items left.
void refill(State& state, Run& run, Task& group);

// An item has ended; its row says how. `was_active`: it was queued, running or parked.
void end_item(State& state, Run& run, Task& item, bool was_active, const Moment& moment, Effects& effects);

// A mapped step whose items have all ended ends as they did.
void end_group(State& state, Run& run, Task& group, const Moment& moment, Effects& effects);

}  // namespace baton::engine
