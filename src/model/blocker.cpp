#include "model/blocker.hpp"

#include <array>

namespace baton::model {

std::string_view name(BlockerKind kind) {
  constexpr std::array<std::string_view, 12> kNames = {
      "run_paused", "step_paused", "queue_paused", "worker_paused", "target_paused", "breaker_open",
      "run_full",   "limit_full",  "limit_small",  "rate_reached",  "queue_full",    "worker_draining"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace baton::model
