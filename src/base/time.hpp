// Instants and spans. Three types that do not mix by accident: Duration, ShardTime (what leases, retries and
// timeouts are measured in; never goes back) and WallTime (what people and cron mean; may jump). All count
// microseconds in 64 bits: ±292,000 years.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace baton {

struct Duration {
  std::int64_t us = 0;

  static constexpr Duration micros(std::int64_t n) { return {n}; }
  static constexpr Duration millis(std::int64_t n) { return {n * 1000}; }
  static constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000}; }
  static constexpr Duration minutes(std::int64_t n) { return {n * 60'000'000}; }
  static constexpr Duration hours(std::int64_t n) { return {n * 3'600'000'000}; }
  static constexpr Duration max() { return {INT64_MAX / 4}; }

  constexpr double as_seconds() const { return static_cast<double>(us) / 1e6; }
  constexpr std::chrono::microseconds chrono() const { return std::chrono::microseconds(us); }

  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend constexpr Duration operator+(Duration a, Duration b) { return {a.us + b.us}; }
  friend constexpr Duration operator-(Duration a, Duration b) { return {a.us - b.us}; }
  friend constexpr Duration operator*(Duration a, std::int64_t n) { return {a.us * n}; }
};

template <typename Tag>
struct Instant {
  std::int64_t us = 0;

  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend constexpr Instant operator+(Instant a, Duration d) { return {a.us + d.us}; }
  friend constexpr Instant operator-(Instant a, Duration d) { return {a.us - d.us}; }
  friend constexpr Duration operator-(Instant a, Instant b) { return {a.us - b.us}; }
};

// Time of one shard: continues from the last committed value after a restart, never goes back. 0 = the
// shard's birth.
using ShardTime = Instant<struct ShardTimeTag>;
// Time of day: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
using WallTime = Instant<struct WallTimeTag>;

// RFC 3339 in UTC with milliseconds: "2026-11-21T01:46:00.123Z". Years 0000–9999; instants beyond are
// clamped.
std::string to_rfc3339(WallTime t);
// Accepts what to_rfc3339 writes, any number of fraction digits, and numeric offsets ("+02:00").
Result<WallTime> parse_rfc3339(std::string_view text);

// Civil time in UTC, proleptic Gregorian calendar.
struct Civil {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  std::int64_t micros = 0;
};
Civil civil_of(WallTime t);
WallTime wall_of(const Civil& c);

}  // namespace baton
