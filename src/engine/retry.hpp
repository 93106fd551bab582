// When a failed attempt is followed by another one (SEMANTICS 18).
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "engine/moment.hpp"
#include "model/definition.hpp"

namespace baton::engine {

// The delay before the attempt that follows the n-th failure (n >= 1). Exponential: min(max, initial ·
// multiplier^(n−1)); linear: min(max, initial · n); jitter after the cap: full = uniform in [0, d], equal =
// d/2 + uniform in [0, d/2], decorrelated = min(max, uniform in [initial, 3 · previous]) (M. Brooker,
// "Exponential Backoff And Jitter"), add = d + uniform in [0, jitter_add]. Integers throughout; no overflow
// for any n.
Duration retry_delay(const model::Retry& retry, std::uint32_t failures, Duration previous, Random& random);

}  // namespace baton::engine
