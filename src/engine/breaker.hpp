// The state machine of one circuit breaker (M. Nygard, Release It!, with a sliding window for rates), pure:
// what an attempt's end and the passing of time make of its row. Who waits for it, and what is let go when it
// closes, is the business of breakers.hpp.
#pragma once

#include <string_view>

#include "base/time.hpp"
#include "model/breaker.hpp"
#include "model/outcome.hpp"

namespace baton::engine {

// What the end of an attempt tells about the service behind it.
enum class Sign : std::uint8_t { success, failure, neutral };

// A failure is a timeout, a lost connection, http 5xx or 429, or one of the settings' types; others say
// nothing about the service (SEMANTICS 41). `status` is that of an http failure, 0 = none.
Sign sign_of(const model::BreakerSettings& settings, std::string_view error_type, int status);

// Whether an attempt may start now, with `probing` probes under way. Half-open lets `probes` at a time
// through.
bool admits(const model::BreakerRow& row, std::uint32_t probing);

// An attempt ended. True: its state changed. A success while open (an attempt from before) changes nothing.
bool note(model::BreakerRow& row, Sign sign, ShardTime now, WallTime wall);

// Its recovery time is over: open becomes half-open. True: it changed.
bool half_open(model::BreakerRow& row, ShardTime now, WallTime wall);

}  // namespace baton::engine
