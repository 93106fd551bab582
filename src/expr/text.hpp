// Text of numbers, instants and spans as CEL writes and reads them, and UTF-8. No locale matters here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "expr/value.hpp"

namespace baton::expr {

// The whole text as a double: decimal digits, fraction, exponent, sign; "Infinity", "-Infinity", "NaN" too.
// Numbers too large for a double are nullopt; too small ones become 0.
std::optional<double> parse_double(std::string_view text);
// The shortest form that reads back the same: "0.1", "-2.5e-07", "1e+21"; "NaN", "Infinity".
std::string text_of(double v);

// RFC 3339 with any number of fraction digits up to nanoseconds; years 1 to 9999.
std::optional<Timestamp> parse_timestamp(std::string_view text);
std::string text_of(Timestamp t);
bool in_range(Timestamp t);

// Go's form: a sign, then numbers with units h, m, s, ms, us (µs), ns: "1h30m", "-1.5s". "0" has no unit.
std::optional<std::int64_t> parse_duration_nanos(std::string_view text);
// In seconds: "5400s", "-1.5s".
std::string duration_text(std::int64_t nanos);

void append_utf8(std::string& out, std::uint32_t code_point);
// The code point at `at` of valid UTF-8; advances `at`.
std::uint32_t next_code_point(std::string_view text, std::size_t& at);
std::size_t count_code_points(std::string_view text);
// Byte offset of the code point with this index; text.size() for the index just behind the last one, nullopt
// beyond that.
std::optional<std::size_t> offset_of_code_point(std::string_view text, std::uint64_t index);

std::string base64(std::string_view bytes);

}  // namespace baton::expr
