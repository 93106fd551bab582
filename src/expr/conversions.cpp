#include <charconv>
#include <cmath>

#include "base/text.hpp"
#include "expr/library.hpp"
#include "expr/text.hpp"

namespace baton::expr {
namespace {

// What a conversion quotes of a text that it cannot read.
std::string shown(std::string_view text) {
  const auto prefix = utf8_prefix(text, 40);
  return "'" + printable(prefix) + (prefix.size() < text.size() ? "…'" : "'");
}

template <typename T>
std::optional<T> parse_integer(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Outcome to_bool(const Call& call) {
  const Value& v = call.args[0];
  if (v.is(Kind::boolean)) return v;
  const auto text = v.as_string();
  for (const auto* yes : {"1", "t", "T", "true", "TRUE", "True"})
    if (text == yes) return Value::boolean(true);
  for (const auto* no : {"0", "f", "F", "false", "FALSE", "False"})
    if (text == no) return Value::boolean(false);
  return fault(shown(text) + " is not a bool");
}

Outcome to_bytes(const Call& call) {
  const Value& v = call.args[0];
  if (v.is(Kind::bytes)) return v;
  if (!call.budget.make(v.size())) return call.budget.exhausted();
  return Value::bytes(std::string(v.as_string()));
}

Outcome to_double(const Call& call) {
  const Value& v = call.args[0];
  switch (v.kind()) {
    case Kind::integer:
      return Value::number(static_cast<double>(v.as_integer()));
    case Kind::unsigned_integer:
      return Value::number(static_cast<double>(v.as_unsigned()));
    case Kind::string: {
      if (!call.budget.spend_text(v.size())) return call.budget.exhausted();
      const auto number = parse_double(v.as_string());
      if (!number) return fault(shown(v.as_string()) + " is not a double");
      return Value::number(*number);
    }
    default:
      return v;
  }
}

Outcome to_int(const Call& call) {
  const Value& v = call.args[0];
  switch (v.kind()) {
    case Kind::unsigned_integer:
      if (v.as_unsigned() > INT64_MAX) return fault("the uint is out of the range of int");
      return Value::integer(static_cast<std::int64_t>(v.as_unsigned()));
    case Kind::number:
      // The bounds themselves are left out, as in the other implementations: they came from rounding.
      if (!(v.as_number() > -0x1p63 && v.as_number() < 0x1p63))
        return fault("the double is out of the range of int");
      return Value::integer(static_cast<std::int64_t>(v.as_number()));
    case Kind::timestamp:
      return Value::integer(v.as_timestamp().seconds);
    case Kind::string: {
      const auto number = parse_integer<std::int64_t>(v.as_string());
      if (!number) return fault(shown(v.as_string()) + " is not an int");
      return Value::integer(*number);
    }
    default:
      return v;
  }
}

Outcome to_uint(const Call& call) {
  const Value& v = call.args[0];
  switch (v.kind()) {
    case Kind::integer:
      if (v.as_integer() < 0) return fault("a negative int is out of the range of uint");
      return Value::unsigned_integer(static_cast<std::uint64_t>(v.as_integer()));
    case Kind::number:
      if (!(v.as_number() >= 0 && v.as_number() < 0x1p64))
        return fault("the double is out of the range of uint");
      return Value::unsigned_integer(static_cast<std::uint64_t>(v.as_number()));
    case Kind::string: {
      const auto number = parse_integer<std::uint64_t>(v.as_string());
      if (!number) return fault(shown(v.as_string()) + " is not a uint");
      return Value::unsigned_integer(*number);
    }
    default:
      return v;
  }
}

Outcome to_string(const Call& call) {
  const Value& v = call.args[0];
  if (v.is(Kind::string)) return v;
  if (v.is(Kind::bytes) && !is_utf8(v.as_bytes())) return fault("the bytes are not UTF-8");
  std::string out;
  if (!append_text(out, v, call.budget)) return call.budget.exhausted();
  return Value::string(std::move(out));
}

Outcome to_timestamp(const Call& call) {
  const Value& v = call.args[0];
  if (v.is(Kind::timestamp)) return v;
  if (v.is(Kind::integer)) {
    const Timestamp t{v.as_integer(), 0};
    if (!in_range(t)) return fault("the timestamp is out of range: years 1 to 9999");
    return Value::timestamp(t);
  }
  const auto t = parse_timestamp(v.as_string());
  if (!t)
    return fault(shown(v.as_string()) +
                 " is not a timestamp such as '2026-11-21T01:46:00Z' in the years 1 to 9999");
  return Value::timestamp(*t);
}

Outcome to_duration(const Call& call) {
  const Value& v = call.args[0];
  if (v.is(Kind::duration)) return v;
  if (!call.budget.spend_text(v.size())) return call.budget.exhausted();
  const auto nanos = parse_duration_nanos(v.as_string());
  if (!nanos)
    return fault(shown(v.as_string()) + " is not a duration such as '1h30m' or '2.5s' within ±292 years");
  return Value::duration(*nanos);
}

Outcome to_type(const Call& call) {
  return Value::type(call.args[0].kind());
}
Outcome to_dyn(const Call& call) {
  return call.args[0];
}

}  // namespace baton::expr
