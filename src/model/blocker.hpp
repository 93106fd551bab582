// What keeps a task that could start from starting. The dispatcher's predicate gives it (engine/gates.hpp),
// explain shows it, pauses are kept by it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.hpp"

namespace baton::model {

enum class BlockerKind : std::uint8_t {
  run_paused,       // run
  step_paused,      // run, step
  queue_paused,     // name
  worker_paused,    // name
  target_paused,    // name
  breaker_open,     // name
  run_full,         // run: as many tasks of it are under way as its max_parallel allows
  limit_full,       // name, line: its places are taken, or promised to tasks that stand before
  limit_small,      // name: the task wants more of it than there is
  rate_reached,     // name, line
  queue_full,       // name: as many tasks wait in the queue as may; those before it are pending
  worker_draining,  // name: a person wants the worker to end
};
std::string_view name(BlockerKind kind);

struct Blocker {
  BlockerKind kind = BlockerKind::run_paused;
  RunKey run;        // of run_paused, step_paused and run_full
  Ordinal step = 0;  // of step_paused
  std::string name;  // of all others
  // Of limit_full and rate_reached: the queue, and with a slash the function, whose tasks stand here. Their
  // order says nothing about tasks of others.
  std::string line;

  friend auto operator<=>(const Blocker&, const Blocker&) = default;

  static Blocker run_paused(RunKey run) { return {BlockerKind::run_paused, run, 0, {}, {}}; }
  static Blocker step_paused(RunKey run, Ordinal step) {
    return {BlockerKind::step_paused, run, step, {}, {}};
  }
  static Blocker queue_paused(std::string name) {
    return {BlockerKind::queue_paused, {}, 0, std::move(name), {}};
  }
  static Blocker worker_paused(std::string name) {
    return {BlockerKind::worker_paused, {}, 0, std::move(name), {}};
  }
  static Blocker worker_draining(std::string name) {
    return {BlockerKind::worker_draining, {}, 0, std::move(name), {}};
  }
  static Blocker breaker_open(std::string name) {
    return {BlockerKind::breaker_open, {}, 0, std::move(name), {}};
  }
  static Blocker limit_full(std::string name, std::string line) {
    return {BlockerKind::limit_full, {}, 0, std::move(name), std::move(line)};
  }
  static Blocker limit_small(std::string name) {
    return {BlockerKind::limit_small, {}, 0, std::move(name), {}};
  }
  static Blocker rate_reached(std::string name, std::string line) {
    return {BlockerKind::rate_reached, {}, 0, std::move(name), std::move(line)};
  }
  static Blocker target_paused(std::string name) {
    return {BlockerKind::target_paused, {}, 0, std::move(name), {}};
  }
  static Blocker queue_full(std::string name) {
    return {BlockerKind::queue_full, {}, 0, std::move(name), {}};
  }
  static Blocker run_full(RunKey run) { return {BlockerKind::run_full, run, 0, {}, {}}; }
};

}  // namespace baton::model
