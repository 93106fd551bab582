#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::Stopping;
using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;

std::shared_ptr<const model::Workflow> limited(std::uint32_t attempts = 1) {
  return FlowBuilder("w")
      .run("a")
      .attempts(attempts)
      .timeout(Duration::seconds(20), Duration::seconds(25))
      .done();
}

std::vector<model::StopAttempt> stops(World& world) {
  std::vector<model::StopAttempt> out;
  for (const auto& action : world.take_actions()) {
    if (const auto* stop = std::get_if<model::StopAttempt>(&action)) out.push_back(*stop);
  }
  return out;
}

TEST(Timeout, SoftThenHardCountedFromTheStartOfTheAttempt) {
  World world;
  const RunId run = world.submit(limited());
  world.advance(Duration::seconds(100));  // waiting in the queue does not count
  const auto a = world.claim_one();
  world.advance(Duration::seconds(20) - Duration::micros(1));
  EXPECT_TRUE(stops(world).empty());
  world.advance(Duration::micros(1));
  auto asked = stops(world);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].token, a.token);
  EXPECT_EQ(asked[0].worker, "w");
  EXPECT_EQ(asked[0].mode, Stopping::soft);
  world.advance(Duration::seconds(5) - Duration::micros(1));
  EXPECT_TRUE(stops(world).empty());
  world.advance(Duration::micros(1));
  asked = stops(world);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].mode, Stopping::hard);
  EXPECT_EQ(world.fail(a, {.type = "signal", .message = "killed"}), TaskStatus::failed);
  EXPECT_EQ(world.task(run, "a").error_type, "timeout");
  EXPECT_EQ(world.task(run, "a").error_message, "ran out of time (20s); killed");
  EXPECT_EQ(world.story(run),
            (std::vector<std::string>{"run.submitted", "task.queued a", "run.started", "attempt.started a 1",
                                      "attempt.stopping a soft timeout", "attempt.stopping a hard timeout",
                                      "attempt.ended a failed", "task.ended a failed", "run.ended failed"}));
}

TEST(Timeout, AnAttemptThatSucceedsAfterTheSoftOneIsCompleted) {
  World world;
  const RunId run = world.submit(limited());
  const auto a = world.claim_one();
  world.advance(Duration::seconds(21));
  EXPECT_EQ(world.complete(a), TaskStatus::completed);
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  world.advance(Duration::seconds(60));
}

TEST(Timeout, IsRetriedAndCountsAnew) {
  World world;
  world.submit(limited(2));
  auto a = world.claim_one();
  world.advance(Duration::seconds(21));
  EXPECT_EQ(world.fail(a), TaskStatus::retrying);
  world.advance(Duration::seconds(1));
  a = world.claim_one();
  stops(world);
  world.advance(Duration::millis(19'999));
  EXPECT_TRUE(stops(world).empty());
  EXPECT_EQ(world.complete(a), TaskStatus::completed);
}

TEST(Timeout, GoesOnAfterARestart) {
  for (const int seconds : {10, 22}) {
    World world;
    const RunId run = world.submit(limited());
    const auto a = world.claim_one();
    const ShardTime start = world.now();
    world.advance(Duration::seconds(seconds));
    world.restart();
    world.settle();
    stops(world);
    world.advance(Duration::seconds(seconds < 20 ? 20 - seconds : 25 - seconds) - Duration::micros(1));
    EXPECT_TRUE(stops(world).empty());
    world.advance(Duration::micros(1));
    ASSERT_EQ(stops(world).size(), 1u);
    EXPECT_EQ(world.task(run, "a").attempt_started, start);
    world.fail(a);
    EXPECT_EQ(world.task(run, "a").error_type, "timeout");
  }
}

TEST(Timeout, SoftAndHardTogether) {
  World world;
  world.submit(FlowBuilder("w").run("a").timeout(Duration::seconds(3), Duration::seconds(3)).done());
  world.claim_one();
  world.advance(Duration::seconds(3));
  const auto asked = stops(world);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].mode, Stopping::soft);
  EXPECT_EQ(asked[1].mode, Stopping::hard);
}

TEST(Timeout, ACancelDuringTheSoftOneIsNotRetried) {
  World world;
  const RunId run = world.submit(limited(5));
  const auto a = world.claim_one();
  world.advance(Duration::seconds(21));
  world.cancel(run);
  EXPECT_EQ(world.task(run, "a").stop_reason, model::StopReason::cancelled);
  EXPECT_EQ(world.fail(a), TaskStatus::cancelled);
}

// ---- Leases

TEST(Lease, AWorkerThatIsSilentLosesItsAttempts) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("b").done());
  const auto tasks = world.claim(2, "silent");
  world.advance(Duration::seconds(30) - Duration::micros(1));
  EXPECT_EQ(world.status(run, "a"), TaskStatus::running);
  world.advance(Duration::micros(1));
  EXPECT_EQ(world.status(run, "a"), TaskStatus::queued);
  EXPECT_EQ(world.status(run, "b"), TaskStatus::queued);
  EXPECT_EQ(world.task(run, "a").lost, 1u);
  EXPECT_EQ(world.task(run, "a").history[0].error_type, "lost");
  const auto beat = world.ask(model::Heartbeat{"silent", {tasks[0].token}});
  EXPECT_EQ(std::get<model::HeartbeatAnswer>(beat).stop,
            (std::vector{std::pair(tasks[0].token, Stopping::hard)}));
}

TEST(Lease, EveryWordOfAWorkerRenewsIt) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto a = world.claim_one();
  for (int i = 0; i < 5; ++i) {
    world.advance(Duration::seconds(29));
    if (i % 2 == 0) {
      const auto beat = world.ask(model::Heartbeat{"w", {a.token}});
      EXPECT_TRUE(std::get<model::HeartbeatAnswer>(beat).stop.empty());
    } else {
      world.claim(1);
    }
  }
  EXPECT_EQ(world.status(run, "a"), TaskStatus::running);
  EXPECT_EQ(world.disk().sequence(), 2) << "heartbeats store nothing";
}

TEST(Lease, AnAttemptThatItsWorkerDoesNotNameIsLost) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("b").done());
  const auto a = world.claim_one();
  const auto b = world.claim_one();  // the worker never gets this answer
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(world.status(run, "b"), TaskStatus::running) << "the answer may still be on its way";
    world.advance(Duration::seconds(19));
    world.ask(model::Heartbeat{"w", {a.token}});
  }
  world.advance(Duration::seconds(3));
  world.ask(model::Heartbeat{"w", {a.token}});
  EXPECT_EQ(world.status(run, "b"), TaskStatus::queued);
  EXPECT_EQ(world.task(run, "b").lost, 1u);
  EXPECT_EQ(world.status(run, "a"), TaskStatus::running);
  EXPECT_EQ(testing::error_of(world.report(b, testing::completed())).code, ErrorCode::stale_token);
  EXPECT_EQ(world.complete(a), TaskStatus::completed);
}

TEST(Lease, AnUnnamedAttemptIsLostAfterARestart) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  world.claim_one();
  world.advance(Duration::seconds(20));
  world.restart();
  for (int i = 0; i < 3; ++i) {
    world.ask(model::Heartbeat{"w", {}});
    EXPECT_EQ(world.status(run, "a"), TaskStatus::running) << "what an earlier owner heard is not known";
    world.advance(Duration::seconds(20));
  }
  world.ask(model::Heartbeat{"w", {}});
  EXPECT_EQ(world.status(run, "a"), TaskStatus::queued);
}

TEST(Lease, AnOldHeartbeatThatArrivesLateLosesNothing) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const model::Heartbeat old{"w", {}};  // sent before the claim, and on its way for minutes
  const auto a = world.claim_one();
  for (int i = 0; i < 12; ++i) {
    world.advance(Duration::seconds(20));
    world.ask(model::Heartbeat{"w", {a.token}});
  }
  world.advance(Duration::seconds(20));
  world.ask(old);
  EXPECT_EQ(world.status(run, "a"), TaskStatus::running);
  EXPECT_EQ(world.complete(a), TaskStatus::completed);
}

TEST(Lease, AWorkerInTheServersProcessHasNone) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto tasks = world.claim(1, "inside", {"default"}, true);
  EXPECT_FALSE(world.next_due());
  world.advance(Duration::hours(5));
  EXPECT_EQ(world.complete(tasks.at(0)), TaskStatus::completed);
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

TEST(Lease, AHeartbeatTellsWhatIsToStop) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto a = world.claim_one();
  const auto stop_of = [&](Token token) {
    const auto beat = world.ask(model::Heartbeat{"w", {token}});
    const auto& stop = std::get<model::HeartbeatAnswer>(beat).stop;
    return stop.empty() ? Stopping::none : stop[0].second;
  };
  EXPECT_EQ(stop_of(a.token), Stopping::none);
  EXPECT_EQ(stop_of({9, 9}), Stopping::hard) << "nobody gave it this";
  world.cancel(run);
  EXPECT_EQ(stop_of(a.token), Stopping::soft);
  world.restart();
  EXPECT_EQ(stop_of(a.token), Stopping::soft) << "told again after a restart";
  world.cancel(run, true);
  EXPECT_EQ(stop_of(a.token), Stopping::hard);
  world.fail(a);
  EXPECT_EQ(stop_of(a.token), Stopping::hard) << "it has ended";
}

TEST(Lease, ThousandsOfTimersAtOnceAreHandledInBoundedBatches) {
  World world({.check_memory = false});
  FlowBuilder flow("w");
  for (int i = 0; i < 3000; ++i) flow.run("s" + std::to_string(i)).attempts(2);
  const RunId run = world.submit(flow.done());
  for (auto tasks = world.claim(500); !tasks.empty(); tasks = world.claim(500)) {
    for (const auto& task : tasks) {
      world.send(model::ReportAttempt{task.token, task.task, testing::failed()});
    }
    world.settle();
  }
  EXPECT_EQ(world.state().timers.size(), 3001u);
  world.advance(Duration::seconds(1));
  EXPECT_EQ(world.status(run, "s2999"), TaskStatus::queued);
  EXPECT_LE(world.largest_batch(), 1100u);
}

}  // namespace
}  // namespace baton::engine
