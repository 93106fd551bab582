#include "spec/tree.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "spec/read.hpp"

namespace baton::spec {
namespace {

std::string yaml(std::string_view text, const TreeLimits& limits = {}) {
  const auto tree = read_yaml(text, limits);
  if (!tree) return std::to_string(tree.error().span.offset) + ": " + tree.error().message;
  return tree->root() == kNoNode ? "nothing" : boost::json::serialize(tree->to_json(tree->root()));
}

std::string json(std::string_view text, const TreeLimits& limits = {}) {
  const auto tree = read_json(text, limits);
  if (!tree) return std::to_string(tree.error().span.offset) + ": " + tree.error().message;
  return boost::json::serialize(tree->to_json(tree->root()));
}

using Pair = std::pair<std::string_view, std::string_view>;

TEST(Yaml, PlainScalarsFollowTheCoreSchema) {
  constexpr Pair kCases[] = {
      {"null", "null"},
      {"~", "null"},
      {"Null", "null"},
      {"nULL", "\"nULL\""},
      {"true", "true"},
      {"False", "false"},
      {"TRUE", "true"},
      {"yes", "\"yes\""},
      {"no", "\"no\""},
      {"on", "\"on\""},
      {"off", "\"off\""},
      {"y", "\"y\""},
      {"0", "0"},
      {"-17", "-17"},
      {"+5", "5"},
      {"007", "7"},
      {"0o17", "15"},
      {"0xFf", "255"},
      {"0x", "\"0x\""},
      {"0b1", "\"0b1\""},
      {"1_000", "\"1_000\""},
      {"12:30", "\"12:30\""},
      {"1.5", "1.5E0"},
      {".5", "5E-1"},
      {"1.", "1E0"},
      {".", "\".\""},
      {"1e3", "1E3"},
      {"-1.5E-2", "-1.5E-2"},
      {"1e", "\"1e\""},
      {"+", "\"+\""},
      {"1.2.3", "\"1.2.3\""},
      {"-", "[null]"},
      {"2024-01-01", "\"2024-01-01\""},
      {"1e-999", "0E0"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
  };
  for (const auto& [text, value] : kCases) EXPECT_EQ(yaml(text), value) << text;
  EXPECT_NE(yaml("18446744073709551616").find("does not fit into 64 bits"), std::string::npos);
  EXPECT_NE(yaml("-9223372036854775809").find("does not fit into 64 bits"), std::string::npos);
  EXPECT_NE(yaml("1e999").find("is too large"), std::string::npos);
  EXPECT_NE(yaml(".nan").find("no form in JSON"), std::string::npos);
}

TEST(Yaml, QuotedTextIsText) {
  EXPECT_EQ(yaml("['5', \"true\", !!str 5, ! 5, '', \"\\u00e9\\n\"]"), R"(["5","true","5","5","","é\n"])");
  EXPECT_EQ(yaml("a: |\n  5\n\nb: >-\n  x\n  y\n"), R"({"a":"5\n","b":"x y"})");
  EXPECT_EQ(yaml("a:\nb: ''\n"), R"({"a":null,"b":""})");
}

TEST(Yaml, AliasesAndMergeKeys) {
  EXPECT_EQ(yaml("a: &x {k: [1, 2]}\nb: *x\nc: [*x, *x]"),
            R"({"a":{"k":[1,2]},"b":{"k":[1,2]},"c":[{"k":[1,2]},{"k":[1,2]}]})");
  EXPECT_EQ(yaml("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}"), R"({"a":{"k":1,"l":2},"b":{"k":3,"l":2}})");
  EXPECT_EQ(yaml("a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc: {<<: [*x, *y], n: 4}"),
            R"({"a":{"k":1},"b":{"k":2,"m":3},"c":{"n":4,"k":1,"m":3}})");
  EXPECT_EQ(yaml("a: &x {k: 1}\nb: &y {<<: *x, l: 2}\nc: {<<: *y}"),
            R"({"a":{"k":1},"b":{"l":2,"k":1},"c":{"l":2,"k":1}})");
  EXPECT_EQ(yaml("'<<': 1"), R"({"<<":1})");
  EXPECT_EQ(yaml("&k a: 1\nb: *k"), R"({"a":1,"b":"a"})");
  EXPECT_EQ(yaml("&a a: &a 1\nb: *a"), R"({"a":1,"b":1})");
  EXPECT_EQ(yaml("a: &x []\n*x : 1"), "9: a key must be a single word or text");
  EXPECT_EQ(yaml("a: {<<: 5}"), "8: the merge key << takes a map or a list of maps");
  EXPECT_EQ(yaml("a: &x [1]\nb: {<<: *x}"), "7: the merge key << takes a map or a list of maps");
}

TEST(Yaml, KeysAreTextAndStandOnce) {
  EXPECT_EQ(yaml("{1: a, true: b, 1.0: c}"), R"({"1":"a","true":"b","1.0":"c"})");
  EXPECT_EQ(yaml("a: 1\nb: 2\na: 3"), "10: the key \"a\" stands twice in this map");
  EXPECT_EQ(yaml("a: 1\n'a': 3"), "5: the key \"a\" stands twice in this map");
  EXPECT_EQ(yaml("? [a]\n: b"), "2: a key must be a single word or text, not a list");
  EXPECT_EQ(yaml("{? ~ : b}"), "3: a key is missing");
  EXPECT_EQ(yaml("{a: 1, <<: {b: 2}, <<: {c: 3}}"), "19: the key \"<<\" stands twice in this map");
}

TEST(Yaml, OneDocument) {
  EXPECT_EQ(yaml(""), "nothing");
  EXPECT_EQ(yaml("# only a comment"), "nothing");
  EXPECT_EQ(yaml("---\na: 1\n..."), R"({"a":1})");
  EXPECT_EQ(yaml("a: 1\n---\nb: 2"), "5: the file has a second document: one definition per file");
}

TEST(Yaml, SyntaxErrorsHaveTheirPlace) {
  EXPECT_EQ(yaml("a: 1\n\tb: 2"), "5: a tab cannot be used here");
  EXPECT_EQ(yaml("é: [1, 2"), "9: `,` or `]` is expected here");
  EXPECT_EQ(yaml("é: 'open"), "9: the text ends inside of a text in quotes");
  EXPECT_EQ(yaml("a: \x01"), "3: this character is not allowed in YAML");
  EXPECT_EQ(yaml("a: !local 5"), "3: the tag !local is not supported");
  EXPECT_EQ(yaml("a: \"x\\0y\""), "3: text must not hold the character NUL");
}

TEST(Yaml, BudgetsHoldOnBothSides) {
  const auto depth = [](int n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_EQ(yaml(depth(64)), depth(64));
  EXPECT_EQ(yaml(depth(65)), "64: lists and maps are nested deeper than 64 levels");
  EXPECT_EQ(yaml("[1, 2, 3]", {.nodes = 4}), "[1,2,3]");
  EXPECT_EQ(yaml("[1, 2, 3]", {.nodes = 3}), "7: the definition has more than 3 values");
  EXPECT_EQ(yaml("[&a [1, 2], *a, *a]", {.alias_nodes = 6}), "[[1,2],[1,2],[1,2]]");
  EXPECT_EQ(yaml("[&a [1, 2], *a, *a]", {.alias_nodes = 5}), "16: the aliases stand for more than 5 values");
  EXPECT_EQ(yaml("[&a [xyz, &b u], *a, *b]", {.alias_bytes = 5}), R"([["xyz","u"],["xyz","u"],"u"])");
  EXPECT_EQ(yaml("[&a [xyz, &b u], *a, *b]", {.alias_bytes = 4}),
            "21: the aliases stand for more than 4 bytes of text");
  EXPECT_EQ(yaml("[&a 1, &b 2]", {.anchors = 2}), "[1,2]");
  EXPECT_EQ(yaml("[&a 1, &b 2, &c 3]", {.anchors = 2}), "13: the definition has more than 2 anchors");
  EXPECT_EQ(yaml("[&a [[1]], [*a]]", {.depth = 4}), "[[[1]],[[[1]]]]");
  EXPECT_EQ(yaml("[&a [[1]], [*a]]", {.depth = 3}), "12: lists and maps are nested deeper than 3 levels");
  EXPECT_EQ(yaml("a: &a {x: 1, y: 2}\nb: {<<: *a}", {.alias_nodes = 9}),
            R"({"a":{"x":1,"y":2},"b":{"x":1,"y":2}})");
  EXPECT_EQ(yaml("a: &a {x: 1, y: 2}\nb: {<<: *a}", {.alias_nodes = 8}),
            "22: the aliases stand for more than 8 values");
}

TEST(Json, ReadsWhatTheRfcSays) {
  constexpr Pair kCases[] = {
      {"{}", "{}"},
      {" [ ] ", "[]"},
      {R"({"a":[1,-2,0.5,1e3,true,false,null,"x"]})", R"({"a":[1,-2,5E-1,1E3,true,false,null,"x"]})"},
      {R"("\u00e9\ud83d\ude80\"\\\/\b\f\n\r\t")", R"("é🚀\"\\/\b\f\n\r\t")"},
      {"\"\xE2\x80\xA8\"", "\"\xE2\x80\xA8\""},  // a line separator is no line break in JSON
      {R"({"a":{"b":[{"c":[]}]}})", R"({"a":{"b":[{"c":[]}]}})"},
  };
  for (const auto& [text, value] : kCases) EXPECT_EQ(json(text), value) << text;
}

TEST(Json, RefusesEverythingElse) {
  constexpr Pair kCases[] = {
      {"", "0: expected a value, but the text ends"},
      {"{", "1: expected a key in double quotes, but the text ends"},
      {"[1,]", "3: expected a value after the comma, but found `]`"},
      {"[1 2]", "3: expected `,` or `]`, but found `2`"},
      {"{\"a\" 1}", "5: expected `:`, but found `1`"},
      {"{\"a\":}", "5: expected a value, but found `}`"},
      {"{'a':1}", "1: expected a key in double quotes, but found `'`"},
      {"{a:1}", "1: expected a key in double quotes, but found `a`"},
      {"[01]", "1: expected a value, but found `0`"},
      {"[+1]", "1: expected a value, but found `+`"},
      {"[.5]", "1: expected a value, but found `.`"},
      {"[1.]", "1: expected a value, but found `1`"},
      {"[-]", "1: expected a value, but found `-`"},
      {"[1e]", "1: expected a value, but found `1`"},
      {"[True]", "1: expected a value, but found `T`"},
      {"[0x1]", "1: expected a value, but found `0`"},
      {"[1] x", "4: expected the end of the text, but found `x`"},
      {"[1]]", "3: expected the end of the text, but found `]`"},
      {"[1}", "2: expected `,` or `]`, but found `}`"},
      {"\"a", "0: this string has no closing quote"},
      {"\"\\", "1: this is not an escape of JSON"},
      {"\"\\u12\"", "1: this is not an escape of JSON"},
      {"\"\\udc00\"", "1: this is half of a surrogate pair"},
      {"\"\\ud800\\u0041\"", "1: this is half of a surrogate pair"},
      {"\"a\nb\"", "2: a control character in a string must be escaped"},
      {R"({"a":1,"a":2})", "7: the key \"a\" stands twice in this map"},
      {"[1e999]", "1: the number 1e999 is too large; put it in quotes if it is text"},
      {"\xC3\xA9", "0: expected a value, but found `é`"},
  };
  for (const auto& [text, error] : kCases) EXPECT_EQ(json(text), error) << text;
}

TEST(Json, NestingIsLimitedWithoutRecursion) {
  EXPECT_EQ(json(std::string(1'000'000, '[')), "64: lists and maps are nested deeper than 64 levels");
}

TEST(Read, ChoosesByNameThenByTheFirstCharacter) {
  EXPECT_TRUE(looks_like_json("a.json", "x"));
  EXPECT_FALSE(looks_like_json("a.yaml", "{"));
  EXPECT_FALSE(looks_like_json("a.yml", "{"));
  EXPECT_TRUE(looks_like_json("-", " \n{ \"name\""));
  EXPECT_FALSE(looks_like_json("-", "{name: x}"));
  EXPECT_FALSE(looks_like_json("-", "name: x"));
  EXPECT_FALSE(looks_like_json("-", ""));
}

TEST(Read, SizeIsLimited) {
  EXPECT_TRUE(read_tree("a.yaml", "a: 1", {.bytes = 4}));
  const auto larger = read_tree("a.yaml", std::string((16 << 20) + 1, '#'), {});
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().message, "the definition is larger than 16 MiB");
}

TEST(Tree, NodesAreSmall) {
  EXPECT_LE(sizeof(Node), 28U);
}

}  // namespace
}  // namespace baton::spec
