#include "engine/run_limits.hpp"

#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::RunStatus;
using testing::error_of;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

std::shared_ptr<const model::Workflow> limited(FlowBuilder builder, std::uint32_t limit,
                                               std::string key = "w") {
  auto workflow = std::make_shared<model::Workflow>(*builder.done());
  workflow->concurrency = model::RunLimit{std::move(key), limit};
  return workflow;
}

std::string why(World& world, const RunId& run) {
  const auto reply = world.ask(model::Explain{run});
  const auto* answer = std::get_if<model::Explanation>(&reply);
  return answer == nullptr || answer->reasons.empty()
             ? ""
             : answer->reasons[0].code + ": " + answer->reasons[0].message;
}

TEST(RunLimits, RunsBeyondItWaitInTheirOrder) {
  for (const std::uint32_t restart_every : {0u, 1u}) {
    WorldOptions options;
    options.restart_every = restart_every;
    World world(options);
    const auto workflow = limited(FlowBuilder("w").run("a"), 2);
    std::vector<RunId> runs;
    for (int i = 0; i < 4; ++i) runs.push_back(world.submit(workflow));
    auto tasks = world.claim(9);
    ASSERT_EQ(tasks.size(), 2u);
    EXPECT_EQ(tasks[0].task.run, runs[0]);
    EXPECT_EQ(tasks[1].task.run, runs[1]);
    EXPECT_EQ(world.run(runs[2]).status, RunStatus::pending);
    const std::string said = why(world, runs[3]);
    EXPECT_NE(said.find("limit_full"), std::string::npos) << said;
    EXPECT_NE(said.find("2 of 2"), std::string::npos) << said;
    EXPECT_NE(said.find(runs[0].text()), std::string::npos) << said;
    EXPECT_NE(said.find("1 run waits before it"), std::string::npos) << said;
    const auto first = tasks[0];
    world.complete(tasks[1]);
    tasks = world.claim(9);
    ASSERT_EQ(tasks.size(), 1u);
    EXPECT_EQ(tasks[0].task.run, runs[2]);
    world.complete(first);
    world.complete(tasks[0]);
    world.work_off();
    for (const RunId& run : runs) EXPECT_EQ(world.run(run).status, RunStatus::completed);
  }
}

TEST(RunLimits, AnUrgentRunComesFirstAndPrioritiesMayChange) {
  World world;
  const auto workflow = limited(FlowBuilder("w").run("a"), 1);
  world.submit(workflow);
  const RunId usual = world.submit(workflow);
  const RunId urgent =
      std::get<model::Submitted>(world.ask(model::SubmitRun{.workflow = workflow, .priority = 8})).run;
  const RunId late = world.submit(workflow);
  world.ask(model::ChangeRun{.run = late, .priority = 9});
  std::vector<RunId> order;
  while (true) {
    const auto tasks = world.claim(9);
    if (tasks.empty()) break;
    ASSERT_EQ(tasks.size(), 1u);
    order.push_back(tasks[0].task.run);
    world.complete(tasks[0]);
  }
  ASSERT_EQ(order.size(), 4u);
  EXPECT_EQ(order[1], late);
  EXPECT_EQ(order[2], urgent);
  EXPECT_EQ(order[3], usual);
}

TEST(RunLimits, AWaitingRunCanBeCancelled) {
  World world;
  const auto workflow = limited(FlowBuilder("w").run("a"), 1);
  world.submit(workflow);
  const RunId second = world.submit(workflow);
  const RunId third = world.submit(workflow);
  world.cancel(second);
  world.settle();
  EXPECT_EQ(world.run(second).status, RunStatus::cancelled);
  EXPECT_EQ(world.status(second, "a"), model::TaskStatus::cancelled);
  world.work_off();
  EXPECT_EQ(world.run(third).status, RunStatus::completed);
  EXPECT_TRUE(world.state().limits.empty());
  EXPECT_TRUE(world.state().waiting_runs.empty());
}

TEST(RunLimits, WhatIsSetByCommandCounts) {
  World world;
  const auto workflow = limited(FlowBuilder("w").run("a"), 1);
  for (int i = 0; i < 5; ++i) world.submit(workflow);
  EXPECT_EQ(world.claim(9).size(), 1u);
  world.ask(model::SetLimit{.name = "w", .limit = 3});
  EXPECT_EQ(world.claim(9).size(), 2u);
  world.ask(model::SetLimit{.name = "w", .limit = std::nullopt});
  EXPECT_EQ(world.claim(9).size(), 0u);
  world.ask(model::SetLimit{.name = "w", .limit = 9});
  EXPECT_EQ(world.claim(9).size(), 2u);
}

TEST(RunLimits, AKeyOfTheInputMakesALimitEach) {
  World world;
  const auto workflow = limited(FlowBuilder("w").run("a"), 1, "tenant-${{ inputs.tenant }}");
  for (const char* input : {R"({"tenant":"a"})", R"({"tenant":"a"})", R"({"tenant":"b"})", R"({"tenant":7})"})
    world.submit(workflow, input);
  EXPECT_EQ(world.claim(9).size(), 3u);
  EXPECT_TRUE(world.state().limits.contains("tenant-7"));
  const auto wrong = world.ask(model::SubmitRun{.workflow = workflow, .input = "{}"});
  EXPECT_EQ(error_of(wrong).code, ErrorCode::expression);
  world.work_off();
}

TEST(RunLimits, TheEndingsBelongToTheRunAndAPauseKeepsThePlace) {
  World world;
  const auto workflow = limited(FlowBuilder("w").run("a").cleanup(), 1);
  const RunId first = world.submit(workflow);
  world.submit(workflow);
  world.complete(world.claim_one());
  const auto cleanup = world.claim(9);
  ASSERT_EQ(cleanup.size(), 1u);
  EXPECT_EQ(cleanup[0].task.run, first);
  world.complete(cleanup[0]);
  const auto next = world.claim(9);
  ASSERT_EQ(next.size(), 1u);
  EXPECT_NE(next[0].task.run, first);
  world.ask(model::PauseCommand{.target = {model::BlockerKind::run_paused, next[0].task.run, ""}});
  const RunId third = world.submit(workflow);
  world.complete(next[0]);
  EXPECT_TRUE(world.claim(9).empty());
  world.ask(model::ResumeCommand{{model::BlockerKind::run_paused, next[0].task.run, ""}});
  world.work_off();
  EXPECT_EQ(world.run(third).status, RunStatus::completed);
}

TEST(RunLimits, ARecoveryNeedsAPlace) {
  World world;
  const auto workflow = limited(FlowBuilder("w").run("a"), 1);
  const RunId failed = world.submit(workflow);
  world.fail(world.claim_one());
  world.submit(workflow);
  EXPECT_EQ(error_of(world.ask(model::RecoverRun{.run = failed})).code, ErrorCode::conflict);
  world.work_off();
  EXPECT_TRUE(std::holds_alternative<model::RunAccepted>(world.ask(model::RecoverRun{.run = failed})));
  const RunId behind = world.submit(workflow);
  EXPECT_EQ(world.claim(9).size(), 1u);
  EXPECT_EQ(world.run(behind).status, RunStatus::pending);
}

TEST(RunLimits, ARunThatIsWaitedForByOneWithAPlaceNeedsNone) {
  World world;
  world.ask(model::ApplyWorkflow{.workflow = limited(FlowBuilder("child").run("c"), 1, "shared")});
  const RunId parent = world.submit(limited(FlowBuilder("w").child("call", "child"), 1, "shared"));
  world.work_off();
  EXPECT_EQ(world.run(parent).status, RunStatus::completed);
}

TEST(RunLimits, TasksAndRunsMayShareALimit) {
  for (const std::uint32_t restart_every : {0u, 1u, 3u}) {
    WorldOptions options;
    options.restart_every = restart_every;
    World world(options);
    const auto whole = limited(FlowBuilder("w").run("a"), 2, "gpu");
    const auto task = FlowBuilder("t").run("b").uses("gpu", 2, 2).done();
    std::vector<RunId> runs;
    for (int i = 0; i < 6; ++i) runs.push_back(world.submit(i % 2 == 0 ? whole : task));
    for (int i = 0; i < 40; ++i) {
      for (const auto& one : world.claim(9)) world.complete(one);
    }
    for (const RunId& run : runs) EXPECT_EQ(world.run(run).status, RunStatus::completed);
  }
}

// ---- Pauses and ends of runs that a run waits for

struct Family {
  World world;
  RunId parent;
  RunId child;
  model::Assignment task;  // the child's

  explicit Family(WorldOptions options = {}) : world(options) {
    world.ask(model::ApplyWorkflow{.workflow = FlowBuilder("child").run("c").run("d").needs({"c"}).done()});
    parent = world.submit(FlowBuilder("w").child("call", "child").run("f").finally().done());
    task = world.claim_one();
    child = task.task.run;
  }
  void pause(const RunId& run) {
    world.ask(model::PauseCommand{.target = {model::BlockerKind::run_paused, run, ""}, .why = "lunch"},
              "ada");
  }
  void resume(const RunId& run) {
    world.ask(model::ResumeCommand{{model::BlockerKind::run_paused, run, ""}});
  }
};

TEST(PausedFamilies, WhatARunWaitsForIsPausedWithIt) {
  for (const std::uint32_t restart_every : {0u, 1u}) {
    WorldOptions options;
    options.restart_every = restart_every;
    Family family(options);
    World& world = family.world;
    family.pause(family.parent);
    world.settle();
    EXPECT_EQ(world.run(family.child).status, RunStatus::paused);
    EXPECT_NE(why(world, family.child).find(family.parent.text()), std::string::npos);
    world.complete(family.task);
    EXPECT_TRUE(world.claim(9).empty());
    family.resume(family.parent);
    world.settle();
    EXPECT_EQ(world.run(family.child).status, RunStatus::running);
    world.work_off();
    EXPECT_EQ(world.run(family.parent).status, RunStatus::completed);
  }
}

TEST(PausedFamilies, APersonsOwnPauseOfAChildStays) {
  Family family;
  World& world = family.world;
  family.pause(family.child);
  family.pause(family.parent);
  world.settle();
  family.resume(family.parent);
  world.settle();
  EXPECT_EQ(world.run(family.child).status, RunStatus::paused);
  family.resume(family.child);
  world.work_off();
  world.complete(family.task);
  world.work_off();
  EXPECT_EQ(world.run(family.parent).status, RunStatus::completed);
}

TEST(PausedFamilies, ACancelledParentLeavesNoPause) {
  Family family;
  family.pause(family.parent);
  family.world.settle();
  family.world.cancel(family.parent, true);
  family.world.settle();
  family.world.report(family.task, {.kind = model::Outcome::Kind::failed, .failure = {.type = "exit"}});
  family.world.work_off();
  EXPECT_EQ(family.world.run(family.child).status, RunStatus::cancelled);
  EXPECT_TRUE(family.world.state().pauses.empty());
}

TEST(PausedFamilies, ATerminateAfterACancelReachesTheChild) {
  Family family;
  World& world = family.world;
  world.take_actions();
  world.cancel(family.parent);
  world.settle();
  const auto stops = [&](model::Stopping mode) {
    int count = 0;
    for (const model::Action& action : world.take_actions()) {
      const auto* stop = std::get_if<model::StopAttempt>(&action);
      count += stop != nullptr && stop->mode == mode && stop->token == family.task.token;
    }
    return count;
  };
  EXPECT_EQ(stops(model::Stopping::soft), 1);
  EXPECT_FALSE(world.run(family.child).terminate);
  world.cancel(family.parent, true);
  world.settle();
  EXPECT_TRUE(world.run(family.child).terminate);
  EXPECT_EQ(stops(model::Stopping::hard), 1);
}

}  // namespace
}  // namespace baton::engine
