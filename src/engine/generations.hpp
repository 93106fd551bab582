// Tasks leave a terminal state here and nowhere else: a recovery begins their next generation (SEMANTICS 35,
// 36, 47).
//
// Which tasks it resets follows from RunRow::recovery and the rows alone, also when a part of them is reset
// already: what is reset is `pending`. So it is done in pieces of bounded size, and a new owner goes on with
// it. A run that had ended is `recovering` meanwhile; a task of a run that goes on is reset while the others
// run.
#pragma once

#include <string>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// Begins a recovery of the run, which has ended or (scope `task` only) still runs. Pieces follow as work;
// `delay` later if that is not zero. `value` is what the root is to be completed with, if that is the plan,
// else what it gets as its input when it is done again ("" = what it got before).
void begin_recovery(State& state, Run& run, model::Recovery plan, Duration delay, std::string value,
                    const Moment& moment, Effects& effects);

// A piece of it: resets tasks, and lets the run go on when there is none left. True: there is more to do.
bool go_on_recovering(State& state, Run& run, Work& work, const Moment& moment, Effects& effects,
                      std::size_t row_limit);

// A new owner takes a recovery up where the rows say it stands.
void resume_recovery(State& state, Run& run, const Moment& moment);

// Whether a task ended in a way that a recovery does again by itself.
bool is_to_be_redone(const model::TaskRow& row);

}  // namespace baton::engine
