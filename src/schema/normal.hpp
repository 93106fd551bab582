// One text for each value, the same for values that are equal in JSON Schema's sense.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace baton::schema {

inline constexpr std::size_t kMaxDepth = 256;

// Whether no list or map is nested deeper than `levels`.
bool is_within_depth(const boost::json::value& value, std::size_t levels);

// Compact JSON with sorted keys and 1.0 as 1. The value must be within kMaxDepth.
std::string normal_text(const boost::json::value& value);

// -1, 0 or 1; exact between integers and reals.
int compare_numbers(const boost::json::value& a, const boost::json::value& b);

// Whether a number has no fraction.
bool is_integral(const boost::json::value& number);

// A JSON pointer's part with ~ and / escaped.
std::string escape_pointer(std::string_view part);

}  // namespace baton::schema
