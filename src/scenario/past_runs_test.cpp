#include "scenario/past_runs.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace baton::scenario {
namespace {

boost::json::object task(std::string_view text) {
  return boost::json::parse(text).as_object();
}

Assumptions two_steps() {
  Assumptions assumptions;
  assumptions.steps["fetch"].takes.low = Duration::seconds(1);
  assumptions.steps["load"].takes.low = Duration::seconds(2);
  return assumptions;
}

TEST(PastRuns, AttemptsSayHowLongAndHowOften) {
  PastRuns past;
  past.add(
      task(R"({"step": "fetch", "role": "main", "status": "completed", "result": {"n": 1}, "attempt_list": [
    {"phase": "preflight", "status": "completed", "started_at": "2030-01-01T00:00:00.000Z", "ended_at": "2030-01-01T09:00:00.000Z"},
    {"phase": "primary", "status": "failed", "error": {"type": "http"}, "started_at": "2030-01-01T00:00:00.000Z", "ended_at": "2030-01-01T00:00:03.000Z"},
    {"phase": "primary", "status": "lost", "started_at": "2030-01-01T00:00:00.000Z", "ended_at": "2030-01-01T08:00:00.000Z"},
    {"phase": "primary", "status": "completed", "started_at": "2030-01-01T00:00:10.000Z", "ended_at": "2030-01-01T00:00:15.000Z"}]})"));
  past.add(task(R"({"step": "fetch", "role": "cleanup", "status": "completed", "attempt_list": [
    {"phase": "primary", "status": "completed", "started_at": "2030-01-01T00:00:00.000Z", "ended_at": "2030-01-01T07:00:00.000Z"}]})"));
  Assumptions assumptions = two_steps();
  past.apply(assumptions);
  const simulate::Assumption& fetch = assumptions.steps["fetch"];
  EXPECT_EQ(fetch.takes.seen, (std::vector{Duration::seconds(3), Duration::seconds(5)}));
  EXPECT_EQ(fetch.failures_ppm, 500'000U);
  EXPECT_EQ(fetch.error, "http");
  EXPECT_EQ(fetch.result, R"({"n":1})");
  EXPECT_EQ(assumptions.steps["load"].takes.low, Duration::seconds(2)) << "its estimate stays";
  EXPECT_EQ(past.unknown(assumptions), (std::vector<std::string_view>{"load"}));
  engine::Random random(Seed{1, 2});
  for (int i = 0; i < 20; ++i) {
    const Duration drawn = fetch.takes.draw(random);
    EXPECT_TRUE(drawn == Duration::seconds(3) || drawn == Duration::seconds(5));
  }
}

TEST(PastRuns, AWaitTookAsLongAsItLasted) {
  PastRuns past;
  past.add(task(R"({"step": "load", "role": "main", "status": "completed", "attempt_list": [],
    "started_at": "2030-01-01T00:00:00.000Z", "ended_at": "2030-01-01T00:30:00.000Z"})"));
  Assumptions assumptions = two_steps();
  past.apply(assumptions);
  EXPECT_EQ(assumptions.steps["load"].takes.seen, (std::vector{Duration::minutes(30)}));
  EXPECT_EQ(assumptions.steps["load"].failures_ppm, 0U);
}

TEST(PastRuns, WhatIsNoTaskIsPassedOver) {
  PastRuns past;
  for (const char* text :
       {"{}", R"({"step": "fetch", "role": "main"})",
        R"({"step": "fetch", "role": "main", "status": "running", "attempt_list": [{"phase": "primary",
                           "status": "running", "started_at": "2030-01-01T00:00:00.000Z", "ended_at": null}]})",
        R"({"step": 1, "role": "main", "attempt_list": [7]})"})
    past.add(task(text));
  Assumptions assumptions = two_steps();
  past.apply(assumptions);
  EXPECT_EQ(assumptions.steps["fetch"].takes.low, Duration::seconds(1));
}

}  // namespace
}  // namespace baton::scenario
