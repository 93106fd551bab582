
#include <gtest/gtest.h>

#include <boost/json/array.hpp>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::RunStatus;
using model::SkipReason;
using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;
namespace json = boost::json;

std::vector<std::string> steps_of(const std::vector<model::Assignment>& tasks) {
  std::vector<std::string> names;
  for (const auto& task : tasks) names.push_back(task.step);
  return names;
}
using Names = std::vector<std::string>;

json::array numbers(int count) {
  json::array list;
  for (int i = 0; i < count; ++i) list.emplace_back(i);
  return list;
}

TEST(Flow, AChainRunsInOrder) {
  World world;
  const RunId run = world.submit(FlowBuilder("chain").run("a").run("b").needs({"a"}).done());
  EXPECT_EQ(world.run(run).status, RunStatus::pending);
  const auto a = world.claim_one();
  EXPECT_EQ(a.step, "a");
  EXPECT_EQ(world.run(run).status, RunStatus::running);
  EXPECT_TRUE(world.claim().empty());
  EXPECT_EQ(world.complete(a, "1"), TaskStatus::completed);
  EXPECT_EQ(world.run(run).progress, 50u);
  const auto b = world.claim_one();
  EXPECT_EQ(b.step, "b");
  world.complete(b, "2");
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.run(run).progress, 100u);
  EXPECT_EQ(world.result(run, "b"), "2");
  EXPECT_EQ(world.story(run), (Names{"run.submitted", "task.queued a", "run.started", "attempt.started a 1",
                                     "attempt.ended a completed", "task.ended a completed", "task.queued b",
                                     "attempt.started b 1", "attempt.ended b completed",
                                     "task.ended b completed", "run.ended completed"}));
}

TEST(Flow, AJoinStartsOnceAfterAllItsPredecessors) {
  World world;
  const RunId run =
      world.submit(FlowBuilder("join").run("a").run("b").run("c").run("join").needs({"a", "b", "c"}).done());
  const auto tasks = world.claim(10);
  EXPECT_EQ(steps_of(tasks), (Names{"a", "b", "c"}));
  world.complete(tasks[2]);
  world.complete(tasks[0]);
  EXPECT_TRUE(world.claim().empty());
  world.complete(tasks[1]);
  EXPECT_EQ(steps_of(world.claim(10)), Names{"join"});
  EXPECT_EQ(world.status(run, "join"), TaskStatus::running);
}

// ---- when, skips, failures

struct Decision {
  std::string when;
  TaskStatus status;
  TaskStatus next;  // of a step that needs it
};

TEST(Flow, WhenDecides) {
  const std::vector<Decision> table = {
      {"true", TaskStatus::completed, TaskStatus::completed},
      {"false", TaskStatus::skipped, TaskStatus::completed},  // skipped by its own `when` is not bad
      {"inputs.n > 1", TaskStatus::completed, TaskStatus::completed},
      {"inputs.n > 2", TaskStatus::skipped, TaskStatus::completed},
      {"inputs.missing", TaskStatus::failed, TaskStatus::skipped},
      {"1", TaskStatus::failed, TaskStatus::skipped},  // not a boolean: never "false"
      {"'false'", TaskStatus::failed, TaskStatus::skipped},
      {"1 / 0 == 1", TaskStatus::failed, TaskStatus::skipped},
  };
  for (const Decision& decision : table) {
    SCOPED_TRACE(decision.when);
    World world;
    const RunId run = world.submit(FlowBuilder("w").run("a").when(decision.when).run("b").needs({"a"}).done(),
                                   R"({"n":2})");
    world.work_off();
    EXPECT_EQ(world.status(run, "a"), decision.status);
    EXPECT_EQ(world.status(run, "b"), decision.next);
    const bool failed = decision.status == TaskStatus::failed;
    EXPECT_EQ(world.run(run).status, failed ? RunStatus::failed : RunStatus::completed);
    if (failed) {
      EXPECT_EQ(world.task(run, "a").error_type, "expression");
      EXPECT_EQ(world.task(run, "b").skip_reason, SkipReason::upstream_failed);
      EXPECT_EQ(world.run(run).error_type, "expression");
      EXPECT_EQ(world.run(run).error_message.substr(0, 8), "step a: ");
    } else if (decision.status == TaskStatus::skipped) {
      EXPECT_EQ(world.task(run, "a").skip_reason, SkipReason::when);
    }
  }
}

TEST(Flow, ARunOfWhichEverythingIsSkippedIsCompleted) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").when("false").done());
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.run(run).progress, 100u);
}

TEST(Flow, AFailureSkipsWhatComesAfterAndNothingElse) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .run("b")
                                     .needs({"a"})
                                     .run("c")
                                     .needs({"b"})
                                     .run("other")
                                     .run("after")
                                     .needs({"other"})
                                     .done());
  const auto tasks = world.claim(2);
  ASSERT_EQ(steps_of(tasks), (Names{"a", "other"}));
  EXPECT_EQ(world.fail(tasks[0], {.type = "exit", .message = "exit code 3"}), TaskStatus::failed);
  EXPECT_EQ(world.task(run, "c").skip_reason, SkipReason::upstream_failed);
  world.complete(tasks[1]);
  world.work_off();
  EXPECT_EQ(world.status(run, "after"), TaskStatus::completed);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
  EXPECT_EQ(world.run(run).error_type, "exit");
  EXPECT_EQ(world.run(run).error_message, "step a: exit code 3");
  EXPECT_EQ(world.run(run).counts, (model::TaskCounts{5, 2, 1, 2, 0, 0}));
}

TEST(Flow, ContinueOnErrorCountsAsSuccess) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .continue_on_error()
                                     .run("b")
                                     .needs({"a"})
                                     .with("${{ steps.a.result }}")
                                     .done());
  EXPECT_EQ(world.fail(world.claim_one()), TaskStatus::failed);
  const auto b = world.claim_one();
  EXPECT_EQ(b.step, "b");
  EXPECT_NE(b.spec.find(R"("workdir":"")"), std::string::npos);
  EXPECT_EQ(b.spec.find("with"), std::string::npos) << "the result of a failed step is null";
  world.complete(b);
  EXPECT_EQ(world.status(run, "a"), TaskStatus::failed);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.run(run).error_type, "");
}

TEST(Flow, FailFastStopsWhatRunsAndSkipsTheRest) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .fail_fast()
                                     .run("a")
                                     .run("running")
                                     .attempts(3)
                                     .run("queued")
                                     .run("pending")
                                     .needs({"running"})
                                     .run("report")
                                     .finally()
                                     .done());
  const auto tasks = world.claim(2);
  world.fail(tasks[0]);
  EXPECT_EQ(world.task(run, "queued").skip_reason, SkipReason::fail_fast);
  EXPECT_EQ(world.task(run, "pending").skip_reason, SkipReason::fail_fast);
  EXPECT_EQ(world.task(run, "running").stopping, model::Stopping::soft);
  EXPECT_EQ(world.fail(tasks[1]), TaskStatus::cancelled) << "no retry of what was stopped";
  const auto report = world.claim_one();
  EXPECT_EQ(report.step, "report");
  world.complete(report);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST(Flow, FailFastOverrulesATimeoutThatIsBeingEnforced) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .fail_fast()
                                     .run("slow")
                                     .attempts(3)
                                     .timeout(Duration::seconds(5), Duration::seconds(20))
                                     .run("a")
                                     .done());
  const auto tasks = world.claim(2);
  world.advance(Duration::seconds(6));
  EXPECT_EQ(world.task(run, "slow").stop_reason, model::StopReason::timeout);
  world.fail(tasks[1]);
  EXPECT_EQ(world.task(run, "slow").stop_reason, model::StopReason::cancelled);
  EXPECT_EQ(world.fail(tasks[0]), TaskStatus::cancelled);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST(Flow, FailFastEndsAMappedStepOfWhichNothingIsLeft) {
  WorldOptions options;
  options.settings.item_window = 2;
  World world(options);
  const RunId run = world.submit(FlowBuilder("w").fail_fast().run("a").run("m").for_each(numbers(10)).done());
  const auto tasks = world.claim(2);
  ASSERT_EQ(steps_of(tasks), (Names{"a", "m"}));
  world.fail(tasks[0]);
  EXPECT_EQ(world.status(run, "m"), TaskStatus::pending) << "one of its items runs";
  world.complete(tasks[1]);
  EXPECT_EQ(world.status(run, "m"), TaskStatus::cancelled);
  EXPECT_EQ(world.status(run, "m", 0), TaskStatus::completed);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

// ---- finally

TEST(Flow, FinallyRunsAfterEveryOutcomeAndSeesIt) {
  for (const RunStatus outcome : {RunStatus::completed, RunStatus::failed, RunStatus::cancelled}) {
    SCOPED_TRACE(name(outcome));
    World world;
    const RunId run = world.submit(FlowBuilder("w")
                                       .run("a")
                                       .run("f1")
                                       .finally()
                                       .with("${{ run.status }} ${{ steps.a.status }}")
                                       .run("f2")
                                       .finally()
                                       .needs({"f1"})
                                       .done());
    const auto a = world.claim_one();
    EXPECT_TRUE(world.claim().empty()) << "finally waits for the main phase";
    TaskStatus of_a = TaskStatus::completed;
    if (outcome == RunStatus::completed) world.complete(a);
    if (outcome == RunStatus::failed) of_a = world.fail(a);
    if (outcome == RunStatus::cancelled) {
      world.cancel(run);
      of_a = world.fail(a, {.type = "signal"});
    }
    EXPECT_EQ(world.run(run).status,
              outcome == RunStatus::cancelled ? RunStatus::cancelling : RunStatus::running);
    const auto f1 = world.claim_one();
    EXPECT_EQ(f1.step, "f1");
    EXPECT_NE(f1.spec.find("\"with\":\"" + std::string(name(outcome)) + " " + std::string(name(of_a)) + "\""),
              std::string::npos)
        << f1.spec;
    world.complete(f1);
    world.complete(world.claim_one());
    EXPECT_EQ(world.run(run).status, outcome);
  }
}

TEST(Flow, AFailureInFinallyFailsACompletedRunOnly) {
  for (const bool main_fails : {false, true}) {
    World world;
    const RunId run =
        world.submit(FlowBuilder("w").run("a").run("f").finally().run("g").finally().needs({"f"}).done());
    const auto a = world.claim_one();
    main_fails ? world.fail(a, {.type = "signal"}) : world.complete(a);
    world.fail(world.claim_one());
    EXPECT_EQ(world.task(run, "g").skip_reason, SkipReason::upstream_failed);
    EXPECT_EQ(world.run(run).status, RunStatus::failed);
    EXPECT_EQ(world.run(run).outcome, main_fails ? RunStatus::failed : RunStatus::completed);
    EXPECT_EQ(world.run(run).error_type, main_fails ? "signal" : "finally");
  }
}

TEST(Flow, AFailedFinallyLeavesACancelledRunCancelled) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("f").finally().done());
  world.cancel(run);
  world.fail(world.claim_one());
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
}

// ---- for_each

TEST(Flow, AListIsMappedInOrder) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("m")
                                     .for_each("${{ inputs.list }}")
                                     .with(json::object{{"v", "${{ item }}"}, {"i", "${{ index }}"}})
                                     .run("after")
                                     .needs({"m"})
                                     .with("${{ steps.m.result }}")
                                     .done(),
                                 R"({"list":["x","y","z"]})");
  const auto items = world.claim(10);
  ASSERT_EQ(items.size(), 3u);
  EXPECT_NE(items[1].spec.find(R"("with":{"v":"y","i":1})"), std::string::npos) << items[1].spec;
  EXPECT_EQ(world.run(run).counts.total, 4u);
  world.complete(items[2], "30");
  world.complete(items[0], "10");
  EXPECT_TRUE(world.claim().empty()) << "downstream waits for all items";
  world.complete(items[1], "20");
  EXPECT_EQ(world.result(run, "m"), "[10,20,30]");
  const auto after = world.claim_one();
  EXPECT_NE(after.spec.find(R"("with":[10,20,30])"), std::string::npos) << after.spec;
  world.complete(after);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.run(run).counts, (model::TaskCounts{4, 4, 0, 0, 0, 0}));
}

TEST(Flow, AMapIsMappedInTheOrderOfItsKeys) {
  World world;
  world.submit(FlowBuilder("w").run("m").for_each("${{ inputs.map }}").with("${{ item }}").done(),
               R"({"map":{"b":2,"a":1,"B":3}})");
  const auto items = world.claim(10);
  ASSERT_EQ(items.size(), 3u);
  EXPECT_NE(items[0].spec.find(R"({"key":"B","value":3})"), std::string::npos);
  EXPECT_NE(items[1].spec.find(R"({"key":"a","value":1})"), std::string::npos);
  EXPECT_NE(items[2].spec.find(R"({"key":"b","value":2})"), std::string::npos);
}

TEST(Flow, AnEmptyListIsCompletedWithNoResults) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("m")
                                     .for_each(json::array{})
                                     .run("after")
                                     .needs({"m"})
                                     .with("${{ size(steps.m.result) }}")
                                     .done());
  EXPECT_EQ(world.status(run, "m"), TaskStatus::completed);
  const auto after = world.claim_one();
  EXPECT_NE(after.spec.find(R"("with":0)"), std::string::npos);
  world.complete(after);
  EXPECT_EQ(world.run(run).counts, (model::TaskCounts{2, 2, 0, 0, 0, 0}));
}

TEST(Flow, WhatIsNoListOrMapFails) {
  for (const char* text : {"${{ null }}", "${{ 7 }}", "${{ 'abc' }}", "${{ inputs.missing }}", "abc"}) {
    SCOPED_TRACE(text);
    World world;
    const RunId run = world.submit(FlowBuilder("w").run("m").for_each(text).done());
    EXPECT_EQ(world.status(run, "m"), TaskStatus::failed);
    EXPECT_EQ(world.task(run, "m").error_type, "expression");
    EXPECT_EQ(world.run(run).status, RunStatus::failed);
  }
}

TEST(Flow, TooManyItemsAreRefused) {
  WorldOptions options;
  options.settings.max_tasks_per_run = 11;
  World world(options);
  const RunId fits = world.submit(FlowBuilder("w").run("m").for_each(numbers(10)).done());
  world.work_off();
  EXPECT_EQ(world.run(fits).status, RunStatus::completed);
  const RunId run = world.submit(FlowBuilder("w").run("m").for_each(numbers(11)).done());
  EXPECT_EQ(world.task(run, "m").error_type, "validation");
  EXPECT_EQ(world.task(run, "m").error_message, "`for_each` has 11 items; a run may have 11 tasks");
}

TEST(Flow, ATooLargeListIsRefused) {
  WorldOptions options;
  options.settings.max_list = 21;
  World world(options);
  const RunId fits = world.submit(FlowBuilder("w").run("m").for_each(numbers(10)).done());
  EXPECT_EQ(world.task(fits, "m").item_count, 10u);
  const RunId run = world.submit(FlowBuilder("w").run("m").for_each(numbers(11)).done());
  EXPECT_EQ(world.task(run, "m").error_type, "validation");
}

TEST(Flow, AFailedItemCancelsQueuedOnesAndLetsRunningOnesFinish) {
  World world;
  const RunId run = world.submit(
      FlowBuilder("w").run("m").for_each(numbers(6)).attempts(2).run("after").needs({"m"}).done());
  const auto items = world.claim(4);
  EXPECT_EQ(world.fail(items[3]), TaskStatus::retrying);
  EXPECT_EQ(world.fail(items[0]), TaskStatus::retrying);
  world.advance(Duration::seconds(1));
  const auto again = world.claim(10);
  ASSERT_EQ(again.size(), 4u);
  ASSERT_EQ(again[2].attempt, 2u);
  world.fail(again[2]);  // item 0, for good
  EXPECT_EQ(world.status(run, "m"), TaskStatus::pending);
  // One that fails now is not tried again, one that is lost does not come back.
  EXPECT_EQ(world.fail(items[1]), TaskStatus::failed);
  world.ask(model::ReleaseAttempt{again[0].token, again[0].task});
  EXPECT_EQ(world.complete(items[2], "2"), TaskStatus::completed);
  EXPECT_EQ(world.complete(again[1], "1"), TaskStatus::completed);
  EXPECT_EQ(world.complete(again[3], "3"), TaskStatus::completed);
  EXPECT_EQ(world.status(run, "m"), TaskStatus::failed);
  EXPECT_EQ(world.task(run, "m").error_type, "exit");
  EXPECT_EQ(world.task(run, "m").error_message.substr(0, 28), "2 of 6 items failed; item 0:");
  EXPECT_EQ(world.task(run, "after").skip_reason, SkipReason::upstream_failed);
  EXPECT_EQ(world.run(run).counts, (model::TaskCounts{7, 3, 2, 1, 1, 0}));
}

TEST(Flow, AnItemFailureEndsThoseThatWaitForTheirNextAttempt) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("m").for_each(numbers(2)).attempts(2).done());
  const auto items = world.claim(2);
  EXPECT_EQ(world.fail(items[0]), TaskStatus::retrying);
  EXPECT_EQ(world.fail(items[1], {.type = "validation"}), TaskStatus::failed);
  EXPECT_EQ(world.status(run, "m", 0), TaskStatus::cancelled);
  EXPECT_EQ(world.status(run, "m"), TaskStatus::failed);
}

TEST(Flow, WhenPerItemSkipsItems) {
  World world;
  const RunId run =
      world.submit(FlowBuilder("w").run("m").for_each(numbers(4)).when("index != 1 && item != 2").done());
  world.work_off("\"x\"");
  EXPECT_EQ(world.status(run, "m"), TaskStatus::completed);
  EXPECT_EQ(world.result(run, "m"), R"(["x",null,null,"x"])");
  EXPECT_EQ(world.run(run).counts, (model::TaskCounts{4, 2, 0, 2, 0, 0}));
}

TEST(Flow, ContinueOnErrorOfAMappedStepKeepsTheGoodResults) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("m")
                                     .for_each(numbers(2))
                                     .continue_on_error()
                                     .run("after")
                                     .needs({"m"})
                                     .with("${{ steps.m.result }}")
                                     .done());
  const auto items = world.claim(2);
  world.fail(items[0]);
  world.complete(items[1], "7");
  const auto after = world.claim_one();
  EXPECT_NE(after.spec.find(R"("with":[null,7])"), std::string::npos) << after.spec;
  world.complete(after);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST(Flow, MappedSetStepsAreComputedPerItem) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .set("m", json::object{{"twice", "${{ item * 2 }}"}})
                                     .for_each(numbers(3))
                                     .set("sum", json::object{{"n", "${{ steps.m.result[2].twice }}"}})
                                     .needs({"m"})
                                     .done());
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.result(run, "m"), R"([{"twice":0},{"twice":2},{"twice":4}])");
  EXPECT_EQ(world.result(run, "sum"), R"({"n":4})");
}

// ---- Limits

TEST(Flow, MaxParallelOfAStepHoldsItemsBack) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("m").for_each(numbers(7), 2).attempts(2).done());
  auto items = world.claim(10);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(world.fail(items[0]), TaskStatus::retrying);
  EXPECT_TRUE(world.claim().empty()) << "one that waits for its next attempt keeps its place";
  world.advance(Duration::seconds(1));
  world.complete(world.claim_one());
  world.complete(items[1]);
  for (int left = 5; left > 0; left -= 2) {
    items = world.claim(10);
    ASSERT_EQ(items.size(), static_cast<std::size_t>(std::min(left, 2)));
    for (const auto& item : items) world.complete(item);
  }
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST(Flow, MaxParallelOfARunHoldsTasksBackInOrder) {
  World world;
  const RunId run = world.submit(
      FlowBuilder("w").max_parallel(2).run("a").run("b").run("c").run("m").for_each(numbers(3)).done());
  auto tasks = world.claim(10);
  ASSERT_EQ(steps_of(tasks), (Names{"a", "b"}));
  world.restart();
  world.settle();
  EXPECT_TRUE(world.claim(10).empty());
  world.complete(tasks[1]);
  tasks = world.claim(10);
  ASSERT_EQ(steps_of(tasks), Names{"c"});
  world.work_off();
  EXPECT_EQ(world.run(run).status, RunStatus::running);
  EXPECT_EQ(world.run(run).counts.running, 2u);
}

TEST(Flow, ParkedItemsBehindSkippedOnesSurviveARestart) {
  World world;
  const RunId run = world.submit(
      FlowBuilder("w").max_parallel(1).run("m").for_each(numbers(6)).when("item < 3 || item == 5").done());
  const auto first = world.claim_one();
  EXPECT_EQ(world.status(run, "m", 4), TaskStatus::skipped)
      << "it was asked while items before it are parked";
  world.restart();
  world.settle();
  world.complete(first, "1");
  world.work_off("1");
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.result(run, "m"), "[1,1,1,null,null,1]");
}

TEST(Flow, AHugeMapIsOnlyOpenedAsFarAsItsWindow) {
  WorldOptions options;
  options.settings.item_window = 10;
  World world(options);
  for (const std::uint32_t parallel : {0u, 1u}) {
    const RunId run =
        world.submit(FlowBuilder("w").max_parallel(parallel).run("m").for_each(numbers(500)).done());
    const Task& group = world.state().find(run.key())->tasks[0];
    EXPECT_EQ(group.next_item, 10u) << "of 500 items the first ones are made ready";
    const auto items = world.claim(4);
    EXPECT_EQ(items.size(), parallel == 0 ? 4u : 1u);
    EXPECT_EQ(group.next_item, parallel == 0 ? 14u : 11u);
    world.cancel(run, true);
    for (const auto& item : items) world.fail(item);
    EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
  }
}

TEST(Flow, ProgressIsWeightedByEstimates) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("long")
                                     .estimate(Duration::minutes(9))
                                     .run("m")
                                     .estimate(Duration::minutes(1))
                                     .for_each(numbers(2))
                                     .done());
  const auto tasks = world.claim(3);
  world.complete(tasks[1]);
  EXPECT_EQ(world.run(run).progress, 5u);
  world.complete(tasks[0]);
  EXPECT_EQ(world.run(run).progress, 95u);
  world.restart();
  world.settle();
  world.complete(tasks[2]);
  EXPECT_EQ(world.run(run).progress, 100u);
}

TEST(Flow, ProgressDoesNotOverflowWithTheLongestEstimates) {
  World world;
  FlowBuilder flow("w");
  for (int i = 0; i < 200; ++i) {
    flow.run("s" + std::to_string(i))
        .estimate(Duration::hours(24 * 365 * 100))
        .when(i % 2 == 0 ? "false" : "true");
  }
  const RunId run = world.submit(flow.done());
  EXPECT_EQ(world.run(run).progress, 50u);
}

}  // namespace
}  // namespace baton::engine
