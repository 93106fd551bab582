// `repeat`: what follows when an attempt of a repeated step has succeeded (SEMANTICS 14).
#pragma once

#include <string>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// What serves a repeated step is done once.
inline bool is_repeated(const Run& run, const model::TaskRow& row) {
  return row.role == model::TaskRole::main && run.program->step(row.step).repeat != nullptr;
}

// The condition holds: the task is completed. It does not: the next round, or failure after the last one.
// `result`: JSON.
void end_round(State& state, Run& run, Task& task, std::string result, const Moment& moment,
               Effects& effects);

}  // namespace baton::engine
