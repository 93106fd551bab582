#include "engine/residency.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::RunStatus;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

WorldOptions little_memory(std::size_t runs = 2) {
  WorldOptions options;
  options.settings.runs_in_memory = runs;
  return options;
}

std::vector<RunId> submit(World& world, int count) {
  std::vector<RunId> runs;
  for (int i = 0; i < count; ++i) {
    runs.push_back(world.submit(FlowBuilder("w").run("a").run("b").needs({"a"}).done()));
  }
  return runs;
}

TEST(Residency, RunsThatOnlyWaitLeaveMemoryAndStartInOrder) {
  World world(little_memory());
  const std::vector<RunId> runs = submit(world, 600);
  EXPECT_EQ(world.state().runs.size(), 2U);
  EXPECT_EQ(world.state().cold.size(), 598U);
  std::vector<RunId> started;
  while (true) {
    const auto tasks = world.claim(50);
    if (tasks.empty()) break;
    for (const auto& task : tasks) {
      if (task.task.ordinal == 0) started.push_back(task.task.run);
      world.complete(task);
    }
  }
  EXPECT_EQ(started, runs);
  for (const RunId& run : runs) EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_TRUE(world.state().runs.empty());
  EXPECT_TRUE(world.state().cold.empty());
}

TEST(Residency, ARestartKeepsTheOrderAndLoadsOnlySome) {
  World world(little_memory());
  const std::vector<RunId> runs = submit(world, 20);
  world.restart();
  EXPECT_EQ(world.state().runs.size(), 2U);
  for (const RunId& run : runs) EXPECT_EQ(world.claim_one().task.run, run);
}

// A tenant of weight 4 whose runs are cold keeps the turns that this gives it.
TEST(Residency, ARestartKnowsTheWeightsOfColdRuns) {
  for (const bool restarted : {false, true}) {
    World world(little_memory(0));
    world.ask(model::SetQueue{.name = "default", .weights = {{"big", 4}}}, "cli:ada");
    const auto of = [](const char* tenant) { return FlowBuilder(tenant).run("a").fair_key(tenant).done(); };
    for (int i = 0; i < 10; ++i) world.submit(of("big"));
    for (int i = 0; i < 3; ++i) world.submit(of("small"));
    if (restarted) world.restart();
    const RunId before = world.submit(of("big"));
    const RunId behind = world.submit(of("small"));
    std::vector<RunId> started;
    for (int i = 0; i < 15; ++i) started.push_back(world.claim_one().task.run);
    EXPECT_LT(std::ranges::find(started, before), std::ranges::find(started, behind)) << restarted;
  }
}

TEST(Residency, ACommandBringsARunBackToItsPlace) {
  World world(little_memory());
  const std::vector<RunId> runs = submit(world, 10);
  ASSERT_TRUE(world.state().cold.contains(runs[7].key()));
  world.ask(model::ChangeRun{.run = runs[7], .priority = 9});
  world.cancel(runs[3]);
  EXPECT_EQ(world.run(runs[3]).status, RunStatus::cancelled);
  EXPECT_EQ(world.claim_one().task.run, runs[7]);
  for (const int next : {0, 1, 2, 4, 5, 6, 8, 9}) {
    EXPECT_EQ(world.claim_one().task.run, runs[static_cast<std::size_t>(next)]);
  }
}

TEST(Residency, AQuestionAboutAColdRunHasAnAnswer) {
  World world(little_memory());
  const std::vector<RunId> runs = submit(world, 10);
  const auto reply = world.ask(model::Explain{runs[9], 0});
  const auto* answer = std::get_if<model::Explanation>(&reply);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->reasons.at(0).code, "no_worker");
  EXPECT_EQ(world.claim_one().task.run, runs[0]);
}

TEST(Residency, ARunWithAClockStays) {
  World world(little_memory(0));
  model::Timeout timeout;
  timeout.start = Duration::seconds(10);
  const RunId run = world.submit(FlowBuilder("w").run("a").timeout(timeout).done());
  EXPECT_NE(world.state().find(run.key()), nullptr);
  world.restart();
  EXPECT_NE(world.state().find(run.key()), nullptr);
  world.advance(Duration::seconds(11));
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST(Residency, ARunWhoseStepIsPausedStaysToTellOfItsEnd) {
  for (const bool restarted : {false, true}) {
    World world(little_memory(0));
    const RunId run = submit(world, 1).at(0);
    ASSERT_TRUE(world.state().cold.contains(run.key()));
    world.ask(model::PauseCommand{.target = {model::BlockerKind::step_paused, run, "b"},
                                  .lasts = Duration::seconds(5)});
    EXPECT_NE(world.state().find(run.key()), nullptr);
    if (restarted) world.restart();
    world.settle();
    EXPECT_NE(world.state().find(run.key()), nullptr);
    world.advance(Duration::seconds(6));
    EXPECT_EQ(world.story(run).back(), "run.resumed");
    world.work_off();
    EXPECT_EQ(world.run(run).status, RunStatus::completed);
  }
}

TEST(Residency, AnIdempotencyKeyCountsAsLongAsAColdRunLives) {
  World world(little_memory(0));
  const auto workflow = FlowBuilder("w").run("a").done();
  const auto ask = [&] {
    const auto reply = world.ask(
        model::SubmitRun{.workflow = workflow, .idempotency_key = "k", .body = Hash256::of("body")});
    const auto* answer = std::get_if<model::Submitted>(&reply);
    return answer != nullptr ? *answer : model::Submitted{};
  };
  const model::Submitted first = ask();
  ASSERT_TRUE(world.state().cold.contains(first.run.key()));
  world.advance(Duration::hours(25));
  const model::Submitted second = ask();
  EXPECT_EQ(second.run, first.run);
  world.work_off();
  EXPECT_NE(ask().run, first.run);
}

TEST(Residency, ARunThatCannotBeLoadedIsForgotten) {
  World world(little_memory(0));
  const std::vector<RunId> runs = submit(world, 3);
  State state;
  state.cold.insert(runs[1].key());
  state.queues["default"].lines[""].tasks[{4, 0, 1}] = {runs[0].key(), 0};
  state.queues["default"].lines[""].tasks[{4, 0, 2}] = {runs[1].key(), 0};
  forget_cold(state, runs[1].key());
  EXPECT_TRUE(state.cold.empty());
  EXPECT_EQ(state.queues["default"].lines[""].tasks.size(), 1U);
}

}  // namespace
}  // namespace baton::engine
