// Whether a step starts when its predecessors have ended as they did (SEMANTICS 8–10). Pure.
#pragma once

#include <cstdint>

#include "model/definition.hpp"
#include "model/states.hpp"

namespace baton::engine {

// How the predecessors of a step stand.
struct Upstream {
  std::uint32_t waiting = 0;    // have not ended
  std::uint32_t succeeded = 0;  // completed, or failed without counting
  std::uint32_t bad = 0;        // failed, cancelled, or skipped because of such a step (SEMANTICS 9)
  std::uint32_t skipped = 0;    // skipped otherwise

  friend bool operator==(const Upstream&, const Upstream&) = default;
};

struct Trigger {
  enum class Kind : std::uint8_t { wait, start, skip };
  Kind kind = Kind::wait;
  model::SkipReason reason = model::SkipReason::none;  // of a skip

  friend bool operator==(const Trigger&, const Trigger&) = default;
};

// one_success, one_failed and one_done answer with the first predecessor that matches, all others wait until
// all have ended. A step without predecessors starts, whatever its rule.
//
// Where Airflow says `upstream_failed` the reason is upstream_failed, which is bad itself; where a
// predecessor that was skipped is to blame it is upstream_skipped; where the endings were good, but not the
// ones that were asked for, it is trigger_rule.
Trigger trigger(model::TriggerRule rule, const Upstream& upstream);

}  // namespace baton::engine
