// Places of a run under its max_parallel, and the way of a task into its queue: past a full queue, past a
// full run. A task that may not enter yet is parked.
#pragma once

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// Places under the run's max_parallel. A task takes one when it is queued and keeps it to its end; one that
// something holds back in the queue leaves it to others, and takes one again when it starts.
void take_place(Run& run, Task& task);
void leave_place(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// Gives the run's free places to those that wait for one, the rest of them bit by bit.
void fill(State& state, Run& run, const Moment& moment, Effects& effects);

// Queues a task that is ready, or parks it while its queue is full or the run has as many active ones as it
// may have. Tasks that serve others are not counted.
void activate(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// The same of one whose queue has room for it; it may be parked before that.
void enter_queue(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// A task that stood before a full queue, or had no place, stands there no longer.
void unpark(Run& run, Task& task);

// The next attempt of a task that is tried again: puts it into its queue, or begins its next child.
void start_again(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

}  // namespace baton::engine
