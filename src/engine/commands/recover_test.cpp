#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"
#include "model/dead_letter.hpp"
#include "model/run_tag.hpp"

namespace baton::engine {
namespace {

using model::RunStatus;
using model::TaskStatus;
using testing::error_of;
using testing::FlowBuilder;
using testing::World;
using Verdict = model::DecideTask::Verdict;

// a → b → c, d beside them, z at the end.
std::shared_ptr<const model::Workflow> chain() {
  return FlowBuilder("w")
      .run("a")
      .run("b")
      .needs({"a"})
      .run("c")
      .needs({"b"})
      .run("d")
      .run("z")
      .finally()
      .done();
}

// Everything that can be claimed ends well, but for the steps named.
void work_off(World& world, const std::vector<std::string>& failing = {}) {
  for (auto tasks = world.claim(10); !tasks.empty(); tasks = world.claim(10)) {
    for (const auto& task : tasks) {
      if (std::ranges::find(failing, task.step) != failing.end()) {
        world.fail(task);
      } else {
        world.complete(task, R"({"by":")" + task.step + R"("})");
      }
    }
  }
}

RunStatus recover(World& world, const RunId& run, std::string from = "", bool failed_only = false) {
  const auto reply =
      world.ask(model::RecoverRun{.run = run, .from = std::move(from), .failed_only = failed_only});
  const auto* accepted = std::get_if<model::RunAccepted>(&reply);
  EXPECT_NE(accepted, nullptr) << error_of(reply).message;
  return accepted != nullptr ? accepted->status : RunStatus::pending;
}

model::ReplyBody decide(World& world, const RunId& run, std::string_view step, Verdict verdict,
                        std::int32_t index = -1, std::string result = "null") {
  return world.ask(model::DecideTask{.task = {run, world.task(run, step, index).key.ordinal},
                                     .verdict = verdict,
                                     .result = std::move(result)});
}

TEST(Recover, RepeatsWhatIsNotCompletedAndKeepsTheRest) {
  World world;
  const RunId run = world.submit(chain());
  work_off(world, {"b"});
  ASSERT_EQ(world.run(run).status, RunStatus::failed);
  EXPECT_EQ(world.task(run, "c").skip_reason, model::SkipReason::upstream_failed);
  EXPECT_EQ(recover(world, run), RunStatus::recovering);
  EXPECT_EQ(world.run(run).status, RunStatus::running);
  EXPECT_EQ(world.status(run, "a"), TaskStatus::completed);
  EXPECT_EQ(world.task(run, "b").generation, 2u);
  EXPECT_EQ(world.task(run, "d").generation, 1u);
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.run(run).recovery_attempts, 1u);
  EXPECT_EQ(world.task(run, "z").generation, 2u);
  EXPECT_EQ(world.task(run, "b").starts, 2u) << "numbers of attempts go on: logs are kept by them";
  EXPECT_EQ(world.task(run, "b").attempts, 1u);
}

// It was ready, and stood nowhere yet: of a restart nobody would notice anything else.
TEST(Recover, WhatWaitsForAPlaceWaitsForWhatIsDoneAgainBeforeIt) {
  for (const bool restarted : {false, true}) {
    World world;
    const RunId run = world.submit(FlowBuilder("w")
                                       .run("a")
                                       .run("b")
                                       .needs({"a"})
                                       .run("c")
                                       .env({{"X", "${{ steps.b.status }}"}})
                                       .needs({"b"})
                                       .trigger_rule(model::TriggerRule::always)
                                       .run("d")
                                       .max_parallel(1)
                                       .done());
    world.fail(world.claim_one());
    const auto d = world.claim_one();
    ASSERT_EQ(d.step, "d");
    ASSERT_EQ(world.task(run, "b").skip_reason, model::SkipReason::upstream_failed);
    EXPECT_EQ(world.status(run, "c"), TaskStatus::pending) << "ready, but there is no place";
    ASSERT_TRUE(world.task(run, "c").has_input) << "and what it gets is recorded";
    decide(world, run, "a", Verdict::retry);
    if (restarted) world.restart();
    world.complete(d);
    for (const char* step : {"a", "b", "c"}) {
      const auto next = world.claim(9);
      ASSERT_EQ(next.size(), 1U);
      EXPECT_EQ(next[0].step, step);
      if (next[0].step == "c") EXPECT_NE(next[0].spec.find("completed"), std::string::npos) << next[0].spec;
      world.complete(next[0]);
    }
    EXPECT_EQ(world.run(run).status, RunStatus::completed);
  }
}

TEST(Recover, FromAStepRepeatsAllThatFollows) {
  World world;
  const RunId run = world.submit(chain());
  work_off(world, {"c"});
  recover(world, run, "0");  // as seed 001 counts
  EXPECT_EQ(world.status(run, "a"), TaskStatus::queued);
  EXPECT_EQ(world.status(run, "b"), TaskStatus::pending);
  EXPECT_EQ(world.result(run, "b"), "") << "the earlier result is gone";
  EXPECT_EQ(world.task(run, "d").generation, 1u);
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.result(run, "b"), R"({"by":"b"})");
}

TEST(Recover, KeepsWhatItIsToldTo) {
  World world;
  const RunId run = world.submit(chain());
  work_off(world, {"c"});
  EXPECT_EQ(error_of(world.ask(model::RecoverRun{.run = run, .from = "a", .keep = {"c"}})).where, "failed");
  world.ask(model::RecoverRun{.run = run, .from = "a", .keep = {"b"}});
  EXPECT_EQ(world.status(run, "b"), TaskStatus::completed);
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.task(run, "b").generation, 1u);
  EXPECT_EQ(world.task(run, "a").generation, 2u);
}

TEST(Recover, OfACancelledRun) {
  World world;
  const RunId run = world.submit(chain());
  const auto held = world.claim_one();
  world.cancel(run);
  world.complete(held);
  work_off(world);
  ASSERT_EQ(world.run(run).status, RunStatus::cancelled);
  recover(world, run);
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.task(run, "a").generation, 1u);
}

TEST(Recover, IsRefusedWithTheStateAndWhatIsPossible) {
  World world;
  const RunId run = world.submit(chain());
  auto refused = error_of(world.ask(model::RecoverRun{.run = run}));
  EXPECT_EQ(refused.code, ErrorCode::conflict);
  EXPECT_EQ(refused.where, "pending");
  work_off(world);
  refused = error_of(world.ask(model::RecoverRun{.run = run}));
  EXPECT_EQ(refused.where, "completed");
  EXPECT_NE(refused.message.find("replay"), std::string::npos);

  const RunId bad = world.submit(chain());
  work_off(world, {"b"});
  EXPECT_EQ(error_of(world.ask(model::RecoverRun{.run = bad, .from = "bb"})).code, ErrorCode::not_found);
  EXPECT_EQ(error_of(world.ask(model::RecoverRun{.run = bad, .from = "z"})).code, ErrorCode::conflict);
  EXPECT_EQ(world.run(bad).status, RunStatus::failed) << "a refusal changes nothing";
  for (int i = 0; i < 3; ++i) {
    recover(world, bad);
    work_off(world, {"b"});
  }
  EXPECT_EQ(error_of(world.ask(model::RecoverRun{.run = bad})).code, ErrorCode::conflict);
  world.ask(model::RecoverRun{.run = bad, .force = true});
  work_off(world);
  EXPECT_EQ(world.run(bad).status, RunStatus::completed);
  EXPECT_EQ(world.run(bad).recovery_attempts, 4u);
}

TEST(Recover, OfAMappedStepRepeatsOnlyItsBadItems) {
  World world;
  const auto flow = FlowBuilder("w").run("m").for_each({1, 2, 3}).run("e").needs({"m"}).done();
  const RunId run = world.submit(flow);
  const auto items = world.claim(10);
  ASSERT_EQ(items.size(), 3u);
  world.complete(items[0], "10");
  world.fail(items[1]);
  world.complete(items[2], "30");
  ASSERT_EQ(world.run(run).status, RunStatus::failed);
  recover(world, run);
  const auto again = world.claim(10);
  ASSERT_EQ(again.size(), 1u);
  world.complete(again[0], "20");
  EXPECT_EQ(world.result(run, "m"), "[10,20,30]");
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST(Recover, FromAMappedStepRepeatsAllItemsOrOnlyTheBadOnes) {
  for (const bool failed_only : {false, true}) {
    World world;
    const RunId run = world.submit(FlowBuilder("w").run("m").for_each({1, 2}).run("e").needs({"m"}).done());
    const auto items = world.claim(10);
    world.complete(items[0], "10");
    world.fail(items[1]);
    recover(world, run, "m", failed_only);
    EXPECT_EQ(world.task(run, "m", 0).generation, failed_only ? 1u : 2u);
    work_off(world);
    EXPECT_EQ(world.run(run).status, RunStatus::completed);
    EXPECT_EQ(world.run(run).counts.total, 3u);
  }
}

TEST(Recover, OfTheBadItemsOfAStepThatHasNone) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("m").for_each({1, 2}).run("e").needs({"m"}).done());
  work_off(world, {"e"});
  recover(world, run, "m", true);
  EXPECT_EQ(world.status(run, "m"), TaskStatus::completed);
  EXPECT_EQ(world.task(run, "m", 0).generation, 1u);
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST(Recover, MakesTheListAgainWhenAnAncestorIsRepeated) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .run("m")
                                     .needs({"a"})
                                     .for_each("${{ steps.a.result }}")
                                     .run("e")
                                     .needs({"m"})
                                     .done());
  world.complete(world.claim_one(), "[1,2,3]");
  for (const auto& item : world.claim(10)) world.complete(item, "1");
  world.fail(world.claim_one());
  ASSERT_EQ(world.run(run).status, RunStatus::failed);
  recover(world, run, "a");
  world.complete(world.claim_one(), "[7,8]");
  const auto items = world.claim(10);
  ASSERT_EQ(items.size(), 2u);
  world.restart();
  world.settle();
  world.complete(items[0], "70");
  world.complete(items[1], "80");
  EXPECT_EQ(world.result(run, "m"), "[70,80]");
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.run(run).counts.total, 4u);
}

TEST(Recover, OfATenThousandItemsGoesOnAfterARestartInTheMiddle) {
  World world({.rows_per_batch = 1000, .restart_every = 3, .check_memory = false});
  boost::json::array list(10'000, 1);
  const RunId run = world.submit(FlowBuilder("w").run("m").for_each(std::move(list)).done());
  world.cancel(run);
  ASSERT_EQ(world.run(run).status, RunStatus::cancelled);
  recover(world, run);
  EXPECT_EQ(world.run(run).status, RunStatus::running);
  EXPECT_EQ(world.task(run, "m", 9'999).status, TaskStatus::pending);
  EXPECT_LE(world.largest_batch(), 5100u);
  EXPECT_EQ(world.claim(10).size(), 10u);
}

TEST(Recover, CanBeCancelledAndTheRunRecoveredAgain) {
  World world;
  const RunId run = world.submit(chain());
  work_off(world, {"b"});
  world.send(model::RecoverRun{.run = run});
  world.cancel(run);
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
  recover(world, run);
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST(Recover, ByItselfAsTheDefinitionSays) {
  World world;
  auto flow = std::make_shared<model::Workflow>(*chain());
  flow->auto_recovery = true;
  flow->max_recovery_attempts = 1;
  flow->recovery_delay = Duration::seconds(60);
  flow->hash = Hash256::of("auto");
  const RunId run = world.submit(flow);
  work_off(world, {"b"});
  EXPECT_EQ(world.run(run).status, RunStatus::recovering);
  world.advance(Duration::seconds(30));
  world.restart();
  world.settle();
  EXPECT_EQ(world.run(run).status, RunStatus::recovering);
  world.advance(Duration::seconds(31));
  EXPECT_EQ(world.run(run).status, RunStatus::running);
  work_off(world, {"b"});
  EXPECT_EQ(world.run(run).status, RunStatus::failed) << "once only";
}

TEST(Recover, OfARunOfWhichOnlyAFinallyStepFailed) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("f").finally().done());
  work_off(world, {"f"});
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
  recover(world, run);
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.task(run, "a").generation, 1u);
  EXPECT_EQ(world.task(run, "f").generation, 2u);
}

TEST(Retry, OfOneTaskRepeatsItAndWhatItBlocked) {
  World world;
  const RunId run = world.submit(chain());
  work_off(world, {"b", "d"});
  decide(world, run, "b", Verdict::retry);
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::failed) << "d was not retried";
  EXPECT_EQ(world.status(run, "c"), TaskStatus::completed);
  EXPECT_EQ(world.task(run, "d").generation, 1u);
}

TEST(Retry, WhileTheRunGoesOn) {
  World world;
  const RunId run = world.submit(chain());
  const auto tasks = world.claim(10);
  ASSERT_EQ(tasks.size(), 2u);
  world.fail(tasks[0]);
  EXPECT_EQ(world.status(run, "c"), TaskStatus::skipped);
  decide(world, run, "a", Verdict::retry);
  EXPECT_EQ(world.run(run).status, RunStatus::running);
  EXPECT_EQ(world.run(run).recovery_attempts, 0u);
  world.complete(tasks[1]);
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_TRUE(world.run(run).error_type.empty());
}

TEST(Retry, OfOneItemLeavesItsSiblings) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("m").for_each({1, 2, 3}).done());
  for (const auto& item : world.claim(10)) world.fail(item);
  decide(world, run, "m", Verdict::retry, 1);
  world.restart();
  world.settle();
  const auto again = world.claim(10);
  ASSERT_EQ(again.size(), 1u);
  world.complete(again[0]);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
  EXPECT_EQ(world.status(run, "m", 1), TaskStatus::completed);
  EXPECT_EQ(world.task(run, "m", 0).generation, 1u);
  EXPECT_NE(world.task(run, "m").error_message.find("2 of 3"), std::string::npos)
      << world.task(run, "m").error_message;
}

TEST(Retry, DoesNotWaitForTheDelay) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").attempts(3).done());
  world.fail(world.claim_one());
  EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying);
  decide(world, run, "a", Verdict::retry);
  world.complete(world.claim_one());
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST(Skip, CountsAsNotBad) {
  World world;
  const RunId run = world.submit(chain());
  decide(world, run, "a", Verdict::skip);
  EXPECT_EQ(world.task(run, "a").skip_reason, model::SkipReason::operator_);
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.status(run, "b"), TaskStatus::completed);
}

TEST(Skip, OfWhatFailedLetsTheRunGoOn) {
  World world;
  const RunId run = world.submit(chain());
  work_off(world, {"b"});
  decide(world, run, "b", Verdict::skip);
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.status(run, "b"), TaskStatus::skipped);
  EXPECT_EQ(world.status(run, "c"), TaskStatus::completed);
}

TEST(Complete, WithAValueThatFollowersSee) {
  World world;
  const RunId run = world.submit(chain());
  work_off(world, {"b"});
  decide(world, run, "b", Verdict::complete, -1, R"({"by":"hand"})");
  world.restart();
  world.settle();
  work_off(world);
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.result(run, "b"), R"({"by":"hand"})");
}

TEST(Complete, OfAnItem) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("m").for_each({1, 2}).done());
  const auto items = world.claim(10);
  world.complete(items[0], "10");
  world.fail(items[1]);
  decide(world, run, "m", Verdict::complete, 1, "99");
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.result(run, "m"), "[10,99]");
}

TEST(DecideTask, AHeldStepUnderFinallyCanBeDecided) {
  for (const auto verdict : {Verdict::retry, Verdict::skip, Verdict::complete, Verdict::fail}) {
    World world;
    const RunId run = world.submit(
        FlowBuilder("w").run("a").run("f").on_error({.action = model::ErrorAction::hold}).finally().done());
    work_off(world, {"f"});
    ASSERT_TRUE(world.task(run, "f").held);
    const auto reply = world.ask(model::DecideTask{.task = {run, 1}, .verdict = verdict});
    EXPECT_FALSE(std::holds_alternative<Error>(reply));
    work_off(world);
    EXPECT_EQ(world.run(run).status, verdict == Verdict::fail ? RunStatus::failed : RunStatus::completed);
  }
}

// Every state of a task against every decision: what may be done, and what is refused without a trace.
TEST(DecideTask, EveryStateAndEveryVerdict) {
  const auto allowed = [](TaskStatus status, Verdict verdict) {
    switch (status) {
      case TaskStatus::pending:
      case TaskStatus::queued:
        return verdict == Verdict::skip;
      case TaskStatus::running:
      case TaskStatus::completed:
        return false;
      case TaskStatus::skipped:  // because of p, which has failed: tried again, it would be skipped again
        return verdict == Verdict::skip;
      case TaskStatus::cancelled:
        return verdict != Verdict::complete;
      default:
        return true;
    }
  };
  for (int s = 0; s <= static_cast<int>(TaskStatus::cancelled); ++s) {
    for (int v = 0; v <= static_cast<int>(Verdict::complete); ++v) {
      const auto status = static_cast<TaskStatus>(s);
      const auto verdict = static_cast<Verdict>(v);
      SCOPED_TRACE(std::string(name(status)) + ", verdict " + std::to_string(v));
      World world;
      // t is brought into that state; k keeps the run going.
      const RunId run = world.submit(
          FlowBuilder("w").run("p").run("t").needs({"p"}).attempts(2).run("k").queue("other").done());
      if (status != TaskStatus::pending && status != TaskStatus::skipped) {
        const auto p = world.claim_one();
        world.complete(p);
      }
      if (status == TaskStatus::skipped) world.fail(world.claim_one());
      if (status == TaskStatus::cancelled) {
        world.cancel(run);
        ASSERT_EQ(world.run(run).status, RunStatus::cancelled);
      } else if (status >= TaskStatus::running && status <= TaskStatus::failed) {
        const auto t = world.claim_one();
        if (status == TaskStatus::completed) world.complete(t);
        if (status == TaskStatus::retrying) world.fail(t);
        if (status == TaskStatus::failed) world.fail(t, {.type = "validation"});
      }
      // A pending task has no row yet.
      const Ordinal t = 1;
      ASSERT_EQ(world.status(run, "t"), status);
      const std::size_t batches = world.batches();
      const auto reply = world.ask(model::DecideTask{.task = {run, t}, .verdict = verdict, .result = "1"});
      if (allowed(status, verdict)) {
        EXPECT_TRUE(std::holds_alternative<model::RunAccepted>(reply)) << error_of(reply).message;
        const model::TaskRow after = world.task(run, "t");
        EXPECT_TRUE(after.status != status || after.generation == 2) << name(after.status);
      } else {
        EXPECT_EQ(error_of(reply).code, ErrorCode::conflict);
        EXPECT_EQ(error_of(reply).where, name(status));
        EXPECT_EQ(world.batches(), batches) << "a refusal changes nothing";
      }
    }
  }
}

TEST(Retry, OfWhatWouldOnlyBeSkippedAgainSaysWhatToRetryInstead) {
  World world;
  const RunId run =
      world.submit(FlowBuilder("w").run("a").run("b").needs({"a"}).run("c").needs({"b"}).run("k").done());
  for (const auto& task : world.claim(10)) {
    if (task.step == "a") world.fail(task);
  }
  ASSERT_EQ(world.status(run, "c"), TaskStatus::skipped);
  const auto refused = error_of(world.ask(model::DecideTask{.task = {run, 2}, .verdict = Verdict::retry}));
  EXPECT_EQ(refused.code, ErrorCode::conflict);
  const std::string expected =
      "task " + TaskId{run, 2}.text() +
      " (c) is skipped; it would be skipped again because of a (failed): retry task " +
      TaskId{run, 0}.text() + ", which lets this one run as well";
  EXPECT_EQ(refused.message, expected);
  decide(world, run, "a", Verdict::retry);
  world.complete(world.claim_one());
  world.complete(world.claim_one());
  EXPECT_EQ(world.claim_one().step, "c");
}

std::vector<std::string> letters(const World& world) {
  std::vector<std::string> ids;
  for (const auto& [key, record] : world.disk().records()) {
    if (key.kind == model::RecordKind::dead_letter) ids.push_back(key.key);
  }
  return ids;
}

TEST(Retry, OfADeadTaskTakesItsLetterAway) {
  World world;
  const RunId run = world.submit(chain());
  work_off(world, {"b"});
  ASSERT_EQ(letters(world), std::vector<std::string>{model::dead_letter_id({run, 1}, 1)});
  decide(world, run, "b", Verdict::retry);
  EXPECT_TRUE(letters(world).empty());
  work_off(world, {"b"});
  EXPECT_EQ(letters(world), std::vector<std::string>{model::dead_letter_id({run, 1}, 2)});
  world.ask(model::RecoverRun{.run = run});
  EXPECT_TRUE(letters(world).empty());
}

TEST(Retry, WithOtherArguments) {
  const std::string input = R"({"with":{"limit":5},"env":null,"workdir":""})";
  for (const std::uint32_t restart_every : {0U, 1U}) {
    World world({.restart_every = restart_every});
    const RunId run = world.submit(
        FlowBuilder("w").run("a").with({{"limit", "${{ run.id }}"}}).run("b").needs({"a"}).done());
    world.fail(world.claim_one());
    model::DecideTask retry{.task = {run, 0}, .verdict = Verdict::retry, .input = input, .generation = 2};
    EXPECT_EQ(error_of(world.ask(retry)).code, ErrorCode::conflict) << "of a generation that is not there";
    retry.generation = 1;
    EXPECT_TRUE(std::holds_alternative<model::RunAccepted>(world.ask(retry)));
    const auto again = world.claim_one();
    EXPECT_NE(again.spec.find(R"("with":{"limit":5})"), std::string::npos) << again.spec;
    EXPECT_EQ(world.task(run, "a").generation, 2U);
    world.complete(again);
    world.complete(world.claim_one());
    EXPECT_EQ(world.run(run).status, RunStatus::completed);
  }
}

TEST(Retry, OfAHeldTaskWithOtherArguments) {
  World world;
  const RunId run = world.submit(
      FlowBuilder("w").run("a").with({{"limit", 1}}).on_error({.action = model::ErrorAction::hold}).done());
  world.fail(world.claim_one());
  const model::DecideTask retry{.task = {run, 0},
                                .verdict = Verdict::retry,
                                .input = R"({"with":{"limit":5},"env":null,"workdir":""})"};
  EXPECT_TRUE(std::holds_alternative<model::RunAccepted>(world.ask(retry)));
  EXPECT_NE(world.claim_one().spec.find(R"("with":{"limit":5})"), std::string::npos);
}

TEST(Retry, OfManyItemsLeavesTheRunItsDeadlineAfterARestartInTheMiddle) {
  World world({.rows_per_batch = 1000, .check_memory = false});
  boost::json::array list(4'000, 1);
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("m")
                                     .for_each(std::move(list))
                                     .run("other")
                                     .queue("nobody")
                                     .run_deadline(Duration::hours(1))
                                     .done());
  world.fail(world.claim_one());
  ASSERT_EQ(world.status(run, "m"), TaskStatus::failed);
  world.send(model::DecideTask{.task = {run, world.task(run, "m").key.ordinal}, .verdict = Verdict::retry});
  world.turn();
  world.restart();
  ASSERT_NE(world.state().find(run.key())->row.recovery.scope, model::Recovery::Scope::none);
  world.settle();
  EXPECT_EQ(world.status(run, "m"), TaskStatus::pending);
  EXPECT_EQ(world.status(run, "m", 3'999), TaskStatus::pending);
  world.advance(Duration::hours(2));
  EXPECT_TRUE(world.run(run).timed_out);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

// As a drain of dead letters does it: one after the other, while the step goes on.
TEST(Retry, OfItemsOfAStepThatGoesOn) {
  for (const std::uint32_t restart_every : {0U, 1U}) {
    World world({.restart_every = restart_every});
    const RunId run =
        world.submit(FlowBuilder("w").run("m").for_each({1, 2, 3}).run("n").needs({"m"}).done());
    // One failure cancels what is queued: all of them run.
    const auto tasks = world.claim(10);
    ASSERT_EQ(tasks.size(), 3U);
    for (const auto& task : tasks) world.fail(task);
    ASSERT_EQ(world.run(run).status, RunStatus::failed);
    EXPECT_EQ(letters(world).size(), 3U);
    for (const std::int32_t item : {2, 0, 1}) {
      const auto reply = world.ask(model::DecideTask{.task = {run, world.task(run, "m", item).key.ordinal},
                                                     .verdict = Verdict::retry,
                                                     .input = R"({"with":7,"env":null,"workdir":""})"});
      EXPECT_TRUE(std::holds_alternative<model::RunAccepted>(reply)) << error_of(reply).message;
    }
    EXPECT_TRUE(letters(world).empty());
    EXPECT_EQ(world.task(run, "m").kept_failures, 0U);
    const auto again = world.claim(10);
    ASSERT_EQ(again.size(), 3U);
    for (const auto& task : again) world.complete(task);
    world.complete(world.claim_one());
    EXPECT_EQ(world.run(run).status, RunStatus::completed);
    EXPECT_EQ(world.run(run).recovery_attempts, 1U);
  }
}

TEST(ChangeRun, MovesWhatWaitsToItsNewPriority) {
  World world;
  const RunId low = world.submit(FlowBuilder("w").run("a").run("b").needs({"a"}).done());
  const RunId other = world.submit(FlowBuilder("w").run("c").done());
  world.ask(model::ChangeRun{.run = other, .priority = 9});
  EXPECT_EQ(world.claim_one().step, "c");
  world.ask(model::ChangeRun{.run = low, .priority = 1});
  EXPECT_EQ(world.task(low, "a").priority, 1);
  world.restart();
  world.settle();
  world.complete(world.claim_one());
  EXPECT_EQ(world.claim_one().step, "b");
  EXPECT_EQ(world.task(low, "b").priority, 1);
}

TEST(ChangeRun, MergesMetadata) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done(), "{}", R"({"metadata":{"a":1,"b":2}})");
  world.ask(model::ChangeRun{.run = run, .metadata = R"({"a":null,"c":3})"});
  EXPECT_EQ(*world.disk().payload(context_of(run.key())), R"({"metadata":{"b":2,"c":3}})");
  world.work_off();
  EXPECT_EQ(error_of(world.ask(model::ChangeRun{.run = run, .priority = 3})).where, "completed");
}

TEST(ChangeRun, ChangesOnlyWhatIsStillAsItWasSeen) {
  World world;
  const RunId run =
      world.submit(FlowBuilder("w").run("a").done(), "{}", R"({"metadata":{"a":1},"env":{"X":"1"}})");
  const auto tag = [&] {
    return model::run_tag(world.run(run).priority, *world.disk().payload(context_of(run.key())));
  };
  const std::string seen = tag();
  EXPECT_EQ(seen, model::run_tag(5, R"({"labels":{},"metadata":{"a":1}})")) << "nothing else counts";
  world.restart();  // what it is compared with has to be loaded
  const auto change = [&](std::uint8_t priority, std::string expected) {
    return error_of(
        world.ask(model::ChangeRun{.run = run, .priority = priority, .expected = std::move(expected)}));
  };
  EXPECT_EQ(change(7, "other").where, seen);
  EXPECT_EQ(world.run(run).priority, 5);
  world.ask(model::ChangeRun{.run = run, .priority = 7, .expected = seen});
  EXPECT_EQ(world.run(run).priority, 7);
  EXPECT_EQ(change(8, seen).where, tag());
  world.ask(model::ChangeRun{.run = run, .metadata = R"({"a":2})", .expected = tag()});
  EXPECT_EQ(*world.disk().payload(context_of(run.key())), R"({"metadata":{"a":2},"env":{"X":"1"}})");
  world.ask(model::ChangeRun{.run = run, .priority = 8, .expected = "*"});
  EXPECT_EQ(world.run(run).priority, 8);
  world.work_off();
  EXPECT_EQ(change(3, tag()).where, "completed");
  EXPECT_EQ(change(3, seen).where, tag());
}

}  // namespace
}  // namespace baton::engine
