// How a run goes on: what happens when a task becomes ready, when it ends, and when the run's phases end.
#pragma once

#include <string>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/outcome.hpp"

namespace baton::engine {

// Whether the task has failed and that counts: neither `continue_on_error` nor a rule says that it does not.
bool has_failed(const model::TaskRow& row, const model::Step& step);
// Whether a step's end keeps its successors from starting (SEMANTICS 9, 13).
bool is_bad(const model::TaskRow& row, const model::Step& step);
// Whether nothing of this task is to start any more: its run is being cancelled or fails fast, or its mapped
// step has failed. What is open of it is swept.
bool is_closing(const Run& run, const Task& task);

// A task of the run starts, is computed or expanded: the first one notes when, and takes the run from pending
// to running.
void start_run(State& state, Run& run, const Moment& moment, Effects& effects);

// Places under the run's max_parallel. A task takes one when it is queued and keeps it to its end; one that
// something holds back in the queue leaves it to others, and takes one again when it starts.
void take_place(Run& run, Task& task);
void leave_place(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// The main phase or the `finally` phase is over when nothing of it is open and the run is not paused.
void end_phase_if_over(State& state, Run& run, const Moment& moment, Effects& effects);
// The first failure of a task that counts is the run's error.
void note_failure(Run& run, const Task& task, const model::Step& step);
// A mapped step whose items have all ended ends as they did.
void end_group(State& state, Run& run, Task& group, const Moment& moment, Effects& effects);
// What the task's present attempt has done by its own account, in the weight of steps.
std::uint64_t partial_weight(const Run& run, const Task& task);
// Percent of the work that is done, by the steps' estimates and what running attempts have reported.
void update_progress(Run& run);

// Makes the steps without predecessors of a new run ready.
void begin(State& state, Run& run);

// Nothing of the run is left to do: it gets its outcome.
void end_run(State& state, Run& run, const Moment& moment, Effects& effects);

// Queues a task that is ready, or parks it while its queue is full or the run has as many active ones as it
// may have. Tasks that serve others are not counted.
void activate(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);
// The same of one whose queue has room for it; it may be parked before that.
void enter_queue(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);
// Gives the run's free places to those that wait for one, the rest of them bit by bit.
void fill(State& state, Run& run, const Moment& moment, Effects& effects);

// The next attempt of a task that is tried again: puts it into its queue, or begins its next child.
void start_again(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// A step or item whose predecessors have ended: skips it, computes it, expands it, or queues it. A task that
// serves another one: queues it.
void advance(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// Whether the task's fallback has begun and its values are still to be rendered (advance() does it).
bool is_fallback_due(const model::TaskRow& row);

// Makes further items of a mapped step ready, as far as its window allows; bounded by `row_limit`.
void expand_items(State& state, Run& run, Task& group, const Moment& moment, Effects& effects,
                  std::size_t row_limit);
// Sees to it that expand_items() comes, if the step has items left.
void refill(State& state, Run& run, Task& group);

// Ends a task that no worker holds (any more). Tells its successors, its mapped step and its run.
void complete_task(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);
void fail_task(State& state, Run& run, Task& task, const model::Failure& failure, const Moment& moment,
               Effects& effects);
// The failure as the task's error, as it is shown.
void set_error(model::TaskRow& row, const model::Failure& failure);
// Tells whom it concerns (fact alert.raised); nobody if the severity is `none`.
void raise_alert(Run& run, const Task& task, model::Severity severity, const model::Failure& failure,
                 const Moment& moment, Effects& effects);
void skip_task(State& state, Run& run, Task& task, model::SkipReason reason, const Moment& moment,
               Effects& effects);
void cancel_task(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// The run's deadline is over: cancels what is open of the main phase; the run will have failed (SEMANTICS
// 25).
void time_out_run(State& state, Run& run, const Moment& moment, Effects& effects);

// Adds to the predecessors of a step as they stand now; the step's Upstream was all zero.
void count_upstream(Run& run, Ordinal step);

// Asks the worker to stop the attempt; soft is followed by hard when its time is over.
void stop_attempt(State& state, Run& run, Task& task, model::Stopping mode, model::StopReason reason,
                  const Moment& moment, Effects& effects);

// Goes on with cancelling what is open of a run or mapped step; true if there is more to do.
bool sweep(State& state, Work& work, const Moment& moment, Effects& effects, std::size_t row_limit);

}  // namespace baton::engine
