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

constexpr const char* kFunctions = R"(
workflow:
  name: w
  steps:
    a: {task: f, with: {n: 1}, retry: {max_attempts: 2, initial: 1h, jitter: none}, timeout: 10s}
    b: {needs: [a], task: g}
    c: {needs: [b], run: "true"}
steps:
  b: {result: pretended}
expect: {status: completed, duration: 1h7s, steps: {a: {attempts: 2, result: 5}, b: {result: pretended}}}
)";

TEST(Play, FunctionsAreCarriedOutWhereNothingIsPretended) {
  const auto scenarios = read(kFunctions);
  std::vector<json::value> asked;
  const auto answer = [&](const std::string& attempt) -> Result<std::string> {
    asked.push_back(json::parse(attempt));
    if (asked.size() == 1) return R"({"takes":"3s","error":{"type":"busy","message":"not now"}})";
    return R"({"takes":"4s","result":5})";
  };
  for (const std::uint32_t restart_every : {0U, 1U}) {
    asked.clear();
    const Report report = run(scenarios[0], {.restart_every = restart_every, .carry_out = answer});
    ASSERT_TRUE(report.passed()) << report.failures[0].diagnostic.message;
    ASSERT_EQ(asked.size(), 2u) << "once for each attempt of a function";
    EXPECT_EQ(asked[0].at("spec"), json::parse(R"({"function":"f","with":{"n":1}})"));
    EXPECT_EQ(asked[0].at("timeout"), json::parse(R"({"soft":10.0,"hard":20.0})"));
    EXPECT_EQ(asked[0].at("now"), "2030-01-01T00:00:00.000Z");
    EXPECT_EQ(asked[1].at("attempt"), 2);
    EXPECT_EQ(asked[1].at("now"), "2030-01-01T01:00:03.000Z");
    EXPECT_EQ(report.run.at("status"), "completed");
    EXPECT_EQ(report.tasks.size(), 3u);
    EXPECT_EQ(report.definition.at("name"), "w");
  }
}

TEST(Play, AnAnswerThatIsNoneFailsTheScenarioOnce) {
  const auto scenarios = read(kFunctions);
  for (const char* wrong : {"", "[]", "{", R"({"reslut":1})", R"({"takes":"soon"})"}) {
    const Report report = run(scenarios[0], {.carry_out = [&](const std::string&) { return wrong; }});
    ASSERT_FALSE(report.passed()) << wrong;
    EXPECT_NE(report.failures[0].diagnostic.message.find("could not be carried out"), std::string::npos)
        << wrong;
  }
  int calls = 0;
  const Report gone = run(scenarios[0], {.carry_out = [&](const std::string&) -> Result<std::string> {
                            ++calls;
                            return baton::fail(ErrorCode::io, "it is gone");
                          }});
  EXPECT_EQ(calls, 1);
  EXPECT_NE(gone.failures[0].diagnostic.message.find("it is gone (step a)"), std::string::npos);
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
