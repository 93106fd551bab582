// From values to JSON.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "base/error.hpp"
#include "expr/value.hpp"

namespace baton::expr {

// bytes: base64 text; timestamp: RFC 3339 text; duration: number of seconds; keys of maps: their text. A
// type, NaN, an infinity, two keys with the same text, or nesting over 500 levels is an error
// (ErrorCode::expression). Integers stay integers, also beyond 2^53.
Result<boost::json::value> to_json(const Value& value);

// What `baton eval --typed` prints: {"type": …, "value": …}. Integers beyond ±2^53 as text, NaN and
// infinities as "NaN", "Infinity", "-Infinity"; bytes base64; timestamp, duration and type as text; keys as
// text.
Result<boost::json::value> to_typed_json(const Value& value);

// JSON text without blanks. Doubles stand as people write them (1.5, 1.0, 1e+21), not in Boost.JSON's 1.5E0.
std::string compact_json(const boost::json::value& value);

}  // namespace baton::expr
