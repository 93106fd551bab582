// How a run goes on: what happens when a task becomes ready, when it ends, and when the run's phases end.
#pragma once

#include <string>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/outcome.hpp"

namespace baton::engine {

// Whether a step's end keeps its successors from starting (SEMANTICS 9, 13).
bool is_bad(const model::TaskRow& row, const model::Step& step);
// Whether nothing of this task is to start any more: its run is being cancelled or fails fast, or its mapped
// step has failed. What is open of it is swept.
bool is_closing(const Run& run, const Task& task);

// A task of the run starts, is computed or expanded: the first one notes when, and takes the run from pending to
// running.
void start_run(Run& run, const Moment& moment, Effects& effects);

// Makes the steps without predecessors of a new run ready.
void begin(State& state, Run& run);

// A step or item whose predecessors have ended: skips it, computes it, expands it, or queues it.
void advance(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// Makes further items of a mapped step ready, as far as its window allows; bounded by `row_limit`.
void expand_items(State& state, Run& run, Task& group, const Moment& moment, Effects& effects,
                  std::size_t row_limit);
// Sees to it that expand_items() comes, if the step has items left.
void refill(State& state, Run& run, Task& group);

// Ends a task that no worker holds (any more). Tells its successors, its mapped step and its run.
void complete_task(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);
void fail_task(State& state, Run& run, Task& task, const model::Failure& failure, const Moment& moment,
               Effects& effects);
void skip_task(State& state, Run& run, Task& task, model::SkipReason reason, const Moment& moment,
               Effects& effects);
void cancel_task(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// Asks the worker to stop the attempt; soft is followed by hard when its time is over.
void stop_attempt(State& state, Run& run, Task& task, model::Stopping mode, model::StopReason reason,
                  const Moment& moment, Effects& effects);

// Goes on with cancelling what is open of a run or mapped step; true if there is more to do.
bool sweep(State& state, Work& work, const Moment& moment, Effects& effects, std::size_t row_limit);

}  // namespace baton::engine
