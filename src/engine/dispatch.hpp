// Queues and claims: which task goes to which worker.
#pragma once

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/needs.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// Puts a ready task into its queue (status queued).
void enqueue(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);
// Takes a queued task out of its line.
void leave_queue(State& state, Run& run, Task& task);
// The timer of a task whose attempt goes on undisturbed: when that has lasted too long.
void set_attempt_timer(State& state, Task& task, const model::Step& action);
// Sees to it that dispatch() comes, if a claim waits.
void want_dispatch(State& state);

// Hands queued tasks to the waiting claims and answers those that got some. Stops early at `row_limit`
// changes (then there is more to do: true) or where a payload is missing (false; needs_of names it).
bool dispatch(State& state, const Moment& moment, Effects& effects, std::size_t row_limit);

// What the next dispatch() needs.
void add_dispatch_needs(const State& state, Needs& needs);

}  // namespace baton::engine
