// Signals that a run keeps until a wait takes them: records, in the order in which the run got them.
#pragma once

#include <optional>
#include <string>

#include "engine/effects.hpp"
#include "engine/state.hpp"
#include "model/signal.hpp"

namespace baton::engine {

// The oldest signal of this name that nobody has taken, and takes it.
std::optional<model::Signal> take_signal(State& state, const Run& run, const std::string& name,
                                         Effects& effects);

// Whether the run may keep another signal with so many bytes of data, beside those that nobody has taken.
bool has_room_for_signal(const State& state, const Run& run, std::size_t bytes);

// The run ends: what nobody has taken goes with it. At most kMaxSignalsKept changes.
void forget_signals(State& state, const Run& run, Effects& effects);

}  // namespace baton::engine
