// When a failed attempt is followed by another one (SEMANTICS 18).
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "engine/moment.hpp"
#include "model/definition.hpp"

namespace baton::engine {

// The delay before the attempt that follows the n-th failure (n >= 1). Exponential: min(max, initial ·
// multiplier^(n−1)); linear: min(max, initial · n); jitter after the cap: full = uniform in [0, d], equal =
// d/2 + uniform in [0, d/2], decorrelated = uniform in [initial, min(max, 3 · previous)], where the first
// `previous` is initial, add = d + uniform in [0, jitter_add]. Decorrelated is M. Brooker's ("Exponential
// Backoff And Jitter") except for the cap, which is his min(max, uniform in [initial, 3 · previous]): that
// gives two of three delays near the cap the same length, and so brings together what it is to keep apart.
// With initial = max there is nothing to draw from, in either form. Integers throughout; no overflow for any
// n.
Duration retry_delay(const model::Retry& retry, std::uint32_t failures, Duration previous, Random& random);

}  // namespace baton::engine
