#include "engine/timers.hpp"

namespace baton::engine {

void clear_timer(State& state, Task& task) {
  if (!task.has_timer) return;
  state.timers.erase({task.timer, TimerKind::task, task.row.key, {}});
  task.has_timer = false;
}

void set_timer(State& state, Task& task, ShardTime at) {
  clear_timer(state, task);
  task.timer = at;
  task.has_timer = true;
  state.timers.insert({at, TimerKind::task, task.row.key, {}});
}

std::optional<ShardTime> next_due(const State& state) {
  if (state.timers.empty()) return std::nullopt;
  return state.timers.begin()->at;
}

}  // namespace baton::engine
