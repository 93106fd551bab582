// Metrics of what is: runs, tasks, queues, workers, breakers and limits as the engine has them now.
#pragma once

#include "engine/state.hpp"
#include "telemetry/meter.hpp"

namespace baton::runtime {

// On the loop's thread. Looks at every task in memory: a few milliseconds for 100,000 of them.
void read_state(const engine::State& state, WallTime now, telemetry::Reading& reading);

}  // namespace baton::runtime
