// The audit is written where a command is decided, in the commit of what it changes (model/audit.hpp).
#pragma once

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/command.hpp"

namespace baton::engine {

// After the decision: adds an entry if the command was accepted, changes something and came from somebody
// outside (Command::from). Submissions of runs and what attempts say of themselves stand in the run's journal
// with their actor, and in no entry: they are the work, not a change of how it is done.
void audit(State& state, const model::Command& command, const Moment& moment, Effects& effects);

}  // namespace baton::engine
