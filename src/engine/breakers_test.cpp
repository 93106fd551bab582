#include "engine/breakers.hpp"

#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::BreakerState;
using model::TaskStatus;
using testing::World;

constexpr std::uint32_t kMany = 1000;

// One step behind the breaker "nlp": `failures` in a row open it for a minute.
std::shared_ptr<const model::Workflow> call(std::uint32_t failures = 2) {
  auto settings = std::make_shared<model::BreakerSettings>();
  settings->name = "nlp";
  settings->failures = failures;
  return testing::FlowBuilder("call").run("ask").breaker(std::move(settings)).done();
}

BreakerState state_of(const World& world) {
  return world.state().breakers.at("nlp").row.state;
}

// Opens it by two failed runs.
void trip(World& world) {
  for (int i = 0; i < 2; ++i) {
    world.submit(call());
    world.fail(world.claim_one(), {.type = "connection", .message = "refused"});
  }
  ASSERT_EQ(state_of(world), BreakerState::open);
}

TEST(Breakers, OneThatIsOpenHoldsWhatIsQueued) {
  World world;
  trip(world);
  const RunId run = world.submit(call());
  EXPECT_TRUE(world.claim().empty());
  EXPECT_EQ(world.status(run, "ask"), TaskStatus::queued);
  world.advance(Duration::seconds(59));
  EXPECT_TRUE(world.claim().empty());
  world.advance(Duration::seconds(2));
  EXPECT_EQ(state_of(world), BreakerState::half_open);
  world.complete(world.claim_one());
  EXPECT_EQ(world.status(run, "ask"), TaskStatus::completed);
  EXPECT_EQ(state_of(world), BreakerState::closed);
}

TEST(Breakers, OneProbeAtATimeAndThenATenthASecond) {
  World world;
  trip(world);
  for (int i = 0; i < 21; ++i) world.submit(call());
  EXPECT_TRUE(world.claim(kMany).empty());
  world.advance(Duration::seconds(61));
  const auto probes = world.claim(kMany);
  ASSERT_EQ(probes.size(), 1U);
  EXPECT_TRUE(world.claim(kMany).empty());
  world.complete(probes[0]);
  // 20 stood there: 2 now, 2 with each second.
  EXPECT_EQ(world.claim(kMany).size(), 2U);
  EXPECT_TRUE(world.claim(kMany).empty());
  world.advance(Duration::seconds(1));
  EXPECT_EQ(world.claim(kMany).size(), 2U);
  world.advance(Duration::seconds(20));
  EXPECT_EQ(world.claim(kMany).size(), 16U);
}

TEST(Breakers, AProbeThatFailsOrSaysNothingLeavesItUnproven) {
  World world;
  trip(world);
  world.submit(call());
  world.submit(call());
  world.advance(Duration::seconds(61));
  // Its own fault: not the service's.
  world.fail(world.claim_one(), {.type = "exit"});
  EXPECT_EQ(state_of(world), BreakerState::half_open);
  world.fail(world.claim_one(), {.type = "http", .message = "503", .status = 503});
  EXPECT_EQ(state_of(world), BreakerState::open);
}

TEST(Breakers, AProbeThatIsCancelledInTheQueueMakesRoomForTheNext) {
  World world;
  trip(world);
  const RunId first = world.submit(call());
  world.submit(call());
  EXPECT_TRUE(world.claim().empty());
  world.advance(Duration::seconds(60));
  world.cancel(first);
  world.advance(Duration::seconds(2));
  EXPECT_EQ(world.claim(kMany).size(), 1U);
}

TEST(Breakers, OutlivesARestart) {
  World world;
  trip(world);
  const RunId run = world.submit(call());
  world.restart();
  world.settle();
  ASSERT_EQ(state_of(world), BreakerState::open);
  EXPECT_TRUE(world.claim().empty());
  world.advance(Duration::seconds(61));
  world.complete(world.claim_one());
  EXPECT_EQ(world.status(run, "ask"), TaskStatus::completed);
  world.restart();
  world.settle();
  EXPECT_EQ(state_of(world), BreakerState::closed);
}

TEST(Breakers, APersonsWordWins) {
  World world;
  trip(world);
  world.submit(call());
  const auto say = [&](model::BreakerForce force) {
    EXPECT_TRUE(
        std::holds_alternative<model::Done>(world.ask(model::ForceBreaker{"nlp", force, "alice", "test"})));
  };
  say(model::BreakerForce::closed);
  world.fail(world.claim_one(), {.type = "connection"});
  world.submit(call());
  say(model::BreakerForce::open);
  world.advance(Duration::hours(1));
  EXPECT_TRUE(world.claim().empty());
  world.restart();
  world.settle();
  EXPECT_TRUE(world.claim().empty()) << "it stays forced";
  say(model::BreakerForce::none);
  EXPECT_EQ(state_of(world), BreakerState::closed);
  EXPECT_EQ(world.claim().size(), 1U);
  EXPECT_EQ(testing::error_of(world.ask(model::ForceBreaker{"npl"})).code, ErrorCode::not_found);
}

TEST(Breakers, OthersGoOn) {
  World world;
  trip(world);
  world.submit(call());
  const RunId other = world.submit(testing::FlowBuilder("other").run("x").done());
  world.complete(world.claim_one());
  EXPECT_EQ(world.run(other).status, model::RunStatus::completed);
}

}  // namespace
}  // namespace baton::engine
