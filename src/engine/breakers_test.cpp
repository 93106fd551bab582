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

TEST(Breakers, GoesOnLettingGoAfterARestart) {
  World world;
  trip(world);
  for (int i = 0; i < 21; ++i) world.submit(call());
  EXPECT_TRUE(world.claim(kMany).empty());
  world.advance(Duration::seconds(61));
  const auto probe = world.claim_one();
  EXPECT_TRUE(world.claim(kMany).empty());
  world.complete(probe);
  EXPECT_EQ(world.claim(kMany).size(), 2U);
  world.restart();
  world.settle();
  EXPECT_TRUE(world.claim(kMany).empty()) << "a restart is no reason to let all of them go";
  const RunId fresh = world.submit(call());
  EXPECT_EQ(world.claim_one().task.run, fresh) << "it is closed: what did not wait goes through";
  world.advance(Duration::seconds(1));
  EXPECT_EQ(world.claim(kMany).size(), 2U);
  world.advance(Duration::seconds(10));
  EXPECT_EQ(world.claim(kMany).size(), 16U);
  EXPECT_EQ(world.state().breakers.at("nlp").row.release_part, 0U);
}

TEST(Breakers, AProbeIsKnownAfterARestart) {
  World world;
  trip(world);
  world.submit(call());
  world.submit(call());
  EXPECT_TRUE(world.claim().empty());
  world.advance(Duration::seconds(61));
  const auto probe = world.claim_one();
  world.restart();
  world.settle();
  EXPECT_TRUE(world.claim().empty()) << "one probe at a time";
  world.complete(probe);
  EXPECT_EQ(state_of(world), BreakerState::closed);
  EXPECT_EQ(world.claim().size(), 1U);
}

// With a fallback, or with the rule, the step does not wait.
std::shared_ptr<const model::Workflow> impatient(bool fallback, std::optional<model::ErrorAction> action,
                                                 std::int32_t items = 0) {
  auto settings = std::make_shared<model::BreakerSettings>();
  settings->name = "nlp";
  settings->failures = 2;
  testing::FlowBuilder flow("impatient");
  flow.run("ask").breaker(std::move(settings)).attempts(3);
  if (items > 0) {
    boost::json::array list;
    for (std::int32_t i = 0; i < items; ++i) list.emplace_back(i);
    flow.for_each(std::move(list)).max_parallel(4);
  }
  if (fallback) flow.fallback();
  if (action) flow.on_error({.types = {"breaker_open"}, .action = *action});
  return flow.done();
}

TEST(Breakers, AStepThatDoesNotWaitFollowsItsRules) {
  using model::ErrorAction;
  for (const bool restart : {false, true}) {
    World world({.restart_every = restart ? 1U : 0U});
    trip(world);
    const RunId falls_back = world.submit(impatient(true, std::nullopt));
    const RunId fails = world.submit(impatient(true, ErrorAction::fail));
    const RunId held = world.submit(impatient(false, ErrorAction::hold));
    const RunId waits = world.submit(impatient(true, ErrorAction::retry));
    const RunId plain = world.submit(impatient(false, std::nullopt));
    world.settle();
    EXPECT_EQ(world.task(falls_back, "ask").phase, model::Phase::fallback) << "without any worker";
    world.complete(world.claim_one());
    EXPECT_EQ(world.status(falls_back, "ask"), TaskStatus::completed);
    EXPECT_EQ(world.status(fails, "ask"), TaskStatus::failed);
    EXPECT_EQ(world.task(fails, "ask").error_type, "breaker_open");
    EXPECT_EQ(world.task(fails, "ask").attempts, 0U);
    EXPECT_TRUE(world.task(held, "ask").held);
    EXPECT_EQ(world.status(waits, "ask"), TaskStatus::queued);
    EXPECT_EQ(world.status(plain, "ask"), TaskStatus::queued);
  }
}

TEST(Breakers, ThatOpenWhileATaskIsTriedAgainSendItToItsFallback) {
  World world;
  const RunId run = world.submit(impatient(true, std::nullopt));
  world.fail(world.claim_one(), {.type = "connection", .message = "refused"});
  world.advance(Duration::seconds(1));
  world.fail(world.claim_one(), {.type = "connection", .message = "refused"});
  ASSERT_EQ(state_of(world), BreakerState::open);
  EXPECT_EQ(world.status(run, "ask"), TaskStatus::retrying);
  world.advance(Duration::seconds(5));
  const auto fallback = world.claim_one();
  EXPECT_EQ(world.task(run, "ask").phase, model::Phase::fallback);
  EXPECT_EQ(world.task(run, "ask").error_type, "breaker_open");
  world.complete(fallback);
  EXPECT_EQ(world.task(run, "ask").via, model::Via::fallback);
}

TEST(Breakers, ManyItemsAreTurnedAwayOneByOne) {
  World world;
  trip(world);
  const RunId run = world.submit(impatient(false, model::ErrorAction::ignore, 3000));
  world.settle();
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  EXPECT_EQ(world.run(run).counts.failed, 3000U);
  EXPECT_LE(world.largest_batch(), 3000U);
}

TEST(Breakers, OneThatADefinitionNamesCanBeOpenedBeforeItsFirstFailure) {
  World world;
  const RunId run = world.submit(call());
  EXPECT_EQ(testing::error_of(world.ask(model::ForceBreaker{"npl", model::BreakerForce::open})).message,
            "there is no breaker \"npl\"; did you mean \"nlp\"?");
  world.ask(model::ForceBreaker{"nlp", model::BreakerForce::open, "alice", "moving"});
  EXPECT_TRUE(world.claim().empty());
  const auto reply = world.ask(model::Explain{run, 0});
  EXPECT_EQ(std::get<model::Explanation>(reply).reasons.at(0).message,
            "breaker nlp was opened by alice: moving");
  world.ask(model::ForceBreaker{"nlp", model::BreakerForce::none, "alice", ""});
  EXPECT_EQ(world.claim().size(), 1U);
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
