#include "api/remaining.hpp"

#include <gtest/gtest.h>

#include "spec/parse.hpp"

namespace baton::api {
namespace {

using model::TaskStatus;

// a takes 1 m, b 3 m, c 2 m; c needs a; z, under `finally`, is not estimated.
std::shared_ptr<const model::Workflow> flow(const std::string& more = "") {
  return spec::parse_workflow("name: w\n" + more +
                                  "steps:\n"
                                  "  c: {needs: [a], run: x, estimate: 2m}\n"
                                  "  a: {run: x, estimate: 1m}\n"
                                  "  b: {run: x, estimate: 3m}\n"
                                  "finally:\n"
                                  "  z: {run: x}\n",
                              {})
      .workflow;
}

constexpr WallTime kNow{1'700'000'000'000'000};

TEST(TimeLeft, IsThatOfTheLongestChain) {
  const auto workflow = flow();
  std::vector<model::TaskRow> rows(4);
  EXPECT_EQ(time_left(*workflow, rows, {}, kNow), Duration::seconds(180 + 120)) << "z takes the mean";
  rows[2].status = TaskStatus::completed;
  EXPECT_EQ(time_left(*workflow, rows, {}, kNow), Duration::seconds(180 + 120));
  rows[1].status = TaskStatus::running;
  rows[1].started_at = kNow - Duration::seconds(40);
  EXPECT_EQ(time_left(*workflow, rows, {}, kNow), Duration::seconds(20 + 120 + 120));
  EXPECT_EQ(time_left(*workflow, rows, {}, std::nullopt), Duration::seconds(60 + 120 + 120));
  rows[1].started_at = kNow - Duration::seconds(400);
  EXPECT_EQ(time_left(*workflow, rows, {}, kNow), Duration::seconds(120 + 120)) << "not less than nothing";
}

TEST(TimeLeft, KnowsFromEarlierRunsBetterThanFromEstimates) {
  const auto workflow = flow();
  DurationStatistics statistics;
  for (const int seconds : {500, 10, 12}) statistics.add("b", Duration::seconds(seconds));
  statistics.add("z", Duration::seconds(1));
  const PastDurations past = std::move(statistics).medians();
  EXPECT_EQ(past.at("b"), Duration::seconds(12));
  EXPECT_EQ(time_left(*workflow, std::vector<model::TaskRow>(4), past, kNow), Duration::seconds(180 + 1));
}

TEST(TimeLeft, IsNoLessThanTheWorkAllowsAtATime) {
  EXPECT_EQ(time_left(*flow("max_parallel: 1\n"), std::vector<model::TaskRow>(4), {}, kNow),
            Duration::seconds(60 + 120 + 180 + 120));
}

TEST(TimeLeft, IsNotKnownWhereNothingIs) {
  const auto workflow =
      spec::parse_workflow("name: w\nsteps: {a: {run: x}, s: {set: {x: 1}}}\n", {}).workflow;
  EXPECT_EQ(time_left(*workflow, std::vector<model::TaskRow>(2), {}, kNow), std::nullopt);
}

}  // namespace
}  // namespace baton::api
