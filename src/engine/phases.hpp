// The run as a whole: its start, the ends of its phases, its outcome, its progress.
#pragma once

#include <cstdint>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// A task of the run starts, is computed or expanded: the first one notes when, and takes the run from pending
// to running.
void start_run(State& state, Run& run, const Moment& moment, Effects& effects);

// The main phase or the `finally` phase is over when nothing of it is open and the run is not paused.
void end_phase_if_over(State& state, Run& run, const Moment& moment, Effects& effects);

// Nothing of the run is left to do: it gets its outcome.
void end_run(State& state, Run& run, const Moment& moment, Effects& effects);

// The first failure of a task that counts is the run's error.
void note_failure(Run& run, const Task& task, const model::Step& step);

// The run's deadline is over: cancels what is open of the main phase; the run will have failed (SEMANTICS
// 25).
void time_out_run(State& state, Run& run, const Moment& moment, Effects& effects);

// What the task's present attempt has done by its own account, in the weight of steps.
std::uint64_t partial_weight(const Run& run, const Task& task);

// Percent of the work that is done, by the steps' estimates and what running attempts have reported.
void update_progress(Run& run);

}  // namespace baton::engine
