// Invariants of the engine's memory, for tests. Written apart from the engine: what it derives bit by bit is
// derived here from the rows at once.
#pragma once

#include <functional>

#include "engine/state.hpp"

namespace baton::engine::testing {

// Latest image of a task that is stored or on its way to the store; nullptr: there is none.
using SealedTask = std::function<const model::TaskRow*(TaskKey)>;
using SealedRun = std::function<const model::RunRow*(RunKey)>;

// Between two batches, over all runs in memory:
// - every change of a row was put into a batch;
// - what is derived equals what a restart would derive;
// - limits hold;
// - nothing is stuck: each task that is not terminal waits for something that will come.
void check_state(const State& state, const SealedRun& run_row, const SealedTask& task_row);

}  // namespace baton::engine::testing
