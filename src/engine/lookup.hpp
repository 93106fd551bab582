// What commands name, found in the state; the errors say what is missing and what was perhaps meant.
#pragma once

#include <string_view>

#include "base/error.hpp"
#include "engine/state.hpp"

namespace baton::engine {

Result<Run*> find_run(State& state, const RunId& id);
// By name or, as seed 001 does, by its place in the file, counted from 0. A name wins.
Result<Ordinal> find_step(const Run& run, std::string_view name);

}  // namespace baton::engine
