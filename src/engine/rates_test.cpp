#include "engine/rates.hpp"

#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using testing::FlowBuilder;
using testing::World;

constexpr std::uint32_t kMany = 1000;

std::shared_ptr<const model::Workflow> call(std::uint32_t limit, Duration per, std::uint32_t burst = 1,
                                            std::string queue = "default") {
  return FlowBuilder("call").run("ask").queue(std::move(queue)).rate("api", limit, per, burst).done();
}

std::size_t start(World& world, const std::string& queue = "default") {
  std::size_t count = 0;
  for (;;) {
    const auto tasks = world.claim(kMany, "w", {queue});
    if (tasks.empty()) return count;
    count += tasks.size();
    for (const auto& task : tasks) world.complete(task);
  }
}

TEST(Rates, StartsAreSpreadEvenly) {
  World world;
  for (int i = 0; i < 5; ++i) world.submit(call(2, Duration::seconds(1)));
  EXPECT_EQ(start(world), 1U);
  world.advance(Duration::millis(499));
  EXPECT_EQ(start(world), 0U);
  world.advance(Duration::millis(1));
  EXPECT_EQ(start(world), 1U);
  world.advance(Duration::millis(500));
  EXPECT_EQ(start(world), 1U);
  // What was not used is not saved up.
  world.advance(Duration::seconds(10));
  EXPECT_EQ(start(world), 1U);
}

TEST(Rates, ABurstIsSavedUp) {
  World world;
  for (int i = 0; i < 10; ++i) world.submit(call(1, Duration::seconds(1), 3));
  EXPECT_EQ(start(world), 3U);
  world.advance(Duration::seconds(1));
  EXPECT_EQ(start(world), 1U);
  world.advance(Duration::seconds(10));
  EXPECT_EQ(start(world), 3U);
  EXPECT_EQ(start(world), 0U);
}

TEST(Rates, WhatWasUsedOutlivesTheOwner) {
  World world;
  world.submit(call(1, Duration::minutes(1)));
  world.submit(call(1, Duration::minutes(1)));
  EXPECT_EQ(start(world), 1U);
  world.advance(Duration::seconds(30));
  world.restart();
  EXPECT_EQ(start(world), 0U);
  world.advance(Duration::seconds(30));
  EXPECT_EQ(start(world), 1U);
}

TEST(Rates, ExplainSaysWhenItGoesOn) {
  World world;
  world.submit(call(1, Duration::minutes(1)));
  const RunId waits = world.submit(call(1, Duration::minutes(1)));
  EXPECT_EQ(start(world), 1U);
  const auto reply = world.ask(model::Explain{waits, 0});
  const model::Reason reason = std::get<model::Explanation>(reply).reasons.at(0);
  EXPECT_EQ(reason.code, "rate_reached");
  EXPECT_EQ(reason.message, "rate api allows 1 start in 1m");
  ASSERT_TRUE(reason.until);
  EXPECT_EQ(reason.until->us, world.wall().us + Duration::minutes(1).us);
}

TEST(Rates, OneThatWasLetPastAndDoesNotStartLeavesItToTheNext) {
  World world;
  world.submit(call(1, Duration::seconds(1)));
  EXPECT_EQ(start(world), 1U);
  const RunId second = world.submit(call(1, Duration::seconds(1)));
  world.submit(call(1, Duration::seconds(1)));
  EXPECT_EQ(start(world), 0U);
  world.advance(Duration::seconds(1));
  world.cancel(second);
  EXPECT_EQ(start(world), 1U);
}

TEST(Rates, AQueueWithoutWorkersKeepsNothing) {
  World world;
  world.submit(call(1, Duration::seconds(1)));
  EXPECT_EQ(start(world), 1U);
  world.submit(call(1, Duration::seconds(1), 1, "idle"));
  world.submit(call(1, Duration::seconds(1)));
  EXPECT_TRUE(world.claim(1, "w", {"default", "idle"}).empty());
  world.advance(Duration::seconds(1));
  EXPECT_EQ(start(world), 1U);
}

TEST(Rates, ThoseThatAreOverAreForgotten) {
  World world;
  for (int i = 0; i < 20; ++i) {
    world.submit(
        FlowBuilder("call").run("ask").rate("api-" + std::to_string(i), 1, Duration::seconds(1)).done());
    EXPECT_EQ(start(world), 1U);
    world.advance(Duration::seconds(5));
  }
  EXPECT_LE(world.state().rates.size(), 3U);
}

}  // namespace
}  // namespace baton::engine
