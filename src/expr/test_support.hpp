// Shared by this folder's tests: an expression's outcome as one line of text.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "expr/expr.hpp"
#include "expr/json.hpp"

namespace baton::expr {

inline const calendar::ZoneTable& test_zones() {
  static const calendar::ZoneTable zones = calendar::ZoneTable::utc_only();
  return zones;
}

inline std::shared_ptr<const boost::json::value> document(std::string_view text) {
  return std::make_shared<const boost::json::value>(
      boost::json::parse(boost::json::string_view(text.data(), text.size())));
}

inline Variables variables_of(std::string_view json) {
  return *Variables::from_json(document(json));
}

// `int 3`, `string "a"`, `error: division by zero`, `parse error at 4: …`.
inline std::string outcome(std::string_view text, const Variables& variables = {}, const Limits& limits = {},
                           const calendar::ZoneTable& zones = test_zones()) {
  const auto parsed = Expression::parse(text);
  if (!parsed) {
    const auto& d = parsed.error().front();
    return "parse error at " + std::to_string(d.offset) + ": " + d.message;
  }
  const auto value = evaluate(*parsed, variables, limits, zones);
  if (!value) return "error: " + value.error().message;
  const auto typed = to_typed_json(*value);
  if (!typed) return "no JSON: " + typed.error().message;
  return std::string(kind_name(value->kind())) + " " + boost::json::serialize(typed->at("value"));
}

struct Row {
  std::string_view text;
  std::string_view want;  // the outcome; one that ends in … is the start of it
};

inline bool fits(std::string_view got, std::string_view want) {
  constexpr std::string_view dots = "…";
  return want.ends_with(dots) ? got.starts_with(want.substr(0, want.size() - dots.size())) : got == want;
}

}  // namespace baton::expr

// Runs a table and names each row that differs.
#define EXPECT_ROWS(rows, variables)                                     \
  for (const ::baton::expr::Row& row : rows) {                           \
    const std::string got = ::baton::expr::outcome(row.text, variables); \
    EXPECT_TRUE(::baton::expr::fits(got, row.want))                      \
        << row.text << "\n   got " << got << "\n  want " << row.want;    \
  }
