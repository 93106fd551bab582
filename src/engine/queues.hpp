// What people have set for queues, and routes (SEMANTICS 39, 40).
//
// A bound says how many tasks may wait in a queue. What is beyond it waits outside: a submission whose first
// steps would go there is refused (`overloaded`), and a task of a run that is under way stays `pending`,
// parked in the line before the queue (model::BlockerKind::queue_full), in which it has the place that it
// will have in the queue. As many are let in as leave. What has been in the queue before comes back to it
// whatever the bound: a retry, a lost attempt; and so does what serves another task.
//
// A route is asked once, when a task becomes ready; where that sent it stands in the task's row.
#pragma once

#include <optional>
#include <string>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/blocker.hpp"

namespace baton::engine {

// Why a task that is ready may not join its queue now.
std::optional<model::Blocker> full_queue(const State& state, const Run& run, const Task& task);

// Why a run of this workflow cannot be taken now: a queue of one of its first steps is full.
Status has_room_for(const State& state, const model::Workflow& workflow);

// A task has become queued, or is so no more.
void count_in(State& state, const Run& run, const Task& task);
void count_out(State& state, const Run& run, const Task& task);

// Sees to it that those before the queue come in, if it has room.
void admit_if_room(State& state, const std::string& queue);
// Lets tasks into the first of State::admitting. True: there are more.
bool admit_tasks(State& state, const Moment& moment, Effects& effects, std::size_t row_limit);

// The weight of a fair key, 1 if nobody has set one.
std::uint32_t weight_of(const State& state, const std::string& queue, const std::string& fair_key);

// Whether workers carry out its tasks, and so may those of a queue.
bool needs_worker(const model::Step& step);

// Where a step that names no queue waits: "" = no route says so.
const std::string& routed(const State& state, const model::Workflow& workflow, const model::Step& step);

Status set_queue(State& state, const model::SetQueue& command, const Moment& moment, Effects& effects);
// Fails with not_found if there is no such route to be taken away.
Status set_route(State& state, const model::SetRoute& command, const Moment& moment, Effects& effects);

// Before the runs are loaded, which draw places: what is set. Records that cannot be read count as nothing.
void load_queues(State& state);

}  // namespace baton::engine
