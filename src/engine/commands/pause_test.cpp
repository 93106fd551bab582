#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::BlockerKind;
using model::RunStatus;
using model::TaskStatus;
using testing::error_of;
using testing::FlowBuilder;
using testing::World;

model::PauseTarget run_of(const RunId& run) {
  return {BlockerKind::run_paused, run, ""};
}
model::PauseTarget queue_of(std::string name) {
  return {BlockerKind::queue_paused, {}, std::move(name)};
}

RunStatus pause(World& world, const model::PauseTarget& target,
                std::optional<WallTime> until = std::nullopt) {
  const auto reply = world.ask(model::PauseCommand{target, "inspection", until}, "cli:ada");
  const auto* accepted = std::get_if<model::RunAccepted>(&reply);
  EXPECT_TRUE(accepted != nullptr || std::holds_alternative<model::Done>(reply));
  return accepted != nullptr ? accepted->status : RunStatus::pending;
}
void resume(World& world, const model::PauseTarget& target) {
  EXPECT_FALSE(std::holds_alternative<Error>(world.ask(model::ResumeCommand{target})));
}
std::vector<std::string> steps_of(const std::vector<model::Assignment>& tasks) {
  std::vector<std::string> steps;
  for (const auto& task : tasks) steps.push_back(task.step);
  return steps;
}
using Names = std::vector<std::string>;

TEST(Pause, OfARunLetsAttemptsEndAndStartsNothing) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("b").needs({"a"}).run("c").done());
  const auto held = world.claim_one();
  EXPECT_EQ(pause(world, run_of(run)), RunStatus::paused);
  EXPECT_EQ(world.complete(held), TaskStatus::completed);
  EXPECT_EQ(world.status(run, "b"), TaskStatus::queued);
  EXPECT_EQ(world.status(run, "c"), TaskStatus::queued);
  EXPECT_TRUE(world.claim(10).empty());
  resume(world, run_of(run));
  EXPECT_EQ(world.run(run).status, RunStatus::running);
  EXPECT_EQ(steps_of(world.claim(10)), (Names{"c", "b"}));
}

TEST(Pause, OfARunHoldsItsEndAndItsFinallySteps) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("z").finally().done());
  const auto a = world.claim_one();
  pause(world, run_of(run));
  world.complete(a);
  EXPECT_EQ(world.run(run).status, RunStatus::paused);
  EXPECT_EQ(world.run(run).stage, model::RunStage::main);
  world.restart();
  world.settle();
  resume(world, run_of(run));
  const auto z = world.claim_one();
  EXPECT_EQ(z.step, "z");
  pause(world, run_of(run));
  world.complete(z);
  EXPECT_EQ(world.run(run).status, RunStatus::paused);
  resume(world, run_of(run));
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_TRUE(world.disk().records().empty());
}

TEST(Pause, ComputesNothingMeanwhile) {
  World world;
  const RunId run = world.submit(
      FlowBuilder("w").run("a").set("b", {{"x", 1}}).needs({"a"}).set("c", {{"x", 2}}).needs({"b"}).done());
  const auto a = world.claim_one();
  pause(world, run_of(run));
  world.complete(a);
  EXPECT_EQ(world.status(run, "b"), TaskStatus::pending);
  world.restart();
  world.settle();
  resume(world, run_of(run));
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST(Pause, BeforeTheFirstTaskAndCancelOfAPausedRun) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("z").finally().done());
  pause(world, run_of(run));
  EXPECT_TRUE(world.claim(1).empty());
  world.cancel(run);
  EXPECT_EQ(world.claim_one().step, "z");
  EXPECT_EQ(world.status(run, "a"), TaskStatus::cancelled);
  EXPECT_TRUE(world.disk().records().empty());
}

TEST(Pause, CancelOfAPausedRunWithNothingLeftEndsIt) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto a = world.claim_one();
  pause(world, run_of(run));
  world.complete(a);
  world.cancel(run);
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
}

TEST(Pause, OfAStepHoldsOnlyThatStep) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("b").done());
  const model::PauseTarget step{BlockerKind::step_paused, run, "a"};
  EXPECT_EQ(pause(world, step), RunStatus::pending);
  EXPECT_EQ(steps_of(world.claim(10)), Names{"b"});
  world.restart();
  world.settle();
  EXPECT_TRUE(world.claim(10).empty());
  resume(world, step);
  EXPECT_EQ(steps_of(world.claim(10)), Names{"a"});
  const auto reply = world.ask(model::PauseCommand{{BlockerKind::step_paused, run, "bb"}, "", {}});
  EXPECT_NE(error_of(reply).message.find("did you mean"), std::string::npos) << error_of(reply).message;
}

TEST(Pause, OfAQueueHoldsTheTasksOfAllRunsAndKeepsTheirOrder) {
  World world;
  for (const char* name : {"a", "b", "c"}) world.submit(FlowBuilder("w").run(name).done());
  pause(world, queue_of("default"));
  EXPECT_TRUE(world.claim(10).empty());
  world.submit(FlowBuilder("w").run("d").done());
  resume(world, queue_of("default"));
  EXPECT_EQ(steps_of(world.claim(10)), (Names{"a", "b", "c", "d"}));
}

TEST(Pause, ResumedTasksStandWhereTheyStoodBefore) {
  World world;
  const RunId first = world.submit(FlowBuilder("w").run("a").run("b").done());
  world.submit(FlowBuilder("w").run("c").run("d").done());
  pause(world, run_of(first));
  EXPECT_EQ(steps_of(world.claim(1)), Names{"c"});
  resume(world, run_of(first));
  EXPECT_EQ(steps_of(world.claim(10)), (Names{"a", "b", "d"}));
}

TEST(Pause, OfAWorkerLetsOthersTakeTheTasks) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const model::PauseTarget worker{BlockerKind::worker_paused, {}, "w1"};
  pause(world, worker);
  EXPECT_TRUE(world.claim(1, "w1").empty());
  const auto waiting = world.send(
      model::ClaimTasks{.worker = "w1", .queues = {"default"}, .max = 1, .wait = Duration::seconds(60)});
  world.settle();
  resume(world, worker);
  world.settle();
  const auto reply = world.take(waiting);
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<model::Claimed>(*reply).tasks.size(), 1u);
  EXPECT_EQ(world.status(run, "a"), TaskStatus::running);
}

model::PauseTarget drain_of(std::string worker) {
  return {BlockerKind::worker_draining, {}, std::move(worker)};
}
bool is_to_end(World& world, const std::string& worker) {
  return std::get<model::HeartbeatAnswer>(world.ask(model::Heartbeat{worker, {}})).draining;
}

TEST(Drain, OfAWorkerIsHeardAfterARestart) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  pause(world, drain_of("w1"), world.wall() + model::kDrainStands);
  world.restart();
  world.settle();
  EXPECT_TRUE(world.claim(1, "w1").empty());
  EXPECT_TRUE(is_to_end(world, "w1"));
  EXPECT_TRUE(is_to_end(world, "w1"));  // the answer may have been lost
  EXPECT_FALSE(is_to_end(world, "w2"));
  world.ask(model::LoseWorker{"w1"});
  EXPECT_FALSE(is_to_end(world, "w1"));
  EXPECT_TRUE(world.disk().records().empty());
  EXPECT_EQ(steps_of(world.claim(1, "w1")), Names{"a"});
  EXPECT_EQ(world.status(run, "a"), TaskStatus::running);
}

TEST(Drain, OfAWorkerThatDoesNotComeBackEndsADayLater) {
  World world;
  const WallTime end = world.wall() + model::kDrainStands;
  pause(world, drain_of("gone"), end);
  pause(world, drain_of("there"), end);
  world.advance(end - world.wall() - Duration::seconds(10));
  EXPECT_EQ(world.disk().records().size(), 2u);
  EXPECT_TRUE(is_to_end(world, "there"));
  world.advance(Duration::seconds(11));
  ASSERT_EQ(world.disk().records().size(), 1u);
  EXPECT_TRUE(is_to_end(world, "there"));
  EXPECT_FALSE(is_to_end(world, "gone"));
}

TEST(Drain, OfAWorkerIsTakenBackWithItsPause) {
  World world;
  const model::PauseTarget worker{BlockerKind::worker_paused, {}, "w1"};
  pause(world, drain_of("w1"));
  resume(world, worker);
  EXPECT_FALSE(is_to_end(world, "w1"));
  pause(world, drain_of("w1"));
  pause(world, worker);
  resume(world, worker);
  EXPECT_FALSE(is_to_end(world, "w1"));
  EXPECT_TRUE(world.disk().records().empty());
}

TEST(Pause, EndsByItselfAlsoAfterARestart) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  pause(world, run_of(run), world.wall() + Duration::seconds(60));
  pause(world, queue_of("default"), world.wall() + Duration::seconds(30));
  world.advance(Duration::seconds(29));
  EXPECT_EQ(world.disk().records().size(), 2u);
  world.advance(Duration::seconds(2));
  EXPECT_EQ(world.disk().records().size(), 1u);
  world.restart();
  world.settle();
  EXPECT_TRUE(world.claim(1).empty());
  world.advance(Duration::seconds(30));
  EXPECT_EQ(world.run(run).status, RunStatus::running);
  EXPECT_EQ(world.run(run).paused_for, Duration::seconds(60));
  EXPECT_EQ(world.claim(1).size(), 1u);
}

TEST(Pause, RefusesWhatHasEndedAndRepeatsQuietly) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  resume(world, run_of(run));
  pause(world, run_of(run));
  pause(world, run_of(run));
  resume(world, run_of(run));
  world.work_off();
  for (const auto& reply :
       {world.ask(model::PauseCommand{run_of(run), "", {}}), world.ask(model::ResumeCommand{run_of(run)})}) {
    EXPECT_EQ(error_of(reply).code, ErrorCode::conflict);
    EXPECT_EQ(error_of(reply).where, "completed");
  }
  EXPECT_EQ(error_of(world.ask(model::PauseCommand{run_of(RunId{}), "", {}})).code, ErrorCode::not_found);
  EXPECT_EQ(error_of(world.ask(model::PauseCommand{queue_of("q"), "", WallTime{1}})).code,
            ErrorCode::invalid_request);
}

TEST(Pause, TenThousandBlockedTasksDoNotStandInTheWay) {
  World world({.check_memory = false});
  boost::json::array items(10'000, 1);
  const RunId wide = world.submit(FlowBuilder("wide").run("a").for_each(std::move(items)).done());
  pause(world, run_of(wide));
  world.submit(FlowBuilder("w").run("b").done());
  EXPECT_EQ(steps_of(world.claim(1)), Names{"b"});
  resume(world, run_of(wide));
  EXPECT_EQ(world.claim(100).size(), 100u);
}

// Two steps that use the service "nlp", one that does not; at most two tasks at a time.
std::shared_ptr<const model::Workflow> three_steps() {
  return FlowBuilder("w")
      .max_parallel(2)
      .run("a")
      .target("nlp")
      .run("b")
      .target("nlp")
      .run("c")
      .run("d")
      .done();
}

TEST(Pause, OfATargetHoldsItsStepsAndNoOthers) {
  World world;
  const model::PauseTarget target{BlockerKind::target_paused, {}, "nlp"};
  pause(world, target);
  const RunId run = world.submit(three_steps());
  EXPECT_EQ(steps_of(world.claim(10)), (Names{"c", "d"}));
  EXPECT_EQ(world.status(run, "a"), TaskStatus::queued);
  const auto why = std::get<model::Explanation>(world.ask(model::Explain{run, 0}));
  EXPECT_EQ(why.reasons.at(0).message, "target nlp was paused by cli:ada: inspection");
  const auto survey = std::get<model::Survey>(world.ask(model::AskSurvey{}));
  ASSERT_EQ(survey.targets.size(), 1U);
  EXPECT_EQ(survey.targets[0].held, 2U);
  world.restart();
  world.settle();
  EXPECT_TRUE(world.claim(10).empty());
  resume(world, target);
  EXPECT_TRUE(world.claim(10).empty()) << "two are under way";
}

TEST(Pause, WhatIsHeldLeavesItsPlaceUnderMaxParallelToOthers) {
  for (const std::uint32_t restart_every : {0U, 1U}) {
    World world({.restart_every = restart_every});
    const RunId run = world.submit(three_steps());
    pause(world, {BlockerKind::step_paused, run, "a"});
    pause(world, {BlockerKind::step_paused, run, "b"});
    const auto others = world.claim(10);
    ASSERT_EQ(steps_of(others), (Names{"c", "d"}));
    EXPECT_EQ(world.state().find(run.key())->active, 2U);
    resume(world, {BlockerKind::step_paused, run, "a"});
    resume(world, {BlockerKind::step_paused, run, "b"});
    EXPECT_TRUE(world.claim(10).empty()) << "the places are taken";
    const auto why = std::get<model::Explanation>(world.ask(model::Explain{run, 0}));
    EXPECT_EQ(why.reasons.at(0).code, "max_parallel");
    world.complete(others[0]);
    EXPECT_EQ(steps_of(world.claim(10)), Names{"a"});
    world.complete(others[1]);
    world.work_off();
    EXPECT_EQ(world.status(run, "b"), TaskStatus::completed);
  }
}

TEST(Pause, AThousandHeldItemsLeaveTheirPlaces) {
  World world;
  boost::json::array items;
  for (int i = 0; i < 3000; ++i) items.emplace_back(i);
  const RunId run =
      world.submit(FlowBuilder("w").max_parallel(2).run("m").for_each(std::move(items)).run("last").done());
  pause(world, {BlockerKind::step_paused, run, "m"});
  EXPECT_EQ(steps_of(world.claim(10)), Names{"last"});
  EXPECT_LE(world.largest_batch(), 1100U);
}

TEST(StartTimeout, OfItemsLeavesRoomForTheNextOnes) {
  World world({.settings = {.item_window = 2}});
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("m")
                                     .for_each({1, 2, 3, 4, 5})
                                     .timeout(model::Timeout{.start = Duration::seconds(10)})
                                     .max_failures({.value = 5})
                                     .done());
  for (int i = 0; i < 3; ++i) world.advance(Duration::seconds(11));
  EXPECT_EQ(world.run(run).counts.failed, 5U);
}

}  // namespace
}  // namespace baton::engine
