#include "expr/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

namespace baton::expr {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kFirstSecond = -62'135'596'800;  // 0001-01-01T00:00:00Z
constexpr std::int64_t kLastSecond = 253'402'300'799;   // 9999-12-31T23:59:59Z

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Appends `value` with at least `width` digits.
void append_number(std::string& out, std::int64_t value, int width) {
  std::array<char, 24> buffer;
  const auto [end, code] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  const auto digits = end - buffer.data();
  if (digits < width) out.append(static_cast<std::size_t>(width - digits), '0');
  out.append(buffer.data(), end);
}

// ".5", ".000000001"; nothing for 0.
void append_fraction(std::string& out, std::int64_t nanos) {
  if (nanos == 0) return;
  out += '.';
  append_number(out, nanos, 9);
  while (out.back() == '0') out.pop_back();
}

}  // namespace

std::optional<double> parse_double(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text == "Infinity") {
    const double v = std::numeric_limits<double>::infinity();
    return negative ? -v : v;
  }
  if (text.empty() || (!is_digit(text[0]) && text[0] != '.')) return std::nullopt;  // from_chars takes "inf"
  double v = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (end != text.data() + text.size()) return std::nullopt;
  if (code == std::errc::result_out_of_range) {
    // from_chars does not say which way; only a negative exponent or a zero before the point can be too
    // small.
    const auto exponent = text.find_first_of("eE");
    const bool small = exponent != std::string_view::npos ? text.substr(exponent + 1).starts_with('-')
                                                          : text.starts_with('0') || text.starts_with('.');
    if (!small) return std::nullopt;
    v = 0;
  } else if (code != std::errc()) {
    return std::nullopt;
  }
  return negative ? -v : v;
}

std::string text_of(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v < 0 ? "-Infinity" : "Infinity";
  std::array<char, 32> buffer;
  const double size = std::fabs(v);
  // As JSON and JavaScript do: plain digits in the range that people read well.
  const auto format =
      size != 0 && (size < 1e-4 || size >= 1e21) ? std::chars_format::scientific : std::chars_format::fixed;
  const auto [end, code] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v, format);
  return {buffer.data(), end};
}

bool in_range(Timestamp t) {
  return t.seconds >= kFirstSecond && t.seconds <= kLastSecond;
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  std::size_t at = 0;
  const auto number = [&](int digits) -> std::optional<int> {
    int value = 0;
    for (int i = 0; i < digits; ++i, ++at) {
      if (at >= text.size() || !is_digit(text[at])) return std::nullopt;
      value = value * 10 + (text[at] - '0');
    }
    return value;
  };
  const auto skip = [&](char upper, char lower) {
    if (at >= text.size() || (text[at] != upper && text[at] != lower)) return false;
    ++at;
    return true;
  };
  const auto year = number(4);
  const auto month = year && skip('-', '-') ? number(2) : std::nullopt;
  const auto day = month && skip('-', '-') ? number(2) : std::nullopt;
  const auto hour = day && skip('T', 't') ? number(2) : std::nullopt;
  const auto minute = hour && skip(':', ':') ? number(2) : std::nullopt;
  const auto second = minute && skip(':', ':') ? number(2) : std::nullopt;
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  Timestamp t;
  if (skip('.', '.')) {
    std::int64_t unit = kNanosPerSecond / 10;
    const std::size_t start = at;
    for (; at < text.size() && is_digit(text[at]); ++at, unit /= 10)
      t.nanos += static_cast<std::int32_t>((text[at] - '0') * unit);
    if (at == start) return std::nullopt;
  }
  std::int64_t offset = 0;
  if (!skip('Z', 'z')) {
    const bool west = at < text.size() && text[at] == '-';
    if (!west && (at >= text.size() || text[at] != '+')) return std::nullopt;
    ++at;
    const auto hours = number(2);
    const auto minutes = hours && skip(':', ':') ? number(2) : std::nullopt;
    if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    offset = (*hours * 60 + *minutes) * 60 * (west ? -1 : 1);
  }
  if (at != text.size()) return std::nullopt;
  namespace ch = std::chrono;
  const ch::year_month_day date(ch::year(*year), ch::month(static_cast<unsigned>(*month)),
                                ch::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  t.seconds = ch::sys_days(date).time_since_epoch().count() * std::int64_t{86'400} + *hour * 3600 +
              *minute * 60 + *second - offset;
  if (!in_range(t)) return std::nullopt;
  return t;
}

std::string text_of(Timestamp t) {
  namespace ch = std::chrono;
  const ch::sys_seconds instant{ch::seconds(t.seconds)};
  const auto day = ch::floor<ch::days>(instant);
  const ch::year_month_day date(day);
  const auto time = (instant - day).count();
  std::string out;
  append_number(out, static_cast<int>(date.year()), 4);
  out += '-';
  append_number(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_number(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_number(out, time / 3600, 2);
  out += ':';
  append_number(out, time / 60 % 60, 2);
  out += ':';
  append_number(out, time % 60, 2);
  append_fraction(out, t.nanos);
  out += 'Z';
  return out;
}

std::optional<std::int64_t> parse_duration_nanos(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  struct Unit {
    std::string_view name;
    std::int64_t nanos;
  };
  constexpr std::array<Unit, 8> units = {{{"ns", 1},
                                          {"us", 1'000},
                                          {"\u00b5s", 1'000},  // micro sign
                                          {"\u03bcs", 1'000},  // Greek mu
                                          {"ms", 1'000'000},
                                          {"s", kNanosPerSecond},
                                          {"m", 60 * kNanosPerSecond},
                                          {"h", 3600 * kNanosPerSecond}}};
  // Summed up below zero, where there is room for one more.
  std::int64_t total = 0;
  const auto subtract = [&](std::int64_t n) { return !__builtin_sub_overflow(total, n, &total); };
  while (!text.empty()) {
    std::int64_t whole = 0;
    std::size_t at = 0;
    for (; at < text.size() && is_digit(text[at]); ++at)
      if (__builtin_mul_overflow(whole, std::int64_t{10}, &whole) ||
          __builtin_add_overflow(whole, std::int64_t{text[at] - '0'}, &whole))
        return std::nullopt;
    bool any = at > 0;
    std::string_view fraction;
    if (at < text.size() && text[at] == '.') {
      const std::size_t start = ++at;
      while (at < text.size() && is_digit(text[at])) ++at;
      fraction = text.substr(start, at - start);
      any = any || !fraction.empty();
    }
    if (!any) return std::nullopt;
    text.remove_prefix(at);
    const Unit* unit = nullptr;
    for (const auto& u : units)
      if (text.starts_with(u.name)) {
        unit = &u;
        break;
      }
    // "m" is also the start of "ms", which stands before it in the list.
    if (!unit) return std::nullopt;
    text.remove_prefix(unit->name.size());
    std::int64_t nanos = 0;
    if (__builtin_mul_overflow(whole, unit->nanos, &nanos) || !subtract(nanos)) return std::nullopt;
    std::int64_t scale = unit->nanos;
    __int128 part = 0;
    for (const char c : fraction.substr(0, 14)) {  // no more digits can matter: the largest unit is 3.6e12 ns
      part = part * 10 + (c - '0') * static_cast<__int128>(scale);
    }
    __int128 divisor = 1;
    for (std::size_t i = 0; i < std::min<std::size_t>(fraction.size(), 14); ++i) divisor *= 10;
    if (!subtract(static_cast<std::int64_t>(part / divisor))) return std::nullopt;
  }
  if (negative) return total;
  if (total == INT64_MIN) return std::nullopt;
  return -total;
}

std::string duration_text(std::int64_t nanos) {
  std::string out;
  const std::int64_t seconds = nanos / kNanosPerSecond;
  std::int64_t rest = nanos % kNanosPerSecond;
  if (nanos < 0) {
    out += '-';
    rest = -rest;
  }
  append_number(out, seconds < 0 ? -seconds : seconds, 1);
  append_fraction(out, rest);
  out += 's';
  return out;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto byte = [&](std::uint32_t b) { out += static_cast<char>(b); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | c >> 6);
    byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | c >> 12);
    byte(0x80 | (c >> 6 & 0x3F));
    byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | c >> 18);
    byte(0x80 | (c >> 12 & 0x3F));
    byte(0x80 | (c >> 6 & 0x3F));
    byte(0x80 | (c & 0x3F));
  }
}

std::uint32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto first = static_cast<unsigned char>(text[at++]);
  if (first < 0x80) return first;
  const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  std::uint32_t code = first & (0x3Fu >> more);
  for (int i = 0; i < more && at < text.size(); ++i)
    code = code << 6 | (static_cast<unsigned char>(text[at++]) & 0x3F);
  return code;
}

std::size_t count_code_points(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

std::optional<std::size_t> offset_of_code_point(std::string_view text, std::uint64_t index) {
  std::size_t at = 0;
  while (index > 0 && at < text.size()) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    --index;
  }
  if (index > 0) return std::nullopt;
  return at;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k > bytes.size() ? '=' : digits[group >> (18 - 6 * k) & 0x3F];
  }
  return out;
}

}  // namespace baton::expr
