#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::RunStatus;
using model::Stopping;
using model::TaskStatus;
using testing::error_of;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

std::vector<Stopping> stops(World& world) {
  std::vector<Stopping> modes;
  for (const auto& action : world.take_actions()) {
    if (const auto* stop = std::get_if<model::StopAttempt>(&action)) modes.push_back(stop->mode);
  }
  return modes;
}

TEST(Cancel, WhatDoesNotRunIsCancelledAtOnce) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("retrying")
                                     .attempts(2)
                                     .run("done")
                                     .run("queued")
                                     .run("pending")
                                     .needs({"queued"})
                                     .run("m")
                                     .for_each(boost::json::array{1, 2})
                                     .done());
  const auto tasks = world.claim(2);
  world.fail(tasks[0]);
  world.complete(tasks[1]);
  const auto reply = world.cancel(run);
  EXPECT_TRUE(std::holds_alternative<model::CancelAccepted>(reply));
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
  EXPECT_EQ(world.run(run).error_type, "cancelled");
  EXPECT_EQ(world.run(run).error_message, "because");
  for (const char* step : {"retrying", "queued", "pending", "m"}) {
    EXPECT_EQ(world.status(run, step), TaskStatus::cancelled) << step;
  }
  EXPECT_EQ(world.status(run, "done"), TaskStatus::completed);
  EXPECT_EQ(world.run(run).counts, (model::TaskCounts{6, 1, 0, 0, 5, 0}));
  EXPECT_TRUE(std::ranges::none_of(world.state().timers, [](const Timer& timer) {
    return timer.kind == TimerKind::task;
  })) << "no timer of a task is left";
  EXPECT_TRUE(world.claim(10).empty());
}

TEST(Cancel, ARunThatNeverStartedHasNoStart) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  world.cancel(run);
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
  EXPECT_EQ(world.run(run).started_at.us, 0);
  EXPECT_NE(world.run(run).ended_at.us, 0);
}

TEST(Cancel, WhatRunsIsStoppedSoftThenHard) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").attempts(5).done());
  const auto a = world.claim_one();
  const ShardTime asked = world.now();
  world.cancel(run);
  EXPECT_EQ(world.run(run).status, RunStatus::cancelling);
  EXPECT_EQ(stops(world), std::vector{Stopping::soft});
  EXPECT_EQ(world.next_due(), asked + Duration::seconds(10));
  world.advance(Duration::millis(9999));
  EXPECT_EQ(stops(world), std::vector<Stopping>{});
  world.advance(Duration::millis(1));
  EXPECT_EQ(stops(world), std::vector{Stopping::hard});
  EXPECT_EQ(world.fail(a, {.type = "signal"}), TaskStatus::cancelled);
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
  EXPECT_EQ(world.task(run, "a").history[0].end, model::AttemptEnd::cancelled);
}

TEST(Cancel, AnAttemptThatCompletesMeanwhileIsCompleted) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("b").needs({"a"}).done());
  const auto a = world.claim_one();
  world.cancel(run);
  EXPECT_EQ(world.complete(a, "5"), TaskStatus::completed);
  EXPECT_EQ(world.result(run, "a"), "5");
  EXPECT_EQ(world.status(run, "b"), TaskStatus::cancelled);
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
}

TEST(Cancel, ALostAttemptDoesNotComeBack) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  world.claim_one();
  world.cancel(run);
  world.ask(model::LoseWorker{"w"});
  EXPECT_EQ(world.status(run, "a"), TaskStatus::cancelled);
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
}

TEST(Cancel, IsIdempotent) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  world.claim_one();
  world.cancel(run);
  stops(world);
  const JournalSequence before = world.disk().sequence();
  EXPECT_TRUE(std::holds_alternative<model::CancelAccepted>(world.cancel(run)));
  EXPECT_EQ(stops(world), std::vector<Stopping>{});
  EXPECT_EQ(world.disk().sequence(), before);
}

TEST(Cancel, TerminateIsHardAtOnceAlsoAfterACancel) {
  for (const bool cancelled_before : {false, true}) {
    World world;
    const RunId run = world.submit(FlowBuilder("w").run("a").run("f").finally().done());
    const auto a = world.claim_one();
    if (cancelled_before) world.cancel(run);
    stops(world);
    world.cancel(run, true);
    EXPECT_EQ(stops(world), std::vector{Stopping::hard});
    world.fail(a, {.type = "signal"});
    EXPECT_EQ(world.run(run).status, RunStatus::cancelling) << "finally is never skipped";
    world.complete(world.claim_one());
    EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
  }
}

TEST(Cancel, ARunThatHasEndedAnswersWithItsState) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  world.work_off();
  for (const bool restarted : {false, true}) {
    if (restarted) world.restart();
    const Error error = error_of(world.cancel(run));
    EXPECT_EQ(error.code, ErrorCode::conflict);
    EXPECT_EQ(error.where, "completed");
  }
  world.settle();
  world.submit(FlowBuilder("w").run("a").done());
  EXPECT_EQ(world.state().runs.size(), 1u) << "a run that was loaded for one answer leaves memory again";
}

TEST(Cancel, ARunOfWhichOnlyFinallyIsLeftRefuses) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("f").finally().done());
  world.complete(world.claim_one());
  EXPECT_EQ(error_of(world.cancel(run)).code, ErrorCode::conflict);
  world.complete(world.claim_one());
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
}

TEST(Cancel, UnknownRunsAreNotFound) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  RunId other_random = run;
  other_random.bytes[9] ^= 1;
  EXPECT_EQ(error_of(world.cancel(other_random)).code, ErrorCode::not_found) << "same key, another id";
  const RunId other_shard = RunId::make(RunKey::make(ShardId{5}, run.key().sequence()), world.wall(), {});
  EXPECT_EQ(error_of(world.cancel(other_shard)).code, ErrorCode::not_found);
  const RunId later = RunId::make(RunKey::make(ShardId{0}, 77), world.wall(), {});
  EXPECT_EQ(error_of(world.cancel(later)).code, ErrorCode::not_found);
  EXPECT_EQ(world.run(run).status, RunStatus::pending);
}

TEST(Cancel, NothingStartsWhileAHugeRunIsBeingCancelled) {
  WorldOptions options;
  options.rows_per_batch = 1;
  options.check_memory = false;
  World world(options);
  FlowBuilder flow("w");
  for (int i = 0; i < 3000; ++i) flow.run("s" + std::to_string(i));
  const RunId run = world.submit(flow.done());
  const auto cancel = world.send(model::CancelRun{run, false, ""});
  const auto claim = world.send(model::ClaimTasks{.worker = "w", .queues = {"default"}, .max = 10});
  world.turn();
  ASSERT_EQ(world.run(run).status, RunStatus::cancelling) << "the sweep takes several batches";
  world.settle();
  EXPECT_TRUE(world.take(cancel));
  EXPECT_TRUE(std::get<model::Claimed>(*world.take(claim)).tasks.empty());
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
  EXPECT_LE(world.largest_batch(), 1100u);
}

TEST(Cancel, ALongReasonIsCut) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  world.ask(model::CancelRun{run, false, std::string(100'000, 'x')});
  EXPECT_EQ(world.run(run).error_message.size(), model::kMessageLimit);
}

}  // namespace
}  // namespace baton::engine
