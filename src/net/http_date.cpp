#include "net/http_date.hpp"

#include <array>
#include <charconv>
#include <vector>

namespace baton::net {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Thu", "Fri", "Sat", "Sun",
                                                   "Mon", "Tue", "Wed"};  // 1970-01-01

std::string padded(int value, std::size_t width) {
  std::string digits = std::to_string(value);
  return std::string(width > digits.size() ? width - digits.size() : 0, '0') + digits;
}

std::optional<int> number(std::string_view text, std::size_t digits) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.size() != digits || error != std::errc() || end != text.data() + text.size() || value < 0)
    return std::nullopt;
  return value;
}

std::optional<int> month(std::string_view text) {
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i] == text) return static_cast<int>(i) + 1;
  }
  return std::nullopt;
}

bool time_of_day(std::string_view text, Civil& civil) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return false;
  const auto hour = number(text.substr(0, 2), 2);
  const auto minute = number(text.substr(3, 2), 2);
  const auto second = number(text.substr(6, 2), 2);
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return false;
  civil.hour = *hour;
  civil.minute = *minute;
  civil.second = std::min(*second, 59);  // a leap second
  return true;
}

std::vector<std::string_view> words(std::string_view text, std::string_view between) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t begin = text.find_first_not_of(between);
    if (begin == text.npos) break;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(between), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

std::optional<WallTime> checked(const Civil& civil) {
  const WallTime time = wall_of(civil);
  const Civil back = civil_of(time);
  if (back.day != civil.day || back.month != civil.month || back.year != civil.year) return std::nullopt;
  return time;
}

}  // namespace

std::string to_http_date(WallTime t) {
  const Civil c = civil_of(t);
  constexpr std::int64_t kDay = 86'400'000'000;
  const std::int64_t days = t.us / kDay - (t.us % kDay < 0 ? 1 : 0);
  const auto day = static_cast<std::size_t>((days % 7 + 7) % 7);
  return std::string(kDays[day]) + ", " + padded(c.day, 2) + " " +
         std::string(kMonths[static_cast<std::size_t>(c.month - 1)]) + " " + padded(c.year, 4) + " " +
         padded(c.hour, 2) + ":" + padded(c.minute, 2) + ":" + padded(c.second, 2) + " GMT";
}

std::optional<WallTime> parse_http_date(std::string_view text, WallTime now) {
  if (text.size() > 64) return std::nullopt;
  Civil civil;
  const std::size_t comma = text.find(',');
  if (comma == text.npos) {  // asctime
    const auto parts = words(text, " ");
    if (parts.size() != 5) return std::nullopt;
    const auto m = month(parts[1]);
    const auto d = number(parts[2], parts[2].size() == 1 ? 1 : 2);
    const auto y = number(parts[4], 4);
    if (!m || !d || !y || !time_of_day(parts[3], civil)) return std::nullopt;
    civil.month = *m;
    civil.day = *d;
    civil.year = *y;
    return checked(civil);
  }
  const auto parts = words(text.substr(comma + 1), " -");
  if (parts.size() != 5 || parts[4] != "GMT") return std::nullopt;
  const auto d = number(parts[0], 2);
  const auto m = month(parts[1]);
  if (!d || !m || !time_of_day(parts[3], civil)) return std::nullopt;
  civil.day = *d;
  civil.month = *m;
  if (const auto four = number(parts[2], 4)) {
    civil.year = *four;
  } else if (const auto two = number(parts[2], 2)) {
    const int this_year = civil_of(now).year;
    civil.year = this_year - this_year % 100 + *two;
    if (civil.year > this_year + 50) civil.year -= 100;
  } else {
    return std::nullopt;
  }
  return checked(civil);
}

}  // namespace baton::net
