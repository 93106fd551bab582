#include "engine/trigger.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::SkipReason;
using model::TaskStatus;
using model::TriggerRule;
using testing::FlowBuilder;
using testing::World;

constexpr std::size_t kRules = 11;

// What a rule says: a dot waits, + starts, S skips as upstream_skipped, F as upstream_failed, T as
// trigger_rule.
char letter(const Trigger& trigger) {
  switch (trigger.kind) {
    case Trigger::Kind::wait:
      return '.';
    case Trigger::Kind::start:
      return '+';
    case Trigger::Kind::skip:
      return trigger.reason == SkipReason::upstream_skipped  ? 'S'
             : trigger.reason == SkipReason::upstream_failed ? 'F'
             : trigger.reason == SkipReason::trigger_rule    ? 'T'
                                                             : '?';
  }
  return '?';
}

struct Row {
  const char* what;
  Upstream upstream;
  // In the order of TriggerRule: none_failed, all_success, all_failed, all_done, all_skipped, one_success,
  // one_failed, one_done, none_failed_min_one_success, none_skipped, always.
  std::string expected;
};

TEST(Trigger, EveryRuleInEveryConstellation) {
  const std::vector<Row> table = {
      {"no predecessors", {}, "+++++++++++"},
      {"all succeeded", {.succeeded = 2}, "++T+T+T++++"},
      {"all bad", {.bad = 2}, "FF++TF++F++"},
      {"all skipped", {.skipped = 2}, "+ST++STSSS+"},
      {"a success and a failure", {.succeeded = 1, .bad = 1}, "FFT+T+++F++"},
      {"a success and a skip", {.succeeded = 1, .skipped = 1}, "+ST+T+T++S+"},
      {"a failure and a skip", {.bad = 1, .skipped = 1}, "FFT+TF++FS+"},
      {"one of each", {.succeeded = 1, .bad = 1, .skipped = 1}, "FFT+T+++FS+"},
      {"nothing yet", {.waiting = 2}, "..........."},
      {"a success so far", {.waiting = 1, .succeeded = 1}, ".....+.+..."},
      {"a failure so far", {.waiting = 1, .bad = 1}, "......++..."},
      {"a skip so far", {.waiting = 1, .skipped = 1}, "..........."},
  };
  for (const Row& row : table) {
    std::string got;
    for (std::size_t i = 0; i < kRules; ++i)
      got += letter(trigger(static_cast<TriggerRule>(i), row.upstream));
    EXPECT_EQ(got, row.expected) << row.what;
  }
}

TEST(Trigger, OneFailedStartsWhileOthersStillRun) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .run("b")
                                     .run("tell")
                                     .needs({"a", "b"})
                                     .trigger_rule(TriggerRule::one_failed)
                                     .done());
  const auto a = world.claim_one();
  const auto b = world.claim_one();
  world.fail(a);
  EXPECT_EQ(world.status(run, "tell"), TaskStatus::queued);
  world.complete(world.claim_one());
  EXPECT_EQ(world.status(run, "tell"), TaskStatus::completed);
  world.complete(b);
  EXPECT_EQ(world.run(run).status, model::RunStatus::failed) << "a successor does not heal a failure";
}

TEST(Trigger, AFailureHandlerThatIsNotNeededIsSkippedAndNotBad) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .run("tell")
                                     .needs({"a"})
                                     .trigger_rule(TriggerRule::all_failed)
                                     .run("after")
                                     .needs({"tell"})
                                     .done());
  world.work_off();
  EXPECT_EQ(world.status(run, "tell"), TaskStatus::skipped);
  EXPECT_EQ(world.task(run, "tell").skip_reason, SkipReason::trigger_rule);
  EXPECT_EQ(world.status(run, "after"), TaskStatus::completed);
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

TEST(Trigger, AllSuccessPassesASkipOn) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .when("false")
                                     .run("b")
                                     .needs({"a"})
                                     .trigger_rule(TriggerRule::all_success)
                                     .run("c")
                                     .needs({"b"})
                                     .done());
  world.work_off();
  EXPECT_EQ(world.task(run, "b").skip_reason, SkipReason::upstream_skipped);
  EXPECT_EQ(world.status(run, "c"), TaskStatus::completed) << "none_failed: that skip is not bad";
}

TEST(Trigger, ARestartBetweenTheMatchAndTheStartLosesNothing) {
  World world({.restart_every = 1});
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .run("b")
                                     .run("go")
                                     .needs({"a", "b"})
                                     .trigger_rule(TriggerRule::one_success)
                                     .done());
  const auto a = world.claim_one();
  const auto b = world.claim_one();
  world.complete(a);
  world.complete(world.claim_one());
  EXPECT_EQ(world.status(run, "go"), TaskStatus::completed);
  world.complete(b);
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

}  // namespace
}  // namespace baton::engine
