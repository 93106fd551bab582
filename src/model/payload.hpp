// Values that live in the store and are loaded when a decision looks at them. State holds these references
// only.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include "base/ids.hpp"

namespace baton::model {

enum class PayloadSlot : std::uint8_t {
  run_input,     // the run's input, an object
  run_context,   // {"workdir", "env", "metadata"}: what the submitter's surroundings were
  task_input,    // the rendered step: what the executor gets; of a mapped step: its item list
  task_result,   // the task's result
  item_results,  // virtual: the results of `count` items from `ordinal` on, null where there is none
};

struct PayloadKey {
  RunKey run;
  PayloadSlot slot = PayloadSlot::run_input;
  Ordinal ordinal = 0;      // of the task; 0 for a run's payloads
  std::uint32_t count = 0;  // item_results only

  friend constexpr auto operator<=>(const PayloadKey&, const PayloadKey&) = default;
};

// Up to this many bytes stand in the row; larger payloads go into a table of their own.
inline constexpr std::size_t kInlinePayload = 4096;

}  // namespace baton::model

template <>
struct std::hash<baton::model::PayloadKey> {
  std::size_t operator()(const baton::model::PayloadKey& k) const noexcept {
    std::uint64_t h = static_cast<std::uint64_t>(k.run.value) * 0x9E3779B97F4A7C15ULL;
    h ^= (std::uint64_t{k.ordinal} << 8 | static_cast<std::uint64_t>(k.slot)) * 0xC2B2AE3D27D4EB4FULL;
    return h ^ h >> 29 ^ k.count;
  }
};
