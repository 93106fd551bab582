// What a circuit breaker may do, as data (docs/reference/states.md).
#pragma once

#include <span>

#include "model/breaker.hpp"
#include "model/states.hpp"

namespace baton::model {

std::span<const Transition<BreakerState>> breaker_transitions();
bool is_legal(BreakerState from, BreakerState to);

}  // namespace baton::model
