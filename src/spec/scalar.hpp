// What a plain scalar means: YAML 1.2's core schema (YAML 1.2.2, chapter 10.3). So `yes`, `no`, `on` and
// `off` are strings; numbers in JSON are a part of it.
#pragma once

#include <boost/json/value.hpp>
#include <expected>
#include <string>
#include <string_view>

#include "spec/tree.hpp"

namespace baton::spec {

// The kind of a plain (unquoted) scalar. Fails with a sentence for numbers that no JSON value can carry:
// integers beyond 64 bits, reals beyond double, infinities, not-a-number.
std::expected<NodeKind, std::string> plain_kind(std::string_view text);

// The value of a text that plain_kind() calls integer or real: int64, uint64 above INT64_MAX, or double.
boost::json::value number_value(std::string_view text);

}  // namespace baton::spec
