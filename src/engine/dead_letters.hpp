// Tasks that failed for good leave a dead letter, in the same commit (SEMANTICS 21).
#pragma once

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// Whether the task has failed for good and left a dead letter, which is taken away when the task is done
// again.
bool is_dead(const Run& run, const Task& task);
model::RecordKey letter_of(const Run& run, const Task& task);

// Of a task that has just failed. A mapped step leaves none, its items do; neither does a step whose failure
// the run goes on from (`continue_on_error`, `do: ignore`).
void bury(const Run& run, const Task& task, Effects& effects);

}  // namespace baton::engine
