#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;

model::ReplyBody say(World& world, const model::Assignment& task, std::optional<std::uint8_t> percent,
                     std::string message = "") {
  return world.ask(model::ReportProgress{task.token, task.task, percent, std::move(message)});
}

TEST(Progress, IsKeptWithItsMessageAndCountsForTheRun) {
  World world;
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("a")
                                     .estimate(Duration::seconds(3))
                                     .run("b")
                                     .estimate(Duration::seconds(1))
                                     .done());
  const auto a = world.claim_one();
  EXPECT_TRUE(std::holds_alternative<model::Done>(say(world, a, 50, "epoch 1")));
  EXPECT_EQ(world.task(run, "a").progress->percent, 50);
  EXPECT_EQ(world.task(run, "a").progress->message, "epoch 1");
  EXPECT_EQ(world.run(run).progress, 37u);
  world.restart();
  say(world, a, 60);
  EXPECT_EQ(world.task(run, "a").progress->message, "") << "it was about 50 %";
  EXPECT_EQ(world.run(run).progress, 45u);
  world.complete(a);
  EXPECT_EQ(world.task(run, "a").progress->percent, 100);
  EXPECT_EQ(world.run(run).progress, 75u);
}

TEST(Progress, OfAFailedAttemptDoesNotCountAndTheNextOneBeginsAnew) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").attempts(2).done());
  const auto a = world.claim_one();
  say(world, a, 90, "nearly");
  world.fail(a);
  EXPECT_EQ(world.run(run).progress, 0u);
  EXPECT_EQ(world.task(run, "a").progress->percent, 90) << "how far it came";
  world.advance(Duration::seconds(1));
  world.claim_one();
  EXPECT_EQ(world.task(run, "a").progress->percent, -1);
}

TEST(Progress, OfItemsCountsInParts) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").for_each(boost::json::array{1, 2, 3, 4}).done());
  const auto items = world.claim(9);
  ASSERT_EQ(items.size(), 4u);
  say(world, items[0], 100);
  say(world, items[1], 50);
  EXPECT_EQ(world.run(run).progress, 37u);
  world.restart();
  world.complete(items[2]);
  EXPECT_EQ(world.run(run).progress, 62u);
}

TEST(Progress, OfWhatGivesThingsBackIsNotTheRuns) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").cleanup("clean").done());
  world.complete(world.claim_one());
  const std::uint32_t before = world.run(run).progress;
  const auto clean = world.claim_one();
  EXPECT_TRUE(std::holds_alternative<model::Done>(say(world, clean, 50)));
  EXPECT_EQ(world.run(run).progress, before);
}

TEST(Progress, TheSameAgainStoresNothing) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto a = world.claim_one();
  say(world, a, 10, "load");
  const auto before = world.disk().sequence();
  say(world, a, 10, "load");
  say(world, a, std::nullopt);
  EXPECT_EQ(world.disk().sequence(), before);
  EXPECT_EQ(world.task(run, "a").progress->message, "load");
}

TEST(Progress, IsASignOfLife) {
  World world;
  const RunId run = world.submit(
      FlowBuilder("w").run("a").timeout(model::Timeout{.heartbeat = Duration::seconds(10)}).done());
  const auto a = world.claim(1, "local", {"default"}, true).at(0);
  for (int i = 0; i < 5; ++i) {
    world.advance(Duration::seconds(8));
    say(world, a, std::nullopt);
  }
  EXPECT_EQ(world.task(run, "a").stopping, model::Stopping::none);
  world.advance(Duration::seconds(10));
  EXPECT_EQ(world.task(run, "a").stopping, model::Stopping::soft);
  world.fail(a);
  EXPECT_EQ(world.task(run, "a").error_type, "heartbeat");
}

TEST(Progress, IsRefusedFromWhoDoesNotHoldTheTask) {
  World world;
  world.submit(FlowBuilder("w").run("a").done());
  const auto a = world.claim_one();
  EXPECT_EQ(testing::error_of(say(world, a, 101)).code, ErrorCode::invalid_request);
  world.complete(a);
  EXPECT_EQ(testing::error_of(say(world, a, 1)).code, ErrorCode::stale_token);
}

}  // namespace
}  // namespace baton::engine
