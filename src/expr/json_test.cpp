#include "expr/json.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "expr/test_support.hpp"

namespace baton::expr {
namespace {

std::string plain(std::string_view text) {
  const auto value = evaluate(*Expression::parse(text), {}, {}, test_zones());
  const auto result = to_json(*value);
  return result ? boost::json::serialize(*result) : "error: " + result.error().message;
}
std::string typed(std::string_view text) {
  const auto value = evaluate(*Expression::parse(text), {}, {}, test_zones());
  const auto result = to_typed_json(*value);
  return result ? boost::json::serialize(*result) : "error: " + result.error().message;
}

TEST(Json, Plain) {
  EXPECT_EQ(plain("[null, true, -1, 2u, 1.5, 'a', b'\\xff']"), R"([null,true,-1,2,1.5E0,"a","/w=="])");
  EXPECT_EQ(plain("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(plain("18446744073709551615u"), "18446744073709551615");
  EXPECT_EQ(plain("{'b': 1, 2: 'x', false: []}"), R"({"b":1,"2":"x","false":[]})");
  EXPECT_EQ(plain("[duration('2m'), duration('-1.25s'), timestamp(1)]"),
            R"([120,-1.25E0,"1970-01-01T00:00:01Z"])");
  EXPECT_EQ(plain("{1: 'a', '1': 'b'}"), "error: two keys of a map have the same text in JSON: 1");
  EXPECT_EQ(plain("[int]"), "error: a type (int) has no form in JSON");
  EXPECT_EQ(plain("[1.0 / 0.0]"), "error: JSON has no number for Infinity");
}

TEST(Json, Typed) {
  EXPECT_EQ(typed("null"), R"({"type":"null","value":null})");
  EXPECT_EQ(typed("9007199254740992"), R"({"type":"int","value":9007199254740992})");
  EXPECT_EQ(typed("9007199254740993"), R"({"type":"int","value":"9007199254740993"})");
  EXPECT_EQ(typed("-9007199254740993"), R"({"type":"int","value":"-9007199254740993"})");
  EXPECT_EQ(typed("[9007199254740993u, 0.0 / 0.0, -1.0 / 0.0]"),
            R"({"type":"list","value":["9007199254740993","NaN","-Infinity"]})");
  EXPECT_EQ(typed("b'\\xff\\xfe'"), R"({"type":"bytes","value":"//4="})");
  EXPECT_EQ(typed("timestamp(0)"), R"({"type":"google.protobuf.Timestamp","value":"1970-01-01T00:00:00Z"})");
  EXPECT_EQ(typed("duration('1.5s')"), R"({"type":"google.protobuf.Duration","value":"1.5s"})");
  EXPECT_EQ(typed("type(int)"), R"({"type":"type","value":"type"})");
  EXPECT_EQ(typed("{1: int}"), R"({"type":"map","value":{"1":"int"}})");
}

TEST(Json, ThereAndBack) {
  const auto doc = document(R"({"i": -5, "u": 18446744073709551615, "d": 0.1, "z": -0.0, "s": "\u0000é",
                               "l": [[], {}], "n": null, "b": false})");
  const auto value = Value::from_json(doc);
  EXPECT_EQ(*to_json(value), *doc);
  EXPECT_EQ(value.find("u")->kind(), Kind::unsigned_integer);
  EXPECT_EQ(value.find("i")->kind(), Kind::integer);
  EXPECT_EQ(value.find("d")->kind(), Kind::number);
  EXPECT_EQ(value.find("s")->as_string(), std::string_view("\0é", 3));
  EXPECT_FALSE(value.find("x"));
}

TEST(Json, DeepNestingIsAnError) {
  Value v;
  for (int i = 0; i < 600; ++i) v = Value::list({v});
  EXPECT_EQ(to_json(v).error().message, "the value is nested too deep for JSON");
  std::uint64_t steps = 1'000'000;
  EXPECT_EQ(equal(v, v, steps), std::nullopt);
}

TEST(Values, WallTime) {
  EXPECT_EQ(timestamp_of(WallTime{-1}), (Timestamp{-1, 999'999'000}));
  EXPECT_EQ(timestamp_of(WallTime{1'500'000}), (Timestamp{1, 500'000'000}));
}

TEST(Values, NamesOfKinds) {
  for (int k = 0; k <= static_cast<int>(Kind::type); ++k) {
    const auto kind = static_cast<Kind>(k);
    EXPECT_EQ(kind_from_name(kind_name(kind)), kind);
  }
  EXPECT_FALSE(kind_from_name("dyn"));
}

}  // namespace
}  // namespace baton::expr
