#include "engine/endings.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::RunStatus;
using model::TaskRole;
using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;

// What a worker would run: the script, which tells the step from its cleanup.
std::string script_of(const model::Assignment& assignment) {
  const std::size_t at = assignment.spec.find("\"script\":\"");
  if (at == std::string::npos) return assignment.spec;
  return assignment.spec.substr(at + 10, assignment.spec.find('"', at + 10) - at - 10);
}

std::vector<std::string> scripts_of(const std::vector<model::Assignment>& tasks) {
  std::vector<std::string> scripts;
  for (const auto& task : tasks) scripts.push_back(script_of(task));
  std::ranges::sort(scripts);
  return scripts;
}

std::vector<model::TaskRow> helpers(const World& world, const RunId& run) {
  std::vector<model::TaskRow> rows;
  for (const model::TaskRow& row : world.disk().tasks(run.key())) {
    if (row.role != TaskRole::main) rows.push_back(row);
  }
  return rows;
}

std::vector<std::string> leaked(const World& world) {
  std::vector<std::string> ids;
  for (const auto& [key, record] : world.disk().records()) {
    if (record.group == "leaked") ids.push_back(key.key);
  }
  return ids;
}

model::Outcome failed_with(std::string partial) {
  model::Outcome outcome = testing::failed();
  outcome.result = std::move(partial);
  return outcome;
}

// ---- cleanup

TEST(Cleanup, RunsAfterTheMainPhaseInReverseOrderOfTheGraph) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a", "a")
                                     .cleanup("clean a")
                                     .run("b", "b")
                                     .needs({"a"})
                                     .cleanup("clean b")
                                     .run("c", "c")
                                     .needs({"a"})
                                     .cleanup("clean c")
                                     .run("end", "end")
                                     .finally()
                                     .done());
  world.complete(world.claim_one());
  for (const auto& task : world.claim(9)) world.complete(task);
  EXPECT_EQ(world.run(run).stage, model::RunStage::cleanup);
  EXPECT_EQ(world.run(run).status, RunStatus::running);
  const auto first = world.claim(9);
  EXPECT_EQ(scripts_of(first), (std::vector<std::string>{"clean b", "clean c"}))
      << "independent ones together";
  world.complete(first[0]);
  EXPECT_TRUE(world.claim(9).empty()) << "a's waits for both";
  world.complete(first[1]);
  const auto last = world.claim_one();
  EXPECT_EQ(script_of(last), "clean a");
  world.complete(last);
  const auto finally = world.claim_one();
  EXPECT_EQ(script_of(finally), "end");
  world.complete(finally);
  const model::RunRow& row = world.run(run);
  EXPECT_EQ(row.status, RunStatus::completed);
  EXPECT_EQ(row.counts.total, 4u) << "what serves others is not counted";
  EXPECT_EQ(row.counts.completed, 4u);
}

TEST(Cleanup, OfAStepThatNeverStartedDoesNotRun) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .cleanup("clean a")
                                     .run("b")
                                     .needs({"a"})
                                     .cleanup("clean b")
                                     .run("skipped")
                                     .when("false")
                                     .cleanup("clean skipped")
                                     .done());
  world.fail(world.claim_one());
  const auto clean = world.claim(9);
  EXPECT_EQ(scripts_of(clean), std::vector<std::string>{"clean a"});
  world.complete(clean[0]);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
  EXPECT_EQ(helpers(world, run).size(), 1u);
}

TEST(Cleanup, SeesItsStepAndThePartialResultOfAFailedAttempt) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("deploy")
                                     .attempts(2)
                                     .cleanup("undeploy", {{"id", "${{ self.result.id }}"},
                                                           {"why", "${{ self.error.type }}"},
                                                           {"was", "${{ self.status }}"},
                                                           {"attempt", "${{ self.attempt }}"}})
                                     .run("next")
                                     .needs({"deploy"})
                                     .with("${{ has(steps.deploy.result.id) }}")
                                     .done());
  world.report(world.claim_one(), failed_with(R"({"id":"i-1"})"));
  world.advance(Duration::seconds(1));
  world.report(world.claim_one(), failed_with(R"({"id":"i-2"})"));
  EXPECT_EQ(world.status(run, "next"), TaskStatus::skipped);
  const auto clean = world.claim_one();
  EXPECT_NE(clean.spec.find(R"("with":{"id":"i-2","why":"exit","was":"failed","attempt":2})"),
            std::string::npos)
      << clean.spec;
  world.complete(clean);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST(Cleanup, APartialResultIsNoResultOfAnItem) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("m")
                                     .for_each({1, 2})
                                     .continue_on_error()
                                     .cleanup("clean")
                                     .run("after")
                                     .needs({"m"})
                                     .with("${{ steps.m.result }}")
                                     .done());
  const auto items = world.claim(2);
  world.report(items[0], failed_with("7"));
  world.complete(items[1], "8");
  EXPECT_EQ(world.result(run, "m"), "[null,8]");
}

TEST(Cleanup, OfAMappedStepRunsForEachItem) {
  World world;
  const RunId run = world.submit(
      FlowBuilder("w").run("m").for_each({"x", "y", "z"}).cleanup("clean", "${{ item }}").done());
  for (const auto& item : world.claim(9)) world.complete(item);
  std::vector<std::string> specs;
  for (const auto& clean : world.claim(9)) {
    specs.push_back(clean.spec.substr(clean.spec.find("\"with\"")));
    world.complete(clean);
  }
  std::ranges::sort(specs);
  ASSERT_EQ(specs.size(), 3u);
  EXPECT_TRUE(specs[0].starts_with(R"("with":"x")")) << specs[0];
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST(Cleanup, IsRetriedAndItsFinalFailureIsALeakThatLeavesTheOutcome) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").cleanup("clean a").run("f").finally().done());
  world.complete(world.claim_one());
  for (int i = 0; i < 3; ++i) {
    const auto clean = world.claim_one();
    EXPECT_EQ(script_of(clean), "clean a");
    world.fail(clean, {.type = "exit", .message = "no such host"});
    world.advance(Duration::seconds(1));
  }
  world.complete(world.claim_one());
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(leaked(world), std::vector<std::string>{run.text() + ".0:(cleanup)"});
}

TEST(Cleanup, WithAnExpressionThatFailsIsALeak) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").cleanup("clean", "${{ self.result.id }}").done());
  world.fail(world.claim_one());
  EXPECT_TRUE(world.claim(9).empty());
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
  EXPECT_EQ(leaked(world).size(), 1u);
}

TEST(Cleanup, RunsAfterCancelAndTerminate) {
  for (const bool terminate : {false, true}) {
    World world;
    const RunId run = world.submit(FlowBuilder("w").run("a").cleanup("clean a").done());
    const auto a = world.claim_one();
    world.cancel(run, terminate);
    world.fail(a);
    EXPECT_EQ(world.run(run).status, RunStatus::cancelling);
    const auto clean = world.claim_one();
    world.cancel(run, true);
    world.advance(Duration::seconds(20));
    EXPECT_EQ(world.complete(clean), TaskStatus::completed) << "an ending is not cancelled";
    EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
  }
}

TEST(Cleanup, HasItsOwnTimeLimit) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").cleanup("clean a").done());
  world.complete(world.claim_one());
  const auto clean = world.claim(1, "local", {"default"}, true).at(0);
  world.take_actions();
  world.advance(Duration::minutes(5));
  const auto actions = world.take_actions();
  EXPECT_TRUE(std::ranges::any_of(actions, [&](const model::Action& action) {
    const auto* stop = std::get_if<model::StopAttempt>(&action);
    return stop != nullptr && stop->token == clean.token;
  }));
  world.fail(clean);
  EXPECT_EQ(helpers(world, run)[0].error_type, "timeout");
}

TEST(Cleanup, SurvivesRestartsAtEveryCommit) {
  for (std::uint32_t every = 1; every <= 3; ++every) {
    World world({.restart_every = every});
    const RunId run = world.submit(FlowBuilder("w")
                                       .run("a")
                                       .cleanup("clean a")
                                       .compensate("undo a")
                                       .run("b")
                                       .needs({"a"})
                                       .cleanup("clean b")
                                       .compensate("undo b")
                                       .run("c")
                                       .needs({"b"})
                                       .run("f")
                                       .finally()
                                       .done());
    std::vector<std::string> done;
    for (int i = 0; i < 20; ++i) {
      const auto tasks = world.claim(1);
      if (tasks.empty()) break;
      done.push_back(script_of(tasks[0]));
      if (tasks[0].step == "c") {
        world.fail(tasks[0]);
      } else {
        world.complete(tasks[0]);
      }
    }
    EXPECT_EQ(done, (std::vector<std::string>{"true", "true", "true", "undo b", "undo a", "clean b",
                                              "clean a", "true"}));
    EXPECT_EQ(world.run(run).status, RunStatus::failed);
  }
}

TEST(Cleanup, PutForwardRunsWhenThatStepHasEnded) {
  for (const bool restarted : {false, true}) {
    World world;
    const RunId run = world.submit(FlowBuilder("w")
                                       .run("gpu", "gpu")
                                       .cleanup("free gpu")
                                       .cleanup_after("train")
                                       .run("train", "train")
                                       .needs({"gpu"})
                                       .run("report", "report")
                                       .needs({"train"})
                                       .done());
    world.complete(world.claim_one());
    world.complete(world.claim_one());
    if (restarted) world.restart();
    const auto next = world.claim(9);
    EXPECT_EQ(scripts_of(next), (std::vector<std::string>{"free gpu", "report"}));
    for (const auto& task : next) world.complete(task);
    EXPECT_TRUE(world.claim(9).empty()) << "not again at the end";
    EXPECT_EQ(world.run(run).status, RunStatus::completed);
  }
}

TEST(Cleanup, OfThousandsOfItemsIsMadeInBoundedBatches) {
  World world({.check_memory = false});
  boost::json::array list;
  for (int i = 0; i < 3000; ++i) list.emplace_back(i);
  const RunId run = world.submit(FlowBuilder("w").run("m").for_each(std::move(list)).cleanup("clean").done());
  world.work_off();
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(helpers(world, run).size(), 3000u);
  EXPECT_LE(world.largest_batch(), 1100u);
}

TEST(Cleanup, OnShutdownRunsBeforeTheNextAttempt) {
  World world;
  const RunId run =
      world.submit(FlowBuilder("w").run("a", "a").cleanup("clean a").cleanup_on_shutdown().done());
  EXPECT_EQ(world.claim(1, "local", {"default"}, true).size(), 1u);
  world.restart();
  world.settle();
  EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying);
  const auto clean = world.claim_one();
  EXPECT_EQ(script_of(clean), "clean a");
  world.complete(clean);
  const auto again = world.claim_one();
  EXPECT_EQ(script_of(again), "a");
  world.complete(again);
  const auto last = world.claim_one();
  EXPECT_EQ(script_of(last), "clean a") << "the second attempt made it again";
  world.complete(last);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST(Cleanup, HasNoFallbackThoughItsStepHas) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").fallback().cleanup("clean a").done());
  world.complete(world.claim_one());
  for (int i = 0; i < 3; ++i) {
    world.fail(world.claim_one());
    world.advance(Duration::seconds(2));
  }
  EXPECT_TRUE(world.claim(9).empty());
  EXPECT_EQ(leaked(world).size(), 1u);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

// ---- compensate

TEST(Compensate, UndoesWhatCompletedLastCompletedFirst) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a", "a")
                                     .compensate("undo a", "${{ self.result }}")
                                     .run("b", "b")
                                     .compensate("undo b")
                                     .run("bad", "bad")
                                     .needs({"a", "b"})
                                     .compensate("undo bad")
                                     .done());
  const auto both = world.claim(2);
  world.complete(both[1], "2");
  world.complete(both[0], "1");
  world.fail(world.claim_one());
  const auto first = world.claim(9);
  EXPECT_EQ(scripts_of(first), std::vector<std::string>{"undo a"});
  EXPECT_NE(first[0].spec.find(R"("with":1)"), std::string::npos) << first[0].spec;
  world.complete(first[0]);
  const auto second = world.claim(9);
  EXPECT_EQ(scripts_of(second), std::vector<std::string>{"undo b"});
  world.complete(second[0]);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST(Compensate, IsNotForCompletedRuns) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").compensate("undo a").done());
  world.complete(world.claim_one());
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_TRUE(helpers(world, run).empty());
}

TEST(Compensate, AFailureLeaksAndTheOthersAreUndoneAllTheSame) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a", "a")
                                     .compensate("undo a")
                                     .run("b", "b")
                                     .needs({"a"})
                                     .compensate("undo b")
                                     .run("c", "c")
                                     .needs({"b"})
                                     .done());
  world.complete(world.claim_one());
  world.complete(world.claim_one());
  const auto c = world.claim_one();
  world.cancel(run);
  world.fail(c);
  for (int i = 0; i < 3; ++i) {
    const auto undo = world.claim_one();
    EXPECT_EQ(script_of(undo), "undo b");
    world.fail(undo);
    world.advance(Duration::seconds(1));
  }
  const auto undo = world.claim_one();
  EXPECT_EQ(script_of(undo), "undo a");
  world.complete(undo);
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
  EXPECT_EQ(leaked(world), std::vector<std::string>{run.text() + ".1:(compensate)"});
}

// ---- no cleanup

TEST(NoCleanup, LeavesEverythingListedAndRunsFinally) {
  for (const std::uint32_t every : {0u, 1u}) {
    World world({.restart_every = every});
    const RunId run = world.submit(FlowBuilder("w")
                                       .run("a")
                                       .cleanup("clean a")
                                       .compensate("undo a")
                                       .run("b")
                                       .needs({"a"})
                                       .cleanup("clean b")
                                       .run("c")
                                       .needs({"b"})
                                       .cleanup("clean c")
                                       .run("f", "last")
                                       .finally()
                                       .done());
    world.complete(world.claim_one());
    const auto b = world.claim_one();
    world.ask(model::RegisterResource{b.token, b.task, "vm", {"rm"}, "/"});
    world.ask(model::CancelRun{.run = run, .terminate = true, .no_cleanup = true});
    world.fail(b);
    const auto last = world.claim_one();
    EXPECT_EQ(script_of(last), "last");
    world.complete(last);
    EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
    const std::string id = run.text();
    EXPECT_EQ(leaked(world), (std::vector<std::string>{id + ".0:(cleanup)", id + ".0:(compensate)",
                                                       id + ".1:(cleanup)", id + ".1:vm"}));
    EXPECT_TRUE(helpers(world, run).empty());
  }
}

TEST(NoCleanup, AlsoOfARunThatHangsInItsEndings) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").cleanup("clean a").run("f").finally().done());
  const auto a = world.claim_one();
  world.ask(model::RegisterResource{a.token, a.task, "vm", {"rm"}, "/"});
  world.complete(a);
  const auto clean = world.claim_one();
  EXPECT_EQ(testing::error_of(world.cancel(run, true)).code, ErrorCode::conflict);
  EXPECT_TRUE(std::holds_alternative<model::CancelAccepted>(
      world.ask(model::CancelRun{.run = run, .terminate = true, .no_cleanup = true})));
  EXPECT_EQ(world.task(run, "a").status, TaskStatus::completed);
  world.fail(clean);
  world.complete(world.claim_one());
  EXPECT_EQ(world.run(run).status, RunStatus::completed) << "that was decided before";
  EXPECT_EQ(leaked(world).size(), 2u);
}

TEST(NoCleanup, WhatWasLeftUndoneCanBeDoneLater) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").cleanup("clean a").done());
  const auto a = world.claim_one();
  world.ask(model::CancelRun{.run = run, .terminate = true, .no_cleanup = true});
  world.fail(a);
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
  EXPECT_EQ(leaked(world).size(), 1u);
  world.ask(model::CleanResource{a.task, "(cleanup)"});
  const auto clean = world.claim_one();
  EXPECT_EQ(script_of(clean), "clean a");
  world.complete(clean);
  EXPECT_TRUE(leaked(world).empty());
}

TEST(NoCleanup, ARecoveredRunCleansUpAfterAll) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").cleanup("clean a").run("b").needs({"a"}).done());
  world.complete(world.claim_one());
  const auto b = world.claim_one();
  world.ask(model::CancelRun{.run = run, .terminate = true, .no_cleanup = true});
  world.fail(b);
  EXPECT_EQ(leaked(world).size(), 1u);
  world.ask(model::RecoverRun{.run = run});
  EXPECT_EQ(world.status(run, "a"), TaskStatus::completed) << "what it made is still there";
  world.complete(world.claim_one());
  const auto clean = world.claim_one();
  EXPECT_EQ(script_of(clean), "clean a");
  world.complete(clean);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_TRUE(leaked(world).empty());
}

// ---- The whole

TEST(Endings, AreToldInOrder) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .compensate("undo")
                                     .cleanup("clean")
                                     .run("b")
                                     .needs({"a"})
                                     .run("f")
                                     .finally()
                                     .done());
  world.complete(world.claim_one());
  world.fail(world.claim_one());
  world.work_off();
  const auto story = world.story(run);
  std::vector<std::string> stages;
  std::ranges::copy_if(story, std::back_inserter(stages), [](const std::string& line) {
    return line.starts_with("run.") || line.starts_with("task.added");
  });
  EXPECT_EQ(stages, (std::vector<std::string>{"run.submitted", "run.started",
                                              "run.finalizing failed compensate", "task.added a:compensate",
                                              "run.finalizing failed cleanup", "task.added a:cleanup",
                                              "run.finalizing failed finally", "run.ended failed"}));
}

TEST(Endings, SeeTheDecidedOutcomeAsTheRunsStatus) {
  World world;
  world.submit(FlowBuilder("w").run("a").cleanup("clean", "${{ run.status }}").done());
  world.fail(world.claim_one());
  EXPECT_NE(world.claim_one().spec.find(R"("with":"failed")"), std::string::npos);
}

TEST(Endings, WhoTerminatesWithoutCleanupDoesNotWantItToRecoverByItself) {
  model::Workflow flow = *FlowBuilder("w").run("a").cleanup("clean").done();
  flow.auto_recovery = true;
  World world;
  const RunId run = world.submit(std::make_shared<const model::Workflow>(std::move(flow)));
  world.fail(world.claim_one());
  ASSERT_EQ(world.run(run).stage, model::RunStage::cleanup);
  world.ask(model::CancelRun{.run = run, .terminate = true, .no_cleanup = true});
  EXPECT_EQ(world.run(run).status, model::RunStatus::failed) << "as was decided before";
  world.advance(Duration::hours(1));
  EXPECT_EQ(world.run(run).status, model::RunStatus::failed);
  EXPECT_EQ(world.run(run).recovery_attempts, 0U);
}

// Once its stop was taken for one by a deadline that its step did not have.
TEST(Endings, ACleanupAfterTheDeadlineOfItsRunCanBeDropped) {
  for (const bool lost : {false, true}) {
    World world;
    const RunId run =
        world.submit(FlowBuilder("w").run("a").cleanup("clean").run_deadline(Duration::seconds(5)).done());
    const auto attempt = world.claim_one();
    world.advance(Duration::seconds(6));
    world.fail(attempt);
    const auto clean = world.claim_one();
    world.ask(model::CancelRun{.run = run, .terminate = true, .no_cleanup = true});
    if (lost) {
      world.ask(model::LoseWorker{"w"});
    } else {
      world.fail(clean);
    }
    EXPECT_EQ(world.run(run).status, model::RunStatus::failed);
    EXPECT_EQ(world.run(run).error_type, "timeout");
  }
}

}  // namespace
}  // namespace baton::engine
