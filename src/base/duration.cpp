#include "base/duration.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace baton {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t us;
};
constexpr std::array kUnits = {Unit{"w", 604'800'000'000},
                               Unit{"d", 86'400'000'000},
                               Unit{"h", 3'600'000'000},
                               Unit{"m", 60'000'000},
                               Unit{"s", 1'000'000},
                               Unit{"ms", 1000},
                               Unit{"us", 1}};
constexpr double kLimitSeconds = 100.0 * 366 * 86'400;

}  // namespace

Result<Duration> duration_from_seconds(double seconds) {
  if (!(seconds >= 0) || seconds > kLimitSeconds) {
    return fail(ErrorCode::invalid_request, "a duration must be between 0 and 100 years");
  }
  return Duration{std::llround(seconds * 1e6)};
}

Result<Duration> parse_duration(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::invalid_request, "\"" + std::string(text) +
                                                "\" is not a duration: " + std::string(why) +
                                                " (expected like 90s, 5m, 1h30m, 250ms or 2d)");
  };
  if (text.empty()) return bad("it is empty");
  double seconds = 0;
  std::size_t next_unit = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    double number = 0;
    // from_chars would take "inf", "nan" and exponents; a duration starts with a digit or a point.
    if (text[at] != '.' && (text[at] < '0' || text[at] > '9')) return bad("a number is expected");
    auto [end, failure] =
        std::from_chars(text.data() + at, text.data() + text.size(), number, std::chars_format::fixed);
    if (failure != std::errc()) return bad("a number is expected");
    at = static_cast<std::size_t>(end - text.data());
    if (at == text.size() && next_unit == 0) {
      seconds = number;
      break;
    }
    std::size_t stop = at;
    while (stop < text.size() && text[stop] >= 'a' && text[stop] <= 'z') ++stop;
    const std::string_view name = text.substr(at, stop - at);
    std::size_t unit = 0;
    while (unit < kUnits.size() && kUnits[unit].name != name) ++unit;
    if (unit == kUnits.size()) return bad(name.empty() ? "a unit is missing" : "unknown unit");
    if (unit < next_unit) return bad("units go from large to small, each once");
    next_unit = unit + 1;
    seconds += number * static_cast<double>(kUnits[unit].us) / 1e6;
    at = stop;
  }
  if (seconds > kLimitSeconds) return bad("it is longer than 100 years");
  return duration_from_seconds(seconds);
}

std::string to_string(Duration d) {
  if (d.us == 0) return "0s";
  std::string text;
  std::int64_t rest = d.us;
  if (rest < 0) {
    text = "-";
    rest = -rest;
  }
  for (const Unit& unit : kUnits) {
    if (unit.name == "w" || rest < unit.us) continue;
    text += std::to_string(rest / unit.us);
    text += unit.name;
    rest %= unit.us;
  }
  return text;
}

std::string to_display(Duration d) {
  const std::int64_t us = d.us < 0 ? 0 : d.us;
  char text[48];
  if (us < 1000) {
    std::snprintf(text, sizeof text, "%lldus", static_cast<long long>(us));
  } else if (us < 1'000'000) {
    std::snprintf(text, sizeof text, "%lldms", static_cast<long long>(us / 1000));
  } else if (us < 10'000'000) {
    std::snprintf(text, sizeof text, "%lld.%llds", static_cast<long long>(us / 1'000'000),
                  static_cast<long long>(us / 100'000 % 10));
  } else if (us < 60'000'000) {
    std::snprintf(text, sizeof text, "%llds", static_cast<long long>(us / 1'000'000));
  } else {
    const std::int64_t seconds = us / 1'000'000;
    if (seconds < 3600) {
      std::snprintf(text, sizeof text, "%lldm %02llds", static_cast<long long>(seconds / 60),
                    static_cast<long long>(seconds % 60));
    } else if (seconds < 86'400) {
      std::snprintf(text, sizeof text, "%lldh %02lldm", static_cast<long long>(seconds / 3600),
                    static_cast<long long>(seconds / 60 % 60));
    } else {
      std::snprintf(text, sizeof text, "%lldd %02lldh", static_cast<long long>(seconds / 86'400),
                    static_cast<long long>(seconds / 3600 % 24));
    }
  }
  return text;
}

}  // namespace baton
