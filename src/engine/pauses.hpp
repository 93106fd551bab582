// Pauses of runs, steps, queues, workers and targets (SEMANTICS 34), and drains of workers: the records, the
// gates that they close (gates.hpp) and their timers.
#pragma once

#include "base/error.hpp"
#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/command.hpp"

namespace baton::engine {

// State::pauses and the timer, from the records: once, when a shard starts. A record that cannot be read
// holds nothing back.
void load_pauses(State& state, const Moment& moment);

// Fails with conflict or not_found, and says what is possible instead.
Status pause(State& state, const model::PauseCommand& command, const Moment& moment, Effects& effects);
// Of a worker: also that it is to end counts no more.
Status resume(State& state, const model::PauseTarget& target, const Moment& moment, Effects& effects);

// The worker has gone, or has begun anew: that it was to end is carried through.
void end_drain(State& state, const std::string& worker, const Moment& moment, Effects& effects);
// Ends the pauses whose time has come. A drain stands as long as its worker is there.
void resume_due(State& state, const Moment& moment, Effects& effects);
// The runs that tasks of a run wait for are paused as long as it is (SEMANTICS 34: within its reach); one
// that a person has paused stays so. A piece of it; true: there is more.
bool hold_children(State& state, Work& work, const Moment& moment, Effects& effects, std::size_t row_limit);
// A child that goes on after its recovery is paused if the run that waits for it is.
void hold_with_parent(State& state, Run& child, const Moment& moment, Effects& effects);
// The run was paused, and has another status now: its time goes on, and so do the runs that it waits for.
void end_hold(State& state, Run& run, const Moment& moment);
// The run ends, or is cancelled (then it may go on): what was paused of it is not any more.
void drop_pauses(State& state, Run& run, bool steps_too, Effects& effects);

}  // namespace baton::engine
