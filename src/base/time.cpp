#include "base/time.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace baton {
namespace {

constexpr std::int64_t kDay = 86'400'000'000;
// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z
constexpr std::int64_t kFirst = -62'167'219'200'000'000;
constexpr std::int64_t kLast = 253'402'300'799'999'999;

void put_digits(char* at, int width, int value) {
  for (int i = width - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

bool digits(std::string_view text, std::size_t at, std::size_t count, int& out) {
  if (at + count > text.size()) return false;
  auto [end, failure] = std::from_chars(text.data() + at, text.data() + at + count, out);
  return failure == std::errc() && end == text.data() + at + count && text[at] != '-';
}

}  // namespace

Civil civil_of(WallTime t) {
  using namespace std::chrono;
  std::int64_t days_count = t.us >= 0 ? t.us / kDay : -((-t.us + kDay - 1) / kDay);
  std::int64_t rest = t.us - days_count * kDay;
  const year_month_day date{sys_days{days{days_count}}};
  Civil c;
  c.year = static_cast<int>(date.year());
  c.month = static_cast<int>(static_cast<unsigned>(date.month()));
  c.day = static_cast<int>(static_cast<unsigned>(date.day()));
  c.micros = rest % 1'000'000;
  rest /= 1'000'000;
  c.hour = static_cast<int>(rest / 3600);
  c.minute = static_cast<int>(rest / 60 % 60);
  c.second = static_cast<int>(rest % 60);
  return c;
}

WallTime wall_of(const Civil& c) {
  using namespace std::chrono;
  const sys_days date{year{c.year} / month{static_cast<unsigned>(c.month)} /
                      day{static_cast<unsigned>(c.day)}};
  const std::int64_t seconds_count = static_cast<std::int64_t>(date.time_since_epoch().count()) * 86'400 +
                                     c.hour * 3600 + c.minute * 60 + c.second;
  return {seconds_count * 1'000'000 + c.micros};
}

std::string to_rfc3339(WallTime t) {
  const Civil c = civil_of({std::clamp(t.us, kFirst, kLast)});
  std::string text = "0000-00-00T00:00:00.000Z";
  put_digits(text.data(), 4, c.year);
  put_digits(text.data() + 5, 2, c.month);
  put_digits(text.data() + 8, 2, c.day);
  put_digits(text.data() + 11, 2, c.hour);
  put_digits(text.data() + 14, 2, c.minute);
  put_digits(text.data() + 17, 2, c.second);
  put_digits(text.data() + 20, 3, static_cast<int>(c.micros / 1000));
  return text;
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  const auto bad = [&] {
    return fail(
        ErrorCode::invalid_request,
        "\"" + std::string(text) + "\" is not an RFC 3339 instant (expected like 2026-11-21T01:46:00Z)");
  };
  Civil c;
  if (!digits(text, 0, 4, c.year) || !digits(text, 5, 2, c.month) || !digits(text, 8, 2, c.day) ||
      !digits(text, 11, 2, c.hour) || !digits(text, 14, 2, c.minute) || !digits(text, 17, 2, c.second)) {
    return bad();
  }
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') ||
      text[13] != ':' || text[16] != ':') {
    return bad();
  }
  const std::chrono::year_month_day date{std::chrono::year{c.year},
                                         std::chrono::month{static_cast<unsigned>(c.month)},
                                         std::chrono::day{static_cast<unsigned>(c.day)}};
  if (!date.ok() || c.hour > 23 || c.minute > 59 || c.second > 60) return bad();
  std::size_t at = 19;
  if (at < text.size() && text[at] == '.') {
    ++at;
    std::int64_t scale = 100'000;
    const std::size_t first = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      c.micros += (text[at] - '0') * scale;
      scale /= 10;
      ++at;
    }
    if (at == first) return bad();
  }
  if (at >= text.size()) return bad();
  std::int64_t offset_minutes = 0;
  if (text[at] == 'Z' || text[at] == 'z') {
    ++at;
  } else if (text[at] == '+' || text[at] == '-') {
    int hours = 0;
    int minutes = 0;
    if (!digits(text, at + 1, 2, hours) || at + 3 >= text.size() || text[at + 3] != ':' ||
        !digits(text, at + 4, 2, minutes) || hours > 23 || minutes > 59) {
      return bad();
    }
    offset_minutes = (text[at] == '-' ? -1 : 1) * (hours * 60 + minutes);
    at += 6;
  }
  if (at != text.size()) return bad();
  return wall_of(c) - Duration::minutes(offset_minutes);
}

}  // namespace baton
