#include "schema/schema.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

namespace baton::schema {
namespace {

namespace json = boost::json;

std::string text(const Problems& problems) {
  std::string out;
  for (const Problem& p : problems) out += (out.empty() ? "" : "\n") + p.pointer + ": " + p.message;
  return out;
}

std::string check(std::string_view schema, std::string_view value) {
  const auto compiled = Schema::compile(json::parse(schema));
  if (!compiled) return "does not compile: " + text(compiled.error());
  return text(compiled->validate(json::parse(value)));
}

struct Case {
  std::string_view schema;
  std::string_view value;
  std::string_view problems;  // "" = fits
};

TEST(Schema, Keywords) {
  constexpr Case kCases[] = {
      {R"({"type":"string"})", R"("x")", ""},
      {R"({"type":"string"})", "1", ": must be a string, not 1"},
      {R"({"type":"integer"})", "1.0", ""},
      {R"({"type":"integer"})", "18446744073709551615", ""},
      {R"({"type":"integer"})", "1.5", ": must be an integer, not 1.5"},
      {R"({"type":"number"})", "1", ""},
      {R"({"type":["null","integer"]})", "null", ""},
      {R"({"type":["null","integer"]})", "true", ": must be null or an integer, not true"},
      {R"({"type":"array"})", "{}", ": must be a list, not a map"},
      {"true", "1", ""},
      {"false", "1", ": is not allowed"},
      {"{}", "[1]", ""},

      {R"({"enum":[1,"a",null]})", "1.0", ""},
      {R"({"enum":[1,"a",null]})", "null", ""},
      {R"({"enum":[1,"a",null]})", R"("b")", R"(: must be one of 1, "a", null, not "b")"},
      {R"({"const":{"a":1,"b":[2]}})", R"({"b":[2.0],"a":1})", ""},
      {R"({"const":{"a":1}})", R"({"a":2})", R"(: must be {"a":1}, not a map)"},

      {R"({"minimum":1,"maximum":3})", "1", ""},
      {R"({"minimum":1,"maximum":3})", "3", ""},
      {R"({"minimum":1,"maximum":3})", "0", ": must be at least 1, not 0"},
      {R"({"minimum":1,"maximum":3})", "4", ": must be at most 3, not 4"},
      {R"({"minimum":1})", R"("text")", ""},
      {R"({"exclusiveMinimum":1})", "1", ": must be more than 1, not 1"},
      {R"({"exclusiveMinimum":1})", "1.5", ""},
      {R"({"exclusiveMaximum":1})", "1", ": must be less than 1, not 1"},
      {R"({"minimum":9007199254740993})", "9007199254740992.0",
       ": must be at least 9007199254740993, not 9007199254740992"},
      {R"({"maximum":-1})", "18446744073709551615", ": must be at most -1, not 18446744073709551615"},

      {R"({"minLength":2,"maxLength":3})", R"("äö")", ""},
      {R"({"minLength":2})", R"("ä")", ": must have at least 2 characters, not 1"},
      {R"({"maxLength":1})", R"("äö")", ": must have at most 1 character, not 2"},
      {R"({"pattern":"^a+$"})", R"("aa")", ""},
      {R"({"pattern":"b"})", R"("abc")", ""},
      {R"({"pattern":"^a+$"})", R"("ab")", R"(: must match the pattern ^a+$, not "ab")"},

      {R"({"minItems":1})", "[]", ": must have at least 1 item, not 0"},
      {R"({"maxItems":1})", "[1,2]", ": must have at most 1 item, not 2"},
      {R"({"uniqueItems":true})", R"([1,{"a":1,"b":2},"1"])", ""},
      {R"({"uniqueItems":true})", R"([{"a":1,"b":2},{"b":2,"a":1.0}])",
       ": must not hold the same item twice (item 1 is a repetition)"},
      {R"({"items":{"type":"integer"}})", R"([1,"a",2,"b"])",
       "/1: must be an integer, not \"a\"\n/3: must be an integer, not \"b\""},

      {R"({"properties":{"a":{"type":"integer"}}})", R"({"a":"x","b":1})",
       "/a: must be an integer, not \"x\""},
      {R"({"required":["a","b"]})", R"({"a":1})", R"(: the property "b" is missing)"},
      {R"({"properties":{"size":{}},"additionalProperties":false})", R"({"szie":1})",
       R"(/szie: is not a known property, did you mean "size"?)"},
      {R"({"additionalProperties":{"type":"string"}})", R"({"a/b~c":1})",
       "/a~1b~0c: must be a string, not 1"},
      {R"({"propertyNames":{"maxLength":2}})", R"({"ab":1,"abc":2})",
       "/abc: must have at most 2 characters, not 3"},
      {R"({"minProperties":1})", "{}", ": must have at least 1 property, not 0"},
      {R"({"maxProperties":0})", R"({"a":1})", ": must have at most 0 properties, not 1"},

      {R"({"allOf":[{"minimum":1},{"maximum":2}]})", "3", ": must be at most 2, not 3"},
      {R"({"anyOf":[{"type":"string"},{"type":"integer"}]})", "1", ""},
      {R"({"anyOf":[{"type":"string"},{"type":"integer"}]})", "[]",
       ": must be an integer or a string, not a list"},
      {R"({"anyOf":[{"type":"string"},{"type":"integer","minimum":5}]})", "1", ": must be at least 5, not 1"},
      {R"({"anyOf":[{"minimum":5},{"maximum":0}]})", "1", ": fits none of the alternatives of `anyOf`"},
      {R"({"oneOf":[{"minimum":1},{"maximum":3}]})", "0", ""},
      {R"({"oneOf":[{"minimum":1},{"maximum":3}]})", "2",
       ": must fit only one of the alternatives of `oneOf`"},
      {R"({"not":{"type":"null"}})", "null", ": must not fit what `not` says"},
      {R"({"not":{"not":{"type":"null"}}})", "null", ""},

      {R"({"definitions":{"n":{"type":"integer"}},"items":{"$ref":"#/definitions/n"}})", R"([1,"x"])",
       "/1: must be an integer, not \"x\""},
      {R"({"type":"object","additionalProperties":{"$ref":"#"}})", R"({"a":{"b":{"c":1}}})",
       "/a/b/c: must be a map, not 1"},
      {R"({"format":"email","title":"t","description":"d","default":1,"examples":[],"$comment":"c"})", "5",
       ""},
  };
  for (const Case& c : kCases) EXPECT_EQ(check(c.schema, c.value), c.problems) << c.schema << "\n" << c.value;
}

TEST(Schema, WhatDoesNotCompile) {
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"5", ": a schema must be a map, or true or false"},
      {R"({"type":"strin"})",
       "/type: a type is one of null, boolean, integer, number, string, array, object; did you mean "
       "`string`?"},
      {R"({"type":[]})", "/type: the list of types is empty"},
      {R"({"minimun":1})", "/minimun: the keyword `minimun` is not supported, did you mean `minimum`?"},
      {R"({"if":{}})", "/if: the keyword `if` is not supported"},
      {R"({"minimum":"1"})", "/minimum: must be a number"},
      {R"({"minLength":-1})", "/minLength: must be an integer that is not negative"},
      {R"({"minItems":1.5})", "/minItems: must be an integer that is not negative"},
      {R"({"uniqueItems":1})", "/uniqueItems: must be true or false"},
      {R"({"pattern":"("})", "/pattern: the pattern is not valid: missing ): ("},
      {R"x({"pattern":"(?=a)"})x", "/pattern: the pattern is not valid: invalid perl operator: (?="},
      {R"({"enum":[]})", "/enum: must be a list of values, not empty"},
      {R"({"enum":[1],"const":1})", ": `enum` and `const` exclude each other"},
      {R"({"required":"a"})", "/required: must be a list of names of properties"},
      {R"({"required":["a","a"]})", "/required: a name stands twice in the list"},
      {R"({"properties":{"a/b":5}})", "/properties/a~1b: a schema must be a map, or true or false"},
      {R"({"properties":[]})", "/properties: must be a map of names to schemas"},
      {R"({"items":[{}]})", "/items: `items` takes one schema for all items"},
      {R"({"anyOf":[]})", "/anyOf: must be a list of schemas, not empty"},
      {R"({"anyOf":[{},{"type":1}]})",
       "/anyOf/1/type: a type is one of null, boolean, integer, number, string, array, object"},
      {R"({"$ref":"#/definitions/x"})", "/$ref: there is nothing at #/definitions/x"},
      {R"({"$ref":"http://example.org/s"})", "/$ref: must begin with #: a place in this schema"},
      {R"({"type":"x","minimum":"y"})",
       "/type: a type is one of null, boolean, integer, number, string, array, object\n/minimum: must be a "
       "number"},
  };
  for (const auto& [schema, problems] : kCases) {
    EXPECT_EQ(check(schema, "1"), "does not compile: " + std::string(problems)) << schema;
  }
}

TEST(Schema, FormatIsNamedAsUnchecked) {
  const auto compiled = Schema::compile(json::parse(R"({"properties":{"mail":{"format":"email"}}})"));
  ASSERT_TRUE(compiled);
  EXPECT_EQ(compiled->unchecked(), std::vector<std::string>{"/properties/mail/format"});
}

TEST(Schema, ProblemsAreLimited) {
  const auto compiled = Schema::compile(json::parse(R"({"items":{"type":"string"}})"));
  ASSERT_TRUE(compiled);
  json::array many;
  for (int i = 0; i < 1000; ++i) many.push_back(i);
  EXPECT_EQ(compiled->validate(many).size(), 100U);
  EXPECT_EQ(compiled->validate(many, 3).size(), 3U);
}

json::value nested(std::size_t levels) {
  json::value value = 1;
  for (std::size_t i = 0; i < levels; ++i) value = json::array{std::move(value)};
  return value;
}

TEST(Schema, DepthIsLimited) {
  const auto any = Schema::compile(true);
  ASSERT_TRUE(any);
  EXPECT_EQ(text(any->validate(nested(256))), "");
  EXPECT_EQ(text(any->validate(nested(257))), ": the value is nested deeper than 256 levels");

  json::value deep = json::object{{"type", "integer"}};
  for (int i = 0; i < 63; ++i) deep = json::object{{"items", std::move(deep)}};
  EXPECT_TRUE(Schema::compile(deep));
  deep = json::object{{"items", std::move(deep)}};
  EXPECT_FALSE(Schema::compile(deep));
}

TEST(Schema, PatternsAreLimitedTogether) {
  const auto patterns = [](std::size_t count) {
    json::array schemas;
    for (std::size_t i = 0; i < count; ++i) schemas.push_back(json::object{{"pattern", "(a{100}){10}"}});
    return json::value{{"allOf", std::move(schemas)}};
  };
  EXPECT_TRUE(Schema::compile(patterns(100)));
  const auto many = Schema::compile(patterns(1000));
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().back().message, "the patterns of the schema are too large together");
  const auto is_long = Schema::compile(json::object{{"pattern", std::string((64 << 10) + 1, 'a')}});
  ASSERT_FALSE(is_long);
  EXPECT_EQ(is_long.error().back().message, "the pattern is longer than 64 KiB");
}

TEST(Schema, EndlessReferencesEnd) {
  EXPECT_EQ(check(R"({"$ref":"#"})", "1"), ": the schema refers to itself without end");
  // Two to the power of the nesting, but for the limit of steps.
  EXPECT_EQ(check(R"({"anyOf":[{"$ref":"#"},{"$ref":"#"}]})", "1"), ": the check takes too many steps");
}

}  // namespace
}  // namespace baton::schema
