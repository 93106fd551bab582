#include "model/breaker.hpp"

#include <algorithm>
#include <array>

#include "base/codec.hpp"
#include "model/breaker_transitions.hpp"

namespace baton::model {
namespace {

constexpr std::array<std::string_view, 3> kStates = {"closed", "open", "half_open"};
constexpr std::array<std::string_view, 3> kForces = {"", "open", "closed"};

std::uint32_t small(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}

using B = BreakerState;
constexpr std::array kTransitions = {
    Transition<B>{B::closed, B::open, "enough failures"},
    Transition<B>{B::open, B::half_open, "its recovery time is over"},
    Transition<B>{B::open, B::closed, "reset by a person"},
    Transition<B>{B::half_open, B::open, "a probe failed"},
    Transition<B>{B::half_open, B::closed, "enough probes succeeded, or reset by a person"},
};

}  // namespace

std::span<const Transition<BreakerState>> breaker_transitions() {
  return kTransitions;
}

bool is_legal(BreakerState from, BreakerState to) {
  return std::ranges::any_of(kTransitions, [&](const auto& t) { return t.from == from && t.to == to; });
}

std::string_view name(BreakerState state) {
  return kStates[static_cast<std::size_t>(state)];
}
std::string_view name(BreakerForce force) {
  return kForces[static_cast<std::size_t>(force)];
}

Record to_record(const BreakerRow& row) {
  Encoder out;
  const BreakerSettings& settings = row.settings;
  out.number(1, settings.failures);
  out.number(2, settings.rate_percent);
  out.number(3, settings.min_calls);
  out.signed_number(4, settings.window.us);
  out.signed_number(5, settings.recovery.us);
  out.number(6, settings.probes);
  out.number(7, settings.successes);
  for (const std::string& type : settings.types) out.bytes(8, type);
  out.number(9, static_cast<std::uint64_t>(row.state));
  out.number(10, static_cast<std::uint64_t>(row.force));
  out.bytes(11, row.forced_by);
  out.bytes(12, row.reason);
  out.number(13, row.failure_count);
  out.number(14, row.success_count);
  out.number(15, row.times_opened);
  out.signed_number(16, row.opened_at.us);
  out.signed_number(17, row.last_failure_at.us);
  out.signed_number(18, row.changed_at.us);
  out.bytes(19, row.last_failure);
  for (const BreakerSlice& slice : row.slices) {
    if (slice.calls == 0) continue;
    Encoder part;
    part.signed_number(1, slice.number);
    part.number(2, slice.calls);
    part.number(3, slice.failures);
    out.message(20, part);
  }
  out.signed_number(21, row.closed_at.us);
  out.number(22, row.release_part);
  return {breaker_key(settings.name), std::string(name(row.state)), row.changed_at, out.take()};
}

Result<BreakerRow> breaker_of(const Record& record) {
  BreakerRow row;
  row.settings = {.name = record.id.key,
                  .failures = 0,
                  .rate_percent = 0,
                  .min_calls = 0,
                  .window = {},
                  .recovery = {},
                  .probes = 0,
                  .successes = 0,
                  .types = {}};
  Decoder in(record.state);
  bool sound = true;
  while (sound && in.next()) {
    switch (in.field()) {
      case 1:
        row.settings.failures = small(in.number());
        break;
      case 2:
        row.settings.rate_percent = small(in.number());
        break;
      case 3:
        row.settings.min_calls = small(in.number());
        break;
      case 4:
        row.settings.window.us = in.signed_number();
        break;
      case 5:
        row.settings.recovery.us = in.signed_number();
        break;
      case 6:
        row.settings.probes = small(in.number());
        break;
      case 7:
        row.settings.successes = small(in.number());
        break;
      case 8:
        row.settings.types.emplace_back(in.bytes());
        break;
      case 9:
        sound = in.number() < kStates.size();
        row.state = static_cast<BreakerState>(in.number());
        break;
      case 10:
        sound = in.number() < kForces.size();
        row.force = static_cast<BreakerForce>(in.number());
        break;
      case 11:
        row.forced_by = in.bytes();
        break;
      case 12:
        row.reason = in.bytes();
        break;
      case 13:
        row.failure_count = small(in.number());
        break;
      case 14:
        row.success_count = small(in.number());
        break;
      case 15:
        row.times_opened = small(in.number());
        break;
      case 16:
        row.opened_at.us = in.signed_number();
        break;
      case 17:
        row.last_failure_at.us = in.signed_number();
        break;
      case 18:
        row.changed_at.us = in.signed_number();
        break;
      case 19:
        row.last_failure = in.bytes();
        break;
      case 20: {
        BreakerSlice slice;
        Decoder part(in.bytes());
        while (part.next()) {
          if (part.field() == 1) slice.number = part.signed_number();
          if (part.field() == 2) slice.calls = small(part.number());
          if (part.field() == 3) slice.failures = small(part.number());
        }
        sound = !part.failed() && slice.number >= 0;
        if (sound) row.slices[static_cast<std::size_t>(slice.number) % kBreakerSlices] = slice;
        break;
      }
      case 21:
        row.closed_at.us = in.signed_number();
        break;
      case 22:
        row.release_part = small(in.number());
        break;
      default:
        break;  // of a newer version
    }
  }
  if (!sound || in.failed()) {
    return fail(ErrorCode::corrupt, "the record of breaker " + record.id.key + " is damaged");
  }
  return row;
}

}  // namespace baton::model
