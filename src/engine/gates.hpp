// The gates between a ready task and its start, and the lines in which tasks stand before them.
//
// A task that is ready stands in the line of its queue. The dispatcher asks blocker_of() when the task comes
// to the front, and moves a blocked one into the line of what blocks it (State::blocked): nobody comes past
// it again until that changes. Whoever changes what a blocker depends on calls release(), which puts its
// tasks back to where they stood before; those that something else blocks are moved on when they come to the
// front again.
//
// Tasks that the engine carries out itself (`set`) ask the same predicate before they are computed and stand
// in the same lines, as pending ones.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/effects.hpp"
#include "engine/state.hpp"
#include "model/blocker.hpp"

namespace baton::engine {

// The one predicate: why this task may not start now, though it is ready. nullopt: nothing but a free worker
// is missing. A paused queue or worker is not asked for each of their tasks: is_paused() answers for all of
// them.
std::optional<model::Blocker> blocker_of(const State& state, const Run& run, const Task& task);

// Whether somebody paused this.
bool is_paused(const State& state, const model::Blocker& what);
// Whether nothing is handed out to the worker: it is paused, or is to end.
bool is_held_back(const State& state, const std::string& worker);

// Where the task stands in its line, or would.
Place place_of(const State& state, const Task& task);

// The queue that the task's next attempt goes to.
const std::string& queue_of(const Run& run, const Task& task);
// The function that its next attempt is; "" = the step is none.
std::string_view function_of(const Run& run, const Task& task);
// Its line there, and what that is called: "gpu", or "gpu/images.label" of a function.
Line& line_of(State& state, const Run& run, const Task& task);
std::string line_name(std::string_view queue, std::string_view function);
std::string line_name(const Run& run, const Task& task);

// Into the line of its queue, with a new place behind all of its priority and turn; the row changes.
void stand_last(State& state, const Run& run, Task& task);
// Into the line of its queue, at its old place.
void stand_again(State& state, const Run& run, Task& task);
// Gives the task a place in its queue, the last one of its priority and turn, in its row.
void draw_place(State& state, const Run& run, Task& task);
// After a load: the place that the task's row names is taken.
void recall_place(State& state, const Run& run, const Task& task);
// Into the line of what blocks it, at its old place.
void block(State& state, Task& task, const model::Blocker& blocker);
// Into the line before its queue, which has no room, with the place that it will have there. The row changes.
void stand_outside(State& state, const Run& run, Task& task, const model::Blocker& full);
// Out of whatever line it stands in; nothing if it stands in none.
void leave_line(State& state, Task& task);
// A queued task's priority changes: it stands behind those that have it already.
void change_priority(State& state, const Run& run, Task& task, std::uint8_t priority);

// Brings what waits of the run to the priority that it has now. True: there is more to do.
bool rank_tasks(State& state, Work& work, Effects& effects, std::size_t row_limit);

// Lets up to `at_most` tasks past the blocker, the first ones first: queued ones go back to their queues,
// pending ones are looked at again. How many there were. Limits and rates let theirs past themselves.
std::size_t release(State& state, const model::Blocker& blocker, std::size_t at_most);
// Lets all of them past, bit by bit, by Continue.
void release(State& state, const model::Blocker& blocker);
// A piece of that. True: there is more to do.
bool release_pending(State& state);

}  // namespace baton::engine
