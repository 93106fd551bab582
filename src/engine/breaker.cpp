#include "engine/breaker.hpp"

#include <algorithm>

#include "base/seeded_bug.hpp"

namespace baton::engine {
namespace {

using model::BreakerForce;
using model::BreakerRow;
using model::BreakerSlice;
using model::BreakerState;

void change(BreakerRow& row, BreakerState state, WallTime wall) {
  row.state = state;
  row.changed_at = wall;
  row.success_count = 0;
}

void open(BreakerRow& row, ShardTime now, WallTime wall) {
  change(row, BreakerState::open, wall);
  row.opened_at = now;
  ++row.times_opened;
}

void close(BreakerRow& row, WallTime wall) {
  change(row, BreakerState::closed, wall);
  row.failure_count = 0;
  row.slices = {};
}

// Counts one attempt in its slice of the window.
void count(BreakerRow& row, bool failed, ShardTime now) {
  const std::int64_t length =
      std::max<std::int64_t>(row.settings.window.us / static_cast<std::int64_t>(model::kBreakerSlices), 1);
  const std::int64_t number = now.us / length;
  BreakerSlice& slice = row.slices[static_cast<std::size_t>(number) % model::kBreakerSlices];
  if (slice.number != number) slice = {.number = number};
  ++slice.calls;
  slice.failures += failed ? 1 : 0;
}

bool rate_exceeded(const BreakerRow& row, ShardTime now) {
  const std::int64_t length =
      std::max<std::int64_t>(row.settings.window.us / static_cast<std::int64_t>(model::kBreakerSlices), 1);
  const std::int64_t newest = now.us / length;
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  for (const BreakerSlice& slice : row.slices) {
    if (slice.number <= newest - static_cast<std::int64_t>(model::kBreakerSlices)) continue;
    calls += slice.calls;
    failures += slice.failures;
  }
  return calls >= std::max<std::uint64_t>(row.settings.min_calls, 1) &&
         failures * 100 >= calls * row.settings.rate_percent;
}

}  // namespace

Sign sign_of(const model::BreakerSettings& settings, std::string_view error_type, int status) {
  if (error_type.empty()) return Sign::success;
  if (std::ranges::binary_search(settings.types, error_type, std::less<>())) return Sign::failure;
  if (error_type == model::error_type::kTimeout || error_type == model::error_type::kConnection)
    return Sign::failure;
  if (error_type == "http" && (status >= 500 || status == 429)) return Sign::failure;
  return Sign::neutral;
}

bool admits(const BreakerRow& row, std::uint32_t probing) {
  if (row.force != BreakerForce::none) return row.force == BreakerForce::closed;
  switch (row.state) {
    case BreakerState::closed:
      return true;
    case BreakerState::open:
      return seeded_bug(Bug::breaker_lets_all_through);
    case BreakerState::half_open:
      return probing < std::max(row.settings.probes, 1U) + (seeded_bug(Bug::one_more_probe) ? 1 : 0);
  }
  return false;
}

bool note(BreakerRow& row, Sign sign, ShardTime now, WallTime wall) {
  if (sign == Sign::neutral) return false;
  const bool failed = sign == Sign::failure;
  if (failed) {
    row.last_failure_at = wall;
    ++row.failure_count;
  }
  switch (row.state) {
    case BreakerState::closed: {
      if (!failed) row.failure_count = 0;
      if (row.settings.rate_percent > 0) count(row, failed, now);
      if (!failed) return false;
      const bool in_a_row = row.settings.failures > 0 && row.failure_count >= row.settings.failures;
      if (!in_a_row && !(row.settings.rate_percent > 0 && rate_exceeded(row, now))) return false;
      open(row, now, wall);
      return true;
    }
    case BreakerState::half_open:
      if (failed) {
        open(row, now, wall);
        return true;
      }
      if (++row.success_count < row.settings.successes) return false;
      close(row, wall);
      return true;
    case BreakerState::open:
      return false;
  }
  return false;
}

bool half_open(BreakerRow& row, ShardTime now, WallTime wall) {
  if (row.state != BreakerState::open || now < row.open_until()) return false;
  change(row, BreakerState::half_open, wall);
  return true;
}

}  // namespace baton::engine
