// The engine's front: one command, one decision. Pure: the same state, command and moment give the same
// changes.
#pragma once

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/needs.hpp"
#include "engine/state.hpp"
#include "model/command.hpp"

namespace baton::engine {

// Row changes that one decision makes at most (and a few more: it ends at the next whole step).
inline constexpr std::size_t kRowsPerDecision = 1000;

// needs_of(state, command) must be empty, or hold only what the store does not have.
void decide(State& state, const model::Command& command, const Moment& moment, Effects& effects);

// Whether Continue has something to do.
inline bool has_work(const State& state) {
  return !state.work.empty();
}

}  // namespace baton::engine
