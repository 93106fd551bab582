// Circuit breakers: how one is set, and what is known of it. Named; shared by all steps that name it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

// Part of a definition. It opens at `failures` failed attempts in a row, or when at least `min_calls`
// attempts ended within `window` and `rate_percent` of them failed; 0 switches one of the two off.
struct BreakerSettings {
  std::string name;
  std::uint32_t failures = 5;
  std::uint32_t rate_percent = 0;
  std::uint32_t min_calls = 20;
  Duration window = Duration::seconds(60);
  Duration recovery = Duration::seconds(60);  // how long it stays open before probes are let through
  std::uint32_t probes = 1;                   // attempts at a time while half-open
  std::uint32_t successes = 1;                // of probes, to close it
  std::vector<std::string> types;             // error types that count beside the usual ones; ascending

  friend bool operator==(const BreakerSettings&, const BreakerSettings&) = default;
};

// Stored as numbers: append at the end, never reorder.
enum class BreakerState : std::uint8_t { closed, open, half_open };
enum class BreakerForce : std::uint8_t { none, open, closed };
std::string_view name(BreakerState state);
std::string_view name(BreakerForce force);  // "" for none

// Attempts that ended within one slice of the window.
struct BreakerSlice {
  std::int64_t number = 0;  // shard time / slice length
  std::uint32_t calls = 0;
  std::uint32_t failures = 0;

  friend bool operator==(const BreakerSlice&, const BreakerSlice&) = default;
};
inline constexpr std::size_t kBreakerSlices = 10;

struct BreakerRow {
  BreakerSettings settings;  // of the attempt that ended last
  BreakerState state = BreakerState::closed;
  BreakerForce force = BreakerForce::none;  // by a person; wins over the state
  std::string forced_by;
  std::string reason;               // why it was forced
  std::uint32_t failure_count = 0;  // in a row
  std::uint32_t success_count = 0;  // of probes, in a row, while half-open
  std::uint32_t times_opened = 0;   // ever
  ShardTime opened_at;              // the last time
  WallTime last_failure_at;         // 0 = never
  WallTime changed_at;              // of state or force; 0 = never
  ShardTime closed_at;              // the last time
  std::uint32_t release_part = 0;   // of those that waited when it closed: how many a second are let go; 0 =
                                    // all have been
  std::string last_failure;         // "http: 503 …"
  std::array<BreakerSlice, kBreakerSlices> slices;

  ShardTime open_until() const { return opened_at + settings.recovery; }
  friend bool operator==(const BreakerRow&, const BreakerRow&) = default;
};

inline RecordKey breaker_key(std::string_view name) {
  return {RecordKind::breaker, std::string(name)};
}
Record to_record(const BreakerRow& row);
Result<BreakerRow> breaker_of(const Record& record);  // or corrupt

}  // namespace baton::model
