// How a run goes on: what happens when a task becomes ready, and when it ends.
#pragma once

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/outcome.hpp"

namespace baton::engine {

// Whether the task has failed and that counts: neither `continue_on_error` nor a rule says that it does not.
bool has_failed(const model::TaskRow& row, const model::Step& step);

// Whether a step's end keeps its successors from starting (SEMANTICS 9, 13).
bool is_bad(const model::TaskRow& row, const model::Step& step);

// Makes the steps without predecessors of a new run ready.
void begin(State& state, Run& run);

// The step or item may be ready: advance() comes to it.
void push_ready(State& state, const Run& run, Ordinal ordinal);

// A step or item whose predecessors have ended: skips it, computes it, expands it, or queues it. A task that
// serves another one: queues it.
void advance(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// Whether the task's fallback has begun and its values are still to be rendered (advance() does it).
bool is_fallback_due(const model::TaskRow& row);

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

// Adds to the predecessors of a step as they stand now; the step's Upstream was all zero.
void count_upstream(Run& run, Ordinal step);

}  // namespace baton::engine
