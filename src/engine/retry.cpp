#include "engine/retry.hpp"

#include <algorithm>

namespace baton::engine {
namespace {

std::int64_t exponential(const model::Retry& retry, std::uint32_t failures) {
  __extension__ using Wide = __int128;
  Wide delay = retry.initial.us;
  for (std::uint32_t i = 1; i < failures; ++i) {
    const Wide next = delay * retry.multiplier_thousandths / 1000;
    if (next >= retry.max.us) return retry.max.us;
    if (next == delay) break;  // a multiplier of 1, or nothing left to shrink
    delay = next;
  }
  return static_cast<std::int64_t>(std::min<Wide>(delay, retry.max.us));
}

}  // namespace

Duration retry_delay(const model::Retry& retry, std::uint32_t failures, Duration previous, Random& random) {
  std::int64_t delay = 0;
  switch (retry.backoff) {
    case model::Backoff::fixed:
      delay = std::min(retry.initial.us, retry.max.us);
      break;
    case model::Backoff::linear: {
      __extension__ using Wide = __int128;
      delay = static_cast<std::int64_t>(std::min<Wide>(Wide{retry.initial.us} * failures, retry.max.us));
      break;
    }
    case model::Backoff::exponential:
      delay = exponential(retry, failures);
      break;
  }
  switch (retry.jitter) {
    case model::Jitter::none:
      break;
    case model::Jitter::full:
      delay = random.up_to(delay);
      break;
    case model::Jitter::equal:
      delay = delay / 2 + random.up_to(delay - delay / 2);
      break;
    case model::Jitter::decorrelated: {
      const std::int64_t low = std::min(retry.initial.us, retry.max.us);
      const std::int64_t base = std::clamp(previous.us, low, retry.max.us);
      const std::int64_t high = std::max(low, base > retry.max.us / 3 ? retry.max.us : base * 3);
      delay = std::min(retry.max.us, low + random.up_to(high - low));
      break;
    }
    case model::Jitter::add:
      delay += random.up_to(retry.jitter_add.us);
      break;
  }
  return {delay};
}

}  // namespace baton::engine
