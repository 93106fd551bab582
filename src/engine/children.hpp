// Steps of kind `workflow`: each attempt of their tasks is a run of another workflow, a child of theirs
// (SEMANTICS 43). A task that has begun one is `running` and nobody holds it, as a wait is; what becomes of
// the child is decided together with the child's own end, in one commit, so that nothing can come in between.
// A child is begun in the commit in which its task starts: it belongs to (task, attempt).
//
// The result of a run that was waited for is that of its last step, the one of the main phase that no other
// needs; of several, an object of their results by their names.
#pragma once

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/needs.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// Whether the task's next attempt is due and nothing but advance() takes it up.
bool is_child_due(const Run& run, const model::TaskRow& row);

// A task that is ready, or is tried again: begins the child. What add_child_needs() names must be in memory.
void begin_child(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);
void add_child_needs(const State& state, const Run& run, const Task& task, Needs& needs);

// The task has ended without its child, which is cancelled if it goes on.
void leave_child(State& state, const Run& run, const Task& task, const Moment& moment, Effects& effects);

// Of a run that is about to end: what its result is made of. Nothing if nobody waits for it.
void add_result_needs(const State& state, const Run& child, Needs& needs);
// The run has ended: so does the task that waits for it.
void end_parent(State& state, const Run& child, const Moment& moment, Effects& effects);

}  // namespace baton::engine
