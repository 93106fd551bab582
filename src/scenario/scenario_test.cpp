// Reading, comparing and playing scenarios; whole files are in tests/scenarios and
// tests/integration/scenarios.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "scenario/check.hpp"
#include "scenario/events.hpp"
#include "scenario/read.hpp"
#include "scenario/reader.hpp"
#include "scenario/run.hpp"

namespace baton::scenario {
namespace {

namespace json = boost::json;

EventPattern pattern(std::string_view text) {
  return read_pattern(text).value();
}

EventLine line(Duration at, std::vector<std::string> words) {
  return {at, std::move(words)};
}

const EventLine kEnded = line(
    Duration::seconds(3), {"attempt.ended", "fetch", "attempt=1", "outcome=failed", "error_type=connection"});

TEST(Events, APatternSaysAsMuchAsItLikes) {
  for (const std::string_view text :
       {"attempt.ended", "attempt.ended fetch", "3s attempt.ended",
        "3000ms attempt.ended fetch 1 failed connection", "2s..4s attempt.ended fetch failed",
        "attempt.ended attempt=1 error_type=connection"}) {
    EXPECT_TRUE(matches(pattern(text), kEnded)) << text;
  }
  for (const std::string_view text :
       {"attempt.started", "4s attempt.ended", "attempt.ended load", "attempt.ended fetch 2",
        "attempt.ended fetch failed 1", "attempt.ended fetch outcome=1", "4s..5s attempt.ended",
        "attempt.end"}) {
    EXPECT_FALSE(matches(pattern(text), kEnded)) << text;
  }
}

TEST(Events, OrderCountsAndExactMeansExact) {
  const std::vector<EventLine> lines{line({}, {"a"}), line({}, {"b"}), line({}, {"c"})};
  EXPECT_FALSE(compare({pattern("a"), pattern("c")}, lines, false));
  EXPECT_EQ(compare({pattern("c"), pattern("a")}, lines, false)->pattern, 1u);
  EXPECT_EQ(compare({pattern("a"), pattern("c")}, lines, true)->pattern, 1u);
  EXPECT_FALSE(compare({pattern("a"), pattern("b"), pattern("c")}, lines, true));
  EXPECT_EQ(compare({pattern("a"), pattern("b")}, lines, true)->pattern, 2u) << "more happened";
  EXPECT_TRUE(compare({}, lines, true));
  EXPECT_FALSE(compare({}, {}, true));
}

TEST(Events, ATimeMayBeARange) {
  EXPECT_EQ(read_range("3s")->to, Duration::seconds(3));
  EXPECT_EQ(read_range("3s..1m")->to, Duration::minutes(1));
  EXPECT_FALSE(read_range("1m..3s"));
  EXPECT_FALSE(read_range("3s.."));
  EXPECT_FALSE(read_range("soon"));
  EXPECT_FALSE(read_pattern("3s"));
  EXPECT_FALSE(read_pattern("  "));
}

std::string differs(std::string_view field, std::string_view expected, std::string_view actual) {
  return difference(field, json::parse(expected), json::parse(actual), WallTime{1'000'000'000'000'000});
}

TEST(Fields, AreComparedAsWhatTheyAre) {
  EXPECT_EQ(differs("attempts", "3", "3"), "");
  EXPECT_NE(differs("attempts", "3", "4"), "");
  EXPECT_EQ(differs("progress", "1", "1.0"), "");
  EXPECT_EQ(differs("result", R"({"a":[1,2.0]})", R"({"a":[1.0,2]})"), "");
  EXPECT_NE(differs("result", R"({"a":1})", R"({"a":1,"b":2})"), "") << "a result is compared as a whole";
  EXPECT_EQ(differs("counts", R"({"failed":1})", R"({"failed":1,"total":2})"), "");
  EXPECT_EQ(differs("error", R"("exit")", R"({"type":"exit","message":"x"})"), "");
  EXPECT_EQ(differs("error", R"({"message":"code 3"})", R"({"type":"exit","message":"exited with code 3"})"),
            "");
  EXPECT_NE(differs("error", R"("exit")", "null"), "");
  EXPECT_EQ(differs("error", "null", "null"), "");
}

TEST(Fields, InstantsCountFromTheStart) {
  EXPECT_EQ(differs("started_at", R"("5s")", R"("2001-09-09T01:46:45.000Z")"), "");
  EXPECT_EQ(differs("started_at", R"("4s..6s")", R"("2001-09-09T01:46:45.000Z")"), "");
  EXPECT_EQ(differs("started_at", "5", R"("2001-09-09T01:46:45.000Z")"), "");
  EXPECT_EQ(differs("started_at", R"("6s")", R"("2001-09-09T01:46:45.000Z")"),
            "expected \"6s\", but it is 5s");
  EXPECT_NE(differs("started_at", R"("soon")", R"("2001-09-09T01:46:45.000Z")"), "");
  EXPECT_EQ(differs("ended_at", "null", "null"), "");
  EXPECT_NE(differs("ended_at", R"("1s")", "null"), "");
  EXPECT_EQ(differs("duration", R"("1m")", "60.0"), "");
  EXPECT_NE(differs("duration", R"("1m")", "null"), "");
}

std::vector<Scenario> read(const std::string& text) {
  ReadResult result = read_scenarios(text, "x.test.yaml", [](const std::string& path) -> Result<std::string> {
    return baton::fail(ErrorCode::not_found, "there is no " + path);
  });
  for (const auto& diagnostic : result.diagnostics) ADD_FAILURE() << spec::render(diagnostic);
  return std::move(result.scenarios);
}

constexpr const char* kRetries = R"(
workflow:
  name: w
  steps:
    a: {run: "true", retry: {max_attempts: 9, jitter: full}}
    b: {needs: [a], for_each: [1, 2, 3], run: "true", timeout: 1h}
steps:
  a: [{takes: 1s, error: exit}, {takes: 1s, error: exit}, {takes: 1s}]
  b: {takes: forever}
at: {30m: cancel}
expect: cancelled
)";

TEST(Play, IsTheSameEveryTimeAndWithOtherOwners) {
  const auto scenarios = read(kRetries);
  ASSERT_EQ(scenarios.size(), 1u);
  const Report first = run(scenarios[0]);
  ASSERT_TRUE(first.passed()) << first.failures[0].diagnostic.message;
  EXPECT_GT(first.history.size(), 20u);
  EXPECT_EQ(run(scenarios[0]).history, first.history);
  EXPECT_TRUE(run(scenarios[0], {.restart_every = 1}).passed());
}

TEST(Play, AnotherSeedIsAnotherHistory) {
  auto scenarios = read(kRetries);
  const Report first = run(scenarios[0]);
  scenarios[0].seed = 2;
  EXPECT_NE(run(scenarios[0]).history, first.history);
}

TEST(Play, WhatIsRefusedFailsUnlessItIsExpected) {
  auto scenarios = read(kRetries);
  scenarios[0].actions.push_back({.at = Duration::hours(1), .verb = "cancel", .run = kMainRun});
  const Report refused = run(scenarios[0]);
  ASSERT_EQ(refused.failures.size(), 1u);
  EXPECT_NE(refused.failures[0].diagnostic.message.find("(conflict)"), std::string::npos);
  scenarios[0].actions.back().refused = "conflict";
  EXPECT_TRUE(run(scenarios[0]).passed());
  scenarios[0].actions.back().refused = "not_found";
  EXPECT_FALSE(run(scenarios[0]).passed());
}

}  // namespace
}  // namespace baton::scenario
