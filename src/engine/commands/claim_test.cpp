#include <gtest/gtest.h>

#include <boost/json/array.hpp>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

model::ClaimTasks want(std::string worker, Duration wait, std::uint32_t max = 1,
                       std::vector<std::string> queues = {"default"}) {
  return {.worker = std::move(worker), .queues = std::move(queues), .max = max, .wait = wait};
}

std::vector<std::string> steps_of(const std::vector<model::Assignment>& tasks) {
  std::vector<std::string> names;
  for (const auto& task : tasks) names.push_back(task.step);
  return names;
}
using Names = std::vector<std::string>;

TEST(Claim, HandsOutWhatTheWorkerNeedsToKnow) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").exec("a", {"prog", "x y"}).done());
  world.advance(Duration::seconds(1));
  const auto a = world.claim_one("w7");
  EXPECT_EQ(a.token, (Token{1, 1}));
  EXPECT_EQ(a.task, (TaskId{run, 0}));
  EXPECT_EQ(a.attempt, 1u);
  EXPECT_EQ(a.kind, model::StepKind::exec);
  EXPECT_EQ(a.spec, R"({"argv":["prog","x y"],"env":{},"workdir":""})");
  EXPECT_EQ(a.queued_at, world.run(run).created_at);
  EXPECT_EQ(a.run_created_at, world.run(run).created_at);
  const model::TaskRow row = world.task(run, "a");
  EXPECT_EQ(row.worker, "w7");
  EXPECT_EQ(row.started_at, world.wall());
  EXPECT_EQ(row.attempt_started, world.now());
}

TEST(Claim, MostUrgentFirstThenFirstComeFirstServed) {
  World world;
  world.submit(
      FlowBuilder("w").run("normal1").run("low").priority(0).run("high").priority(9).run("normal2").done());
  model::SubmitRun urgent{.workflow = FlowBuilder("u").run("urgent_run").done(), .priority = 8};
  world.ask(urgent);
  EXPECT_EQ(steps_of(world.claim(10)), (Names{"high", "urgent_run", "normal1", "normal2", "low"}));
}

TEST(Claim, OverSeveralQueuesAsIfTheyWereOne) {
  World world;
  world.submit(FlowBuilder("w")
                   .run("a")
                   .queue("q1")
                   .run("b")
                   .queue("q2")
                   .run("c")
                   .queue("q3")
                   .run("d")
                   .queue("q1")
                   .run("e")
                   .queue("q2")
                   .priority(9)
                   .done());
  EXPECT_EQ(steps_of(world.claim(10, "w", {"q2", "q1", "nothing"})), (Names{"e", "a", "b", "d"}));
  EXPECT_EQ(steps_of(world.claim(10, "w", {"q3"})), Names{"c"});
}

TEST(Claim, NamingNoQueueTakesFromAll) {
  World world;
  const auto waiting = world.send(want("w", Duration::seconds(30), 1, {}));
  world.submit(FlowBuilder("w").run("a").queue("q2").run("b").queue("q1").run("c").priority(9).done());
  const auto reply = world.take(waiting);
  ASSERT_TRUE(reply);
  EXPECT_EQ(steps_of(std::get<model::Claimed>(*reply).tasks), Names{"c"});
  EXPECT_EQ(steps_of(world.claim(10, "w", {})), (Names{"a", "b"}));
}

TEST(Claim, WaitsUntilThereIsSomething) {
  World world;
  const auto claim = world.send(want("w", Duration::seconds(30)));
  world.settle();
  EXPECT_FALSE(world.take(claim));
  world.submit(FlowBuilder("w").run("a").done());
  const auto reply = world.take(claim);
  ASSERT_TRUE(reply);
  EXPECT_EQ(steps_of(std::get<model::Claimed>(*reply).tasks), Names{"a"});
}

TEST(Claim, TheOldestClaimIsServedFirst) {
  World world;
  const auto first = world.send(want("w1", Duration::seconds(30)));
  const auto second = world.send(want("w2", Duration::seconds(30)));
  world.settle();
  world.submit(FlowBuilder("w").run("a").done());
  EXPECT_TRUE(world.take(first));
  EXPECT_FALSE(world.take(second));
}

TEST(Claim, EndsWithNothingWhenItsWaitIsOver) {
  World world;
  const auto claim = world.send(want("w", Duration::seconds(5)));
  world.advance(Duration::millis(4999));
  EXPECT_FALSE(world.take(claim));
  world.advance(Duration::millis(1));
  const auto reply = world.take(claim);
  ASSERT_TRUE(reply);
  EXPECT_TRUE(std::get<model::Claimed>(*reply).tasks.empty());
  world.submit(FlowBuilder("w").run("a").done());
  EXPECT_EQ(world.claim(1, "other").size(), 1u) << "an ended claim takes nothing";
}

TEST(Claim, AWaitOfNothingIsAnsweredAtOnce) {
  World world;
  EXPECT_TRUE(world.claim(10).empty());
  EXPECT_TRUE(world.claim(0).empty());
  EXPECT_FALSE(world.state().timers.contains({world.now(), TimerKind::claim, {}, "w"}));
}

TEST(Claim, ANewerOneOfTheSameWorkerReplacesTheOlder) {
  World world;
  const auto older = world.send(want("w", Duration::seconds(30)));
  const auto newer = world.send(want("w", Duration::seconds(30)));
  world.settle();
  const auto reply = world.take(older);
  ASSERT_TRUE(reply);
  EXPECT_TRUE(std::get<model::Claimed>(*reply).tasks.empty());
  world.submit(FlowBuilder("w").run("a").run("b").done());
  EXPECT_EQ(std::get<model::Claimed>(*world.take(newer)).tasks.size(), 1u);
}

// The answer to a claim was lost, as when the owner dies between commit and answer.
TEST(Claim, WhatTheWorkerDoesNotNameComesAgain) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("b").run("c").done());
  const auto heard = world.claim(1);
  const auto lost = world.claim(1);
  ASSERT_EQ(heard.size() + lost.size(), 2u);
  auto claim = want("w", Duration{}, 10);
  claim.running = std::vector<Token>{heard[0].token};
  const auto again = std::get<model::Claimed>(world.ask(claim)).tasks;
  ASSERT_EQ(steps_of(again), (Names{"c", "b"})) << "it stands behind what became ready before now";
  EXPECT_EQ(again[1].task, lost[0].task);
  EXPECT_GT(again[1].token, lost[0].token) << "the lost one must not count any more";
  const model::TaskRow row = world.task(run, "b");
  EXPECT_EQ(row.attempts, 1u) << "nothing counts";
  EXPECT_EQ(row.lost, 0u);
}

TEST(Claim, WhoDoesNotSayWhatItHasKeepsIt) {
  World world;
  world.submit(FlowBuilder("w").run("a").run("b").done());
  ASSERT_EQ(world.claim(1).size(), 1u);
  EXPECT_EQ(steps_of(world.claim(10)), Names{"b"});
}

TEST(Claim, OnlyWhatTheWorkerItselfHoldsComesBack) {
  World world;
  world.submit(FlowBuilder("w").run("a").done());
  ASSERT_EQ(world.claim(1, "other").size(), 1u);
  auto claim = want("w", Duration{}, 10);
  claim.running = std::vector<Token>{};
  EXPECT_TRUE(std::get<model::Claimed>(world.ask(claim)).tasks.empty());
}

TEST(Claim, TakesNoMoreThanItAsksFor) {
  World world;
  world.submit(FlowBuilder("w").run("m").for_each(boost::json::array{1, 2, 3, 4, 5}).done());
  EXPECT_EQ(world.claim(3).size(), 3u);
  EXPECT_EQ(world.claim(3).size(), 2u);
}

TEST(Claim, PayloadsOfEveryQueueAreLoaded) {
  // The most urgent task stands in the queue that is named last, and no payload stays in memory.
  WorldOptions options;
  options.cache_bytes = 1;
  World world(options);
  world.submit(FlowBuilder("w")
                   .run("a")
                   .queue("q1")
                   .with("${{ inputs.x }}")
                   .run("b")
                   .queue("q2")
                   .priority(9)
                   .with("${{ inputs.x }}")
                   .done(),
               R"({"x":1})");
  EXPECT_EQ(steps_of(world.claim(1, "w", {"q1", "q2"})), Names{"b"});
  EXPECT_EQ(steps_of(world.claim(1, "w", {"q1", "q2"})), Names{"a"});
}

TEST(Claim, ADamagedInputFailsItsTaskOnly) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done(), "{}", "not JSON");
  const RunId good = world.submit(FlowBuilder("w").run("a").done());
  const auto tasks = world.claim(10);
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0].task.run, good);
  EXPECT_EQ(world.task(run, "a").error_type, "expression");
  EXPECT_EQ(world.run(run).status, model::RunStatus::failed);
}

TEST(Claim, AHugeClaimIsServedInBoundedBatches) {
  World world;
  boost::json::array list(2500, 0);
  world.submit(FlowBuilder("w").run("m").for_each(list).done());
  std::size_t got = 0;
  for (auto tasks = world.claim(5000); !tasks.empty(); tasks = world.claim(5000)) got += tasks.size();
  EXPECT_EQ(got, 2500u);
  EXPECT_LE(world.largest_batch(), 1100u);
}

// What one claim's look at its queue lets go may be for a claim that was looked at before.
TEST(Claim, IsAnsweredWithWhatAnotherClaimHasLetGo) {
  World world;
  const model::ReplyTo first = world.send(want("w1", Duration::seconds(60), 1, {"a"}));
  const model::ReplyTo second = world.send(want("w2", Duration::seconds(60), 1, {"b"}));
  world.settle();
  world.submit(FlowBuilder("w").max_parallel(1).run("x").queue("b").uses("none").run("y").queue("a").done());
  const auto answer = world.take(first);
  ASSERT_TRUE(answer);
  EXPECT_EQ(std::get<model::Claimed>(*answer).tasks.at(0).step, "y");
  EXPECT_FALSE(world.take(second));
}

}  // namespace
}  // namespace baton::engine
