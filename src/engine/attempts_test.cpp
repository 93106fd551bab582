#include "engine/attempts.hpp"

#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::Backoff;
using model::Jitter;
using model::Retry;
using model::RunStatus;
using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;

// Fails until the task has failed for good; the delays between the attempts in milliseconds, as the clock
// shows them.
std::vector<std::int64_t> delays(World& world, const RunId& run) {
  std::vector<std::int64_t> out;
  while (world.fail(world.claim_one()) == TaskStatus::retrying) {
    const ShardTime before = world.now();
    const ShardTime due = world.task(run, "a").due;
    if (due > before) {
      EXPECT_TRUE(world.claim().empty());
      world.advance(due - before - Duration::micros(1));
      EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying) << "not a microsecond too early";
      world.advance(Duration::micros(1));
    }
    EXPECT_EQ(world.status(run, "a"), TaskStatus::queued);
    out.push_back((due - before).us / 1000);
  }
  return out;
}

using Delays = std::vector<std::int64_t>;

struct Policy {
  const char* name;
  Retry retry;
  Delays delays;
};

TEST(Attempts, EveryBackoffIsDueToTheMicrosecond) {
  const Duration second = Duration::seconds(1);
  const std::vector<Policy> table = {
      {"one attempt", {.max_attempts = 1}, {}},
      {"fixed", {.max_attempts = 4, .backoff = Backoff::fixed, .initial = second * 3}, {3000, 3000, 3000}},
      {"linear", {.max_attempts = 4, .backoff = Backoff::linear, .initial = second}, {1000, 2000, 3000}},
      {"exponential", {.max_attempts = 5, .initial = second}, {1000, 2000, 4000, 8000}},
      {"capped", {.max_attempts = 5, .initial = second, .max = second * 3}, {1000, 2000, 3000, 3000}},
      {"no delay", {.max_attempts = 3, .backoff = Backoff::fixed, .initial = {}}, {0, 0}},
  };
  for (const Policy& policy : table) {
    SCOPED_TRACE(policy.name);
    World world;
    const RunId run = world.submit(FlowBuilder("w").run("a").retry(policy.retry).done());
    EXPECT_EQ(delays(world, run), policy.delays);
    EXPECT_EQ(world.task(run, "a").attempts, policy.retry.max_attempts);
    EXPECT_EQ(world.task(run, "a").history.size(), policy.retry.max_attempts);
    EXPECT_EQ(world.run(run).status, RunStatus::failed);
  }
}

TEST(Attempts, JitterStaysInItsRangeAndDiffers) {
  for (const Jitter jitter : {Jitter::full, Jitter::equal, Jitter::decorrelated, Jitter::add}) {
    World world;
    const RunId run = world.submit(FlowBuilder("w")
                                       .run("a")
                                       .retry({.max_attempts = 30,
                                               .backoff = Backoff::fixed,
                                               .initial = Duration::seconds(10),
                                               .max = Duration::seconds(60),
                                               .jitter = jitter,
                                               .jitter_add = Duration::seconds(5)})
                                       .done());
    const Delays all = delays(world, run);
    ASSERT_EQ(all.size(), 29u);
    const auto [low, high] = std::ranges::minmax(all);
    EXPECT_LT(low, high);
    switch (jitter) {
      case Jitter::full:
        EXPECT_LE(high, 10'000);
        break;
      case Jitter::equal:
        EXPECT_GE(low, 5'000);
        EXPECT_LE(high, 10'000);
        break;
      case Jitter::decorrelated:
        EXPECT_GE(low, 10'000);
        EXPECT_LE(high, 60'000);
        break;
      default:
        EXPECT_GE(low, 10'000);
        EXPECT_LE(high, 15'000);
    }
  }
}

TEST(Attempts, TheHandlersWishForADelayCountsUpToAnHour) {
  struct Wish {
    Duration wish;
    Duration delay;
  };
  for (const Wish& wish :
       {Wish{Duration::millis(500), Duration::seconds(1)}, Wish{Duration::seconds(60), Duration::seconds(60)},
        Wish{Duration::hours(5), Duration::hours(1)}, Wish{Duration::seconds(-5), Duration::seconds(1)}}) {
    World world;
    const RunId run = world.submit(FlowBuilder("w").run("a").attempts(2).done());
    world.fail(world.claim_one(), {.type = "transient", .retry_after = wish.wish});
    EXPECT_EQ(world.task(run, "a").due, world.now() + wish.delay);
  }
}

TEST(Attempts, SomeFailuresAreNeverRetried) {
  for (const char* type : {"validation", "expression", "rejected", "cancelled", "quarantined"}) {
    World world;
    world.submit(FlowBuilder("w").run("a").attempts(5).done());
    EXPECT_EQ(world.fail(world.claim_one(), {.type = type}), TaskStatus::failed) << type;
  }
  World world;
  world.submit(FlowBuilder("w").run("a").attempts(5).done());
  EXPECT_EQ(world.fail(world.claim_one(), {.type = "exit", .never_retry = true}), TaskStatus::failed);
}

TEST(Attempts, ARetryDueDuringARestartComesAfterwards) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").attempts(2).done());
  world.fail(world.claim_one());
  world.restart();
  world.advance(Duration::millis(999));
  EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying);
  world.advance(Duration::millis(1));
  EXPECT_EQ(world.claim_one().attempt, 2u);
}

TEST(Attempts, LostThreeTimesIsQuarantined) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").attempts(9).done());
  for (int i = 1; i <= 2; ++i) {
    world.claim_one();
    world.ask(model::LoseWorker{"w"});
    EXPECT_EQ(world.status(run, "a"), TaskStatus::queued) << "at once";
    EXPECT_EQ(world.task(run, "a").attempts, 0u);
  }
  world.restart();
  world.claim_one();
  world.ask(model::LoseWorker{"w"});
  const model::TaskRow row = world.task(run, "a");
  EXPECT_EQ(row.status, TaskStatus::failed);
  EXPECT_EQ(row.error_type, "quarantined");
  EXPECT_EQ(row.error_message, "its worker died 3 times, the last one was w");
  EXPECT_EQ(row.lost, 3u);
  EXPECT_EQ(row.starts, 3u);
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
}

TEST(Attempts, FailuresAndLossesAreCountedApart) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").attempts(3).done());
  for (int i = 0; i < 2; ++i) {
    world.claim_one();
    world.ask(model::LoseWorker{"w"});
    EXPECT_EQ(world.fail(world.claim_one()), TaskStatus::retrying);
    world.advance(Duration::seconds(1));
  }
  EXPECT_EQ(world.complete(world.claim_one()), TaskStatus::completed);
  EXPECT_EQ(world.task(run, "a").attempts, 3u);
  EXPECT_EQ(world.task(run, "a").starts, 5u);
}

TEST(Attempts, InterruptedTenTimesIsQuarantined) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  for (int i = 1; i <= 10; ++i) {
    EXPECT_EQ(world.status(run, "a") == TaskStatus::failed, false);
    const auto tasks = world.claim(1, "inside", {"default"}, true);
    ASSERT_EQ(tasks.size(), 1u);
    world.restart();
    world.settle();
    EXPECT_EQ(world.task(run, "a").interrupted, static_cast<std::uint32_t>(i));
  }
  EXPECT_EQ(world.task(run, "a").error_type, "quarantined");
  EXPECT_EQ(world.task(run, "a").error_message, "the server stopped under it 10 times");
  EXPECT_EQ(world.task(run, "a").attempts, 0u);
}

TEST(Attempts, ALongHistoryIsCutButCounted) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .retry({.max_attempts = 130, .backoff = Backoff::fixed, .initial = {}})
                                     .done());
  delays(world, run);
  const model::TaskRow row = world.task(run, "a");
  EXPECT_EQ(row.starts, 130u);
  ASSERT_EQ(row.history.size(), model::kHistoryLimit);
  EXPECT_EQ(row.history.front().number, 31u);
  EXPECT_EQ(row.history.back().number, 130u);
}

}  // namespace
}  // namespace baton::engine
