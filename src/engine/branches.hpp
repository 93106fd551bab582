// Steps that stand in branches of a switch that were not taken (SEMANTICS 14).
#pragma once

#include "engine/state.hpp"

namespace baton::engine {

// Whether the step is to be skipped because it can only be reached through branches that were not taken: a
// step that switches go to, when all of them have ended and none of them has chosen it; any other step, when
// everything that it needs was skipped for this reason. A switch that was skipped, or failed in vain
// (continue_on_error), has chosen nothing.
bool is_off_branch(const Run& run, Ordinal step);

}  // namespace baton::engine
