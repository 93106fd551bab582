// format() of CEL's strings extension, and the text of any value.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.hpp"
#include "expr/library.hpp"
#include "expr/text.hpp"

namespace baton::expr {
namespace {

constexpr int kMaxNesting = 500;
constexpr int kMaxPrecision = 100;
constexpr int kDefaultPrecision = 6;

template <typename T>
std::string integer_text(T value, int base = 10) {
  std::array<char, 72> buffer;
  const auto [end, code] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, base);
  return {buffer.data(), end};
}

bool append_at(std::string& out, const Value& v, Budget& budget, int depth) {
  if (depth > kMaxNesting || !budget.spend(1)) return false;
  const auto add = [&](std::string_view text) {
    if (!budget.make(text.size())) return false;
    out.append(text);
    return true;
  };
  switch (v.kind()) {
    case Kind::null:
      return add("null");
    case Kind::boolean:
      return add(v.as_boolean() ? "true" : "false");
    case Kind::integer:
      return add(integer_text(v.as_integer()));
    case Kind::unsigned_integer:
      return add(integer_text(v.as_unsigned()));
    case Kind::number:
      return add(text_of(v.as_number()));
    case Kind::string:
      return add(v.as_string());
    case Kind::bytes:
      return add(to_utf8(v.as_bytes()));
    case Kind::timestamp:
      return add(text_of(v.as_timestamp()));
    case Kind::duration:
      return add(duration_text(v.as_duration()));
    case Kind::type:
      return add(kind_name(v.as_type()));
    case Kind::list:
      out += '[';
      for (std::size_t i = 0; i < v.size(); ++i) {
        if (i > 0) out += ", ";
        if (!append_at(out, v.at(i), budget, depth + 1)) return false;
      }
      out += ']';
      return true;
    case Kind::map: {
      if (!budget.make(v.size() * 64)) return false;
      std::vector<std::pair<std::string, std::size_t>> keys;  // text, place
      for (std::size_t i = 0; i < v.size(); ++i) {
        keys.emplace_back("", i);
        if (!append_at(keys.back().first, v.key_at(i), budget, depth + 1)) return false;
      }
      std::sort(keys.begin(), keys.end());
      out += '{';
      for (std::size_t i = 0; i < keys.size(); ++i) {
        if (i > 0) out += ", ";
        out.append(keys[i].first).append(": ");
        if (!append_at(out, v.value_at(keys[i].second), budget, depth + 1)) return false;
      }
      out += '}';
      return true;
    }
  }
  return false;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::unexpected<Fault> refused(char verb, std::string_view takes, const Value& v) {
  return fault(std::string("format's %") + verb + " takes " + std::string(takes) + ", not " +
               std::string(kind_name(v.kind())));
}

std::expected<std::string, Fault> real(char verb, const Value& v, int precision) {
  double number = 0;
  if (v.is(Kind::number)) {
    number = v.as_number();
  } else if (v.is(Kind::integer)) {
    number = static_cast<double>(v.as_integer());
  } else if (v.is(Kind::unsigned_integer)) {
    number = static_cast<double>(v.as_unsigned());
  } else {
    return refused(verb, "a number", v);
  }
  if (!std::isfinite(number)) return text_of(number);
  std::array<char, 512> buffer;  // 309 digits, a point, 100 digits
  const auto format = verb == 'f' ? std::chars_format::fixed : std::chars_format::scientific;
  const auto [end, code] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format, precision);
  return std::string(buffer.data(), end);
}

std::expected<std::string, Fault> in_base(char verb, const Value& v, int base) {
  if (v.is(Kind::integer)) return integer_text(v.as_integer(), base);
  if (v.is(Kind::unsigned_integer)) return integer_text(v.as_unsigned(), base);
  if (verb == 'b' && v.is(Kind::boolean)) return std::string(v.as_boolean() ? "1" : "0");
  if (base == 16 && v.is(Kind::string)) return hex(v.as_string());
  if (base == 16 && v.is(Kind::bytes)) return hex(v.as_bytes());
  return refused(verb,
                 base == 2   ? "an int, uint or bool"
                 : base == 8 ? "an int or uint"
                             : "an int, uint, string or bytes",
                 v);
}

}  // namespace

bool append_text(std::string& out, const Value& value, Budget& budget) {
  return append_at(out, value, budget, 0);
}

Outcome format(const Call& call) {
  const auto pattern = call.args[0].as_string();
  const Value& values = call.args[1];
  Budget& budget = call.budget;
  if (!budget.make(pattern.size())) return budget.exhausted();
  std::string out;
  std::size_t next = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      out += pattern[i];
      continue;
    }
    if (++i >= pattern.size()) return fault("the format ends within a % clause");
    if (pattern[i] == '%') {
      out += '%';
      continue;
    }
    int precision = kDefaultPrecision;
    const bool precise = pattern[i] == '.';
    if (precise) {
      const auto [end, code] =
          std::from_chars(pattern.data() + i + 1, pattern.data() + pattern.size(), precision);
      if (code != std::errc() || precision < 0 || precision > kMaxPrecision)
        return fault("the precision in a format is a number from 0 to " + std::to_string(kMaxPrecision));
      i = static_cast<std::size_t>(end - pattern.data());
      if (i >= pattern.size()) return fault("the format ends within a % clause");
    }
    const char verb = pattern[i];
    if (std::string_view("sdfebxXo").find(verb) == std::string_view::npos || verb == '\0')
      return fault("unknown clause in a format: `%" + printable(utf8_prefix(pattern.substr(i), 4)) +
                   "`; there are %s %d %f %e %b %o %x %X %%");
    if (precise && verb != 'f' && verb != 'e') return fault("only %f and %e take a precision");
    if (next >= values.size())
      return fault("the format needs more than " + std::to_string(values.size()) + " values");
    const Value v = values.at(next++);
    if (!budget.spend(1)) return budget.exhausted();
    if (verb == 's') {
      if (!append_text(out, v, budget)) return budget.exhausted();
      continue;
    }
    if ((v.is(Kind::string) || v.is(Kind::bytes)) && !budget.spend_text(v.size() * 2))
      return budget.exhausted();
    std::expected<std::string, Fault> text;
    switch (verb) {
      case 'f':
      case 'e':
        text = real(verb, v, precision);
        break;
      case 'b':
        text = in_base(verb, v, 2);
        break;
      case 'o':
        text = in_base(verb, v, 8);
        break;
      case 'd':
        if (v.is(Kind::number) && !std::isfinite(v.as_number())) {
          text = text_of(v.as_number());
        } else if (v.is(Kind::integer) || v.is(Kind::unsigned_integer)) {
          text = in_base(verb, v, 10);
        } else {
          text = refused(verb, "an int or uint", v);
        }
        break;
      default:  // x, X
        text = in_base(verb, v, 16);
        if (text && verb == 'X')
          for (char& c : *text)
            if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
    }
    if (!text) return std::unexpected(std::move(text.error()));
    if (!budget.make(text->size())) return budget.exhausted();
    out += *text;
  }
  return Value::string(std::move(out));
}

}  // namespace baton::expr
