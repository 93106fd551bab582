// The shard's timers: at most one per task, one lease per worker, one end of wait per claim.
#pragma once

#include <optional>

#include "engine/state.hpp"

namespace baton::engine {

void set_timer(State& state, Task& task, ShardTime at);  // replaces the task's earlier one
void clear_timer(State& state, Task& task);
// When the next timer is due; nullopt: none is set.
std::optional<ShardTime> next_due(const State& state);

}  // namespace baton::engine
