// Workers' leases and claims.
#pragma once

#include <string>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// The worker lives: until now + lease it is not given up. An in-process one has no lease: it lives as long as
// its owner.
Worker& renew_lease(State& state, const std::string& worker, bool in_process, const Moment& moment);

// Answers the worker's waiting claim, if it has one, with nothing.
void end_claim(State& state, const std::string& worker, Effects& effects);

}  // namespace baton::engine
