// What decides, beside workers and pauses, when a task may start: places of limits, a rate, and fair turns
// (SEMANTICS 38–40).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace baton::model {

// Bytes of the name of a limit, of a rate, of a fair key: they come from expressions.
inline constexpr std::size_t kMaxFlowName = 256;
inline constexpr std::size_t kMaxLimitsOfATask = 16;

// What an attempt takes of one limit, from its start to its end.
struct LimitUse {
  std::string name;
  std::uint32_t amount = 1;
  // How much of it there is as long as nobody has set it by command; 0 = nothing (`uses`).
  std::uint32_t otherwise = 0;

  friend bool operator==(const LimitUse&, const LimitUse&) = default;
};

// Of one task, with its values filled in; recorded with the task when it becomes ready.
struct Flow {
  std::vector<LimitUse> limits;  // by name, distinct; all of them are taken together
  std::string rate;              // the name of its rate; "" = none
  std::string fair_key;          // tasks of different keys take turns; "" is a key like any other
  std::string queue;             // of a task: where a route has sent it when it became ready; "" = none did

  friend bool operator==(const Flow&, const Flow&) = default;
};

// At most `limit` starts in any span of `per`, and `burst` − 1 more after a pause; evenly spread else.
struct RateRule {
  std::uint32_t limit = 1;
  Duration per = Duration::seconds(1);
  std::uint32_t burst = 1;

  friend bool operator==(const RateRule&, const RateRule&) = default;
};

// The queue of an attempt: the one that its step names, else where a route has sent the task, else the
// default one.
inline const std::string& queue_of(const std::string& named, const Flow& flow) {
  static const std::string kDefault = "default";
  return !named.empty() ? named : !flow.queue.empty() ? flow.queue : kDefault;
}

// What few steps say about this.
struct FlowRules {
  Flow flow;  // of each task; with templates in its names if `is_constant` is false
  bool is_constant = true;
  RateRule rate;  // if flow.rate is not empty

  friend bool operator==(const FlowRules&, const FlowRules&) = default;
};

}  // namespace baton::model
