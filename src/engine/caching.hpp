// `cache` of steps: a task that is ready takes the result that an earlier task of its step has left for the
// same key, if it is not too old; one that completes by its own attempts leaves its result.
//
// - The key of a cached result is its workflow, its step, what the step does and the value of `key`. The text
//   of a step belongs to it: a step that does something else does not take what another one has made. A
//   namespace is a shard, and so is its cache.
// - What a recovery or a person has done again is done (generation 2 and later): it takes no result, and
// leaves
//   its own in place of the old one.
// - A paused run or step takes no results either.
// - Tasks that are ready at the same time do not wait for each other: each does its work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// Items of a mapped step that ask at a time.
inline constexpr std::uint16_t kMostAsking = 1000;

enum class CacheAnswer : std::uint8_t {
  miss,   // the work is to be done
  asked,  // the record is being loaded, or the task is held back: `ready` comes again
  taken   // the task is completed
};

// Of a task whose step has `cache` and that is about to be queued. `asked`: what stop_asking() gave.
// expression: the key cannot be computed.
Result<CacheAnswer> ask_cache(State& state, Run& run, Task& task, const std::optional<std::string>& asked,
                              const Moment& moment, Effects& effects);

// The key that the task was waiting for, if it was; it does not wait any more.
std::optional<std::string> stop_asking(State& state, Run& run, Task& task);

// The step's own work has completed with `result`.
void keep_result(Run& run, Task& task, const std::string& result, const Moment& moment, Effects& effects);

}  // namespace baton::engine
