// How many runs go on at a time (`concurrency` of a workflow). A run takes one of the limit's places when it
// begins and has it until it has ended, pauses and endings included; without one none of its steps is made
// ready. The places are those of limits.hpp, with the run as the holder; who waits for one stands in
// State::waiting_runs, the most urgent and then the oldest first.
//
// A run that a step waits for needs no place of a limit that a run above it has already: it would wait for
// itself.
#pragma once

#include <string>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/explanation.hpp"

namespace baton::engine {

// The name of the limit that a run of the workflow with this input counts under; "" = none. Fails with
// `expression`.
Result<std::string> run_limit_of(const State& state, const model::Workflow& workflow,
                                 const std::string& input);

// Whether the run has not begun because it has no place.
bool waits_for_place(const model::RunRow& row);

// Of a new run: takes a place, or waits for one. True: it may begin.
bool enter(State& state, Run& run, std::string limit);
// The run is over: its place is free, or it does not wait for one any more.
void leave(State& state, Run& run);
// A run that is over goes on: conflict if there is no place.
Status enter_again(State& state, Run& run);
// After a load. True: it may go on.
bool recall_entry(State& state, Run& run);
// Its priority was `before`.
void reorder_entry(State& state, const Run& run, std::uint8_t before);

// A place of the limit may be free: runs begin, bit by bit.
void want_entries(State& state, const std::string& limit);
// A piece of that. True: there is more.
bool let_runs_enter(State& state, Effects& effects, std::size_t row_limit);

model::Reason run_limit_reason(const State& state, const Run& run);

}  // namespace baton::engine
