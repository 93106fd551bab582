// What is not to go on: attempts that are asked to stop, and what is open of a run or mapped step that
// ends early.
#pragma once

#include <cstddef>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// Whether nothing of this task is to start any more: its run is being cancelled or fails fast, or its mapped
// step has failed. What is open of it is swept.
bool is_closing(const Run& run, const Task& task);

// Whether a failure has ended the main phase (`fail_fast`): nothing of it is to start any more.
bool fails_fast(const Run& run);

// Asks the worker to stop the attempt; soft is followed by hard when its time is over.
void stop_attempt(State& state, Run& run, Task& task, model::Stopping mode, model::StopReason reason,
                  const Moment& moment, Effects& effects);

// Goes on with cancelling what is open of a run or mapped step; true if there is more to do.
bool sweep(State& state, Work& work, const Moment& moment, Effects& effects, std::size_t row_limit);

}  // namespace baton::engine
