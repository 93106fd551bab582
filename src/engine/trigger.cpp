#include "engine/trigger.hpp"

namespace baton::engine {
namespace {

using model::SkipReason;
using model::TriggerRule;

constexpr Trigger kStart{Trigger::Kind::start, SkipReason::none};

constexpr Trigger skip(SkipReason reason) {
  return {Trigger::Kind::skip, reason};
}
// What keeps a step from starting that wants good endings.
constexpr Trigger blame(const Upstream& upstream) {
  return skip(upstream.bad > 0 ? SkipReason::upstream_failed : SkipReason::upstream_skipped);
}
constexpr Trigger start_if(bool holds, Trigger otherwise) {
  return holds ? kStart : otherwise;
}

bool holds_early(TriggerRule rule, const Upstream& u) {
  return (rule == TriggerRule::one_success && u.succeeded > 0) ||
         (rule == TriggerRule::one_failed && u.bad > 0) ||
         (rule == TriggerRule::one_done && u.succeeded + u.bad > 0);
}

}  // namespace

Trigger trigger(TriggerRule rule, const Upstream& u) {
  if (u.waiting + u.succeeded + u.bad + u.skipped == 0 || holds_early(rule, u)) return kStart;
  if (u.waiting > 0) return {};
  switch (rule) {
    case TriggerRule::none_failed:
      return start_if(u.bad == 0, blame(u));
    case TriggerRule::all_success:
      return start_if(u.bad + u.skipped == 0, blame(u));
    case TriggerRule::none_failed_min_one_success:
      return start_if(u.bad == 0 && u.succeeded > 0, blame(u));
    case TriggerRule::one_success:
      return blame(u);
    case TriggerRule::none_skipped:
    case TriggerRule::one_done:
      return start_if(rule == TriggerRule::none_skipped && u.skipped == 0,
                      skip(SkipReason::upstream_skipped));
    case TriggerRule::all_failed:
      return start_if(u.succeeded + u.skipped == 0, skip(SkipReason::trigger_rule));
    case TriggerRule::all_skipped:
      return start_if(u.succeeded + u.bad == 0, skip(SkipReason::trigger_rule));
    case TriggerRule::one_failed:
      return skip(SkipReason::trigger_rule);
    case TriggerRule::all_done:
    case TriggerRule::always:
      return kStart;
  }
  return kStart;
}

}  // namespace baton::engine
