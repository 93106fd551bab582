// Why something is not running. Asks the dispatcher's own predicate (gates.hpp), the rows and the timers;
// decides nothing. The work is bounded by the number of the run's tasks.
#pragma once

#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/explanation.hpp"

namespace baton::engine {

model::Explanation explain_run(const State& state, const Run& run, const Moment& moment);
model::Explanation explain_task(const State& state, const Run& run, const Task& task, const Moment& moment);

// Queues that have tasks, workers or a pause, and the workers that are known since this owner started.
model::Survey survey(const State& state);

}  // namespace baton::engine
