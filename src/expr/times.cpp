// The parts of timestamps and durations.
#include <chrono>

#include "base/text.hpp"
#include "expr/library.hpp"

namespace baton::expr {
namespace {

namespace ch = std::chrono;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

// "+11:00", "-02:30", "02:00" in seconds.
std::optional<std::int64_t> parse_offset(std::string_view text) {
  const bool west = text.starts_with('-');
  if (west || text.starts_with('+')) text.remove_prefix(1);
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : -1; };
  const int h = digit(0) * 10 + digit(1);
  const int m = digit(3) * 10 + digit(4);
  for (const std::size_t i : {0u, 1u, 3u, 4u})
    if (digit(i) < 0) return std::nullopt;
  if (h > 23 || m > 59) return std::nullopt;
  return (h * 3600 + m * 60) * (west ? -1 : 1);
}

// The reading of a clock on the wall.
struct Local {
  ch::year_month_day date;
  ch::sys_days day;
  std::int64_t second_of_day = 0;
};

std::expected<Local, Fault> local_of(const Call& call) {
  const Timestamp t = call.args[0].as_timestamp();
  std::int64_t offset = 0;
  if (call.args.size() > 1) {
    const auto zone = call.args[1].as_string();
    if (const auto fixed = parse_offset(zone)) {
      offset = *fixed;
    } else if (const auto* found = call.zones.find(zone)) {
      offset = found->at(t.seconds).offset;
    } else {
      return fault("unknown time zone '" + printable(utf8_prefix(zone, 60)) + "'");
    }
  }
  Local local;
  const ch::sys_seconds reading{ch::seconds(t.seconds + offset)};
  local.day = ch::floor<ch::days>(reading);
  local.date = ch::year_month_day(local.day);
  local.second_of_day = (reading - local.day).count();
  return local;
}

template <typename F>
Outcome part(const Call& call, F&& of) {
  const auto local = local_of(call);
  if (!local) return std::unexpected(local.error());
  return Value::integer(static_cast<std::int64_t>(of(*local)));
}

// A duration is not in any zone; its parts are totals.
template <typename F, typename G>
Outcome part(const Call& call, F&& of, G&& of_duration) {
  if (!call.args[0].is(Kind::duration)) return part(call, of);
  if (call.args.size() > 1) return fault("a duration has no time zone");
  return Value::integer(of_duration(call.args[0].as_duration()));
}

}  // namespace

Outcome get_full_year(const Call& call) {
  return part(call, [](const Local& l) { return static_cast<int>(l.date.year()); });
}
Outcome get_month(const Call& call) {
  return part(call, [](const Local& l) { return static_cast<unsigned>(l.date.month()) - 1; });
}
Outcome get_date(const Call& call) {
  return part(call, [](const Local& l) { return static_cast<unsigned>(l.date.day()); });
}
Outcome get_day_of_month(const Call& call) {
  return part(call, [](const Local& l) { return static_cast<unsigned>(l.date.day()) - 1; });
}
Outcome get_day_of_week(const Call& call) {
  return part(call, [](const Local& l) { return ch::weekday(l.day).c_encoding(); });
}
Outcome get_day_of_year(const Call& call) {
  return part(call, [](const Local& l) { return (l.day - ch::sys_days(l.date.year() / 1 / 1)).count(); });
}
Outcome get_hours(const Call& call) {
  return part(
      call, [](const Local& l) { return l.second_of_day / 3600; },
      [](std::int64_t nanos) { return nanos / (3600 * kNanosPerSecond); });
}
Outcome get_minutes(const Call& call) {
  return part(
      call, [](const Local& l) { return l.second_of_day / 60 % 60; },
      [](std::int64_t nanos) { return nanos / (60 * kNanosPerSecond); });
}
Outcome get_seconds(const Call& call) {
  return part(
      call, [](const Local& l) { return l.second_of_day % 60; },
      [](std::int64_t nanos) { return nanos / kNanosPerSecond; });
}
Outcome get_milliseconds(const Call& call) {
  const std::int64_t nanos = call.args[0].is(Kind::timestamp) ? call.args[0].as_timestamp().nanos : 0;
  return part(
      call, [&](const Local&) { return nanos / 1'000'000; },
      [](std::int64_t n) { return n % kNanosPerSecond / 1'000'000; });
}

}  // namespace baton::expr
