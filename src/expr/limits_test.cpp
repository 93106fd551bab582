// Hostile expressions end within their limits.
#include <gtest/gtest.h>

#include "expr/test_support.hpp"

namespace baton::expr {
namespace {

constexpr std::string_view kWork = "error: the expression does more work than is allowed…";
constexpr std::string_view kData = "error: the expression makes more data than is allowed…";

std::string times(std::string_view part, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += part;
  return out;
}

TEST(Limits, ExponentialMacros) {
  const std::string ten = "[1,2,3,4,5,6,7,8,9,0]";
  std::string text = "1";
  for (int i = 0; i < 20; ++i) text = ten + ".map(x, " + text + ")";
  EXPECT_TRUE(fits(outcome(text), kWork));
  text = "true";
  for (int i = 0; i < 20; ++i) text = ten + ".all(x, " + text + ")";
  EXPECT_TRUE(fits(outcome(text), kWork));
}

TEST(Limits, ExhaustionIsNotAbsorbed) {
  std::string text = "true";
  for (int i = 0; i < 20; ++i) text = "[1,2,3,4,5,6,7,8,9,0].all(x, " + text + ")";
  EXPECT_TRUE(fits(outcome("(" + text + ") || true"), kWork));
  EXPECT_TRUE(fits(outcome("[1].exists(x, " + text + ") || true"), kWork));
}

TEST(Limits, DoublingStrings) {
  // Each level has the text of the level below twice.
  std::string text = "'0123456789abcdef'";
  for (int i = 0; i < 40; ++i) text = "[" + text + "].map(x, x + x)[0]";
  const auto got = outcome(text);
  EXPECT_TRUE(fits(got, kData) || fits(got, kWork)) << got;
  std::string list = "[0,1,2,3,4,5,6,7,8,9]";
  for (int i = 0; i < 40; ++i) list = "[" + list + "].map(x, x + x)[0]";
  EXPECT_TRUE(fits(outcome(list), kData) || fits(outcome(list), kWork));
  std::string replaced = "'aaaaaaaaaaaaaaaa'";
  for (int i = 0; i < 20; ++i) replaced += ".replace('a', 'aaaaaaaa')";
  EXPECT_TRUE(fits(outcome(replaced), kData) || fits(outcome(replaced), kWork));
  std::string value = "'x'";
  for (int i = 0; i < 60; ++i) value = "[" + value + "].map(x, '%s%s%s%s'.format([x, x, x, x]))[0]";
  EXPECT_TRUE(fits(outcome(value), kData) || fits(outcome(value), kWork));
}

TEST(Limits, MemoryHasALimitOfItsOwn) {
  const auto variables = variables_of(R"({"s": ")" + std::string(10'000, 'x') + R"("})");
  EXPECT_TRUE(fits(outcome("(s + s).size()", variables, {.steps = 100'000, .bytes = 10'000}), kData));
  EXPECT_EQ(outcome("(s + s).size()", variables, {.steps = 100'000, .bytes = 20'000}), "int 20000");
}

TEST(Limits, HostilePatterns) {
  const auto variables = variables_of(R"({"s": ")" + std::string(100'000, 'a') + R"("})");
  EXPECT_EQ(outcome("s.matches('(a+)+$')", variables), "bool true");
  EXPECT_EQ(outcome("s.matches('(a|aa)+b')", variables), "bool false");
  EXPECT_TRUE(
      fits(outcome("'a'.matches('((a{100}){100}){100}')"), "parse error at 12: not a regular expression…"));
  EXPECT_TRUE(fits(outcome("'a'.matches('((a{100}){100})' + '{100}')"), "error: not a regular expression…"));
  EXPECT_TRUE(fits(outcome("'a'.matches('" + times("x", 5000) + "')"),
                   "parse error at 12: not a regular expression: longer…"));
  EXPECT_TRUE(fits(outcome("'a'.matches('" + times("(", 2000) + "')"),
                   "parse error at 12: not a regular expression…"));
  EXPECT_TRUE(fits(outcome("[1,2,3,4,5,6,7,8,9].map(x, [1,2,3,4,5,6,7,8,9].map(y, [1,2,3,4,5,6,7,8,9].map(z, "
                           "s.matches('a' + '.*b'))))",
                           variables),
                   kWork));
}

TEST(Limits, ManyPatternsAreCompiledOnTheEvaluationsAccount) {
  std::string text = "false";
  for (int i = 0; i < 1'500; ++i) text += " || 'a'.matches('\\\\pL{1,3}" + std::to_string(i) + "')";
  const auto parsed = Expression::parse(text);
  ASSERT_TRUE(parsed) << parsed.error().front().message;
  EXPECT_TRUE(fits(outcome(text), kWork));
}

TEST(Limits, LongTextsAreCharged) {
  const auto variables = variables_of(R"({"s": ")" + std::string(500'000, 'a') + R"("})");
  EXPECT_EQ(outcome("s.contains('b')", variables), "bool false");
  EXPECT_TRUE(fits(outcome("[1,2,3,4,5,6,7,8,9,10].map(x, s.contains('b'))", variables), kWork));
  EXPECT_TRUE(fits(outcome("[1,2,3,4,5,6,7,8,9,10].map(x, s + 'b' == s + 'c')", variables), kWork));
  EXPECT_TRUE(fits(outcome("[1,2,3,4,5,6,7,8,9,10].all(x, [1,2,3].all(y, size(s) > 0))", variables), kWork));
  EXPECT_TRUE(fits(outcome("s.split('')", variables), kWork));
}

TEST(Limits, CostIsTheSameEachTime) {
  const auto parsed =
      Expression::parse("[3, 1, 2].map(x, 'a' + string(x)).filter(s, s.matches('[12]')).join('-')");
  ASSERT_TRUE(parsed);
  // The least number of steps that is enough.
  const auto needed = [&] {
    std::uint64_t low = 0;
    std::uint64_t high = 100'000;
    while (low < high) {
      const auto middle = (low + high) / 2;
      if (evaluate(*parsed, {}, {.steps = middle}, test_zones()))
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  };
  const auto first = needed();
  EXPECT_GT(first, 20u);
  EXPECT_LT(first, 1'000u);
  EXPECT_EQ(needed(), first);
}

TEST(Limits, NestedDataOfTheCaller) {
  // Deeper than any walk over values goes.
  Value v;
  for (int i = 0; i < 2'000; ++i) v = Value::list({v});
  Variables variables;
  variables.set("v", v);
  EXPECT_TRUE(fits(outcome("v == v", variables), kWork));
  EXPECT_TRUE(fits(outcome("'%s'.format([v])", variables), kWork));
  EXPECT_EQ(outcome("size(v)", variables), "int 1");
}

}  // namespace
}  // namespace baton::expr
