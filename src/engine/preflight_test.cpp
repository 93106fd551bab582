#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::Phase;
using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;

bool is_check(const model::Assignment& task) {
  return task.spec.find("\"check") != std::string::npos;
}

TEST(Preflight, ComesBeforeTheFirstAttemptAndCountsAsNone) {
  for (const std::uint32_t restart_every : {0U, 1U}) {
    World world({.restart_every = restart_every});
    const RunId run = world.submit(FlowBuilder("w")
                                       .run("a", "the step")
                                       .with("${{ run.id }}")
                                       .attempts(2)
                                       .preflight("check ${{ run.job_id == null }}")
                                       .done());
    const auto check = world.claim_one();
    EXPECT_NE(check.spec.find("check true"), std::string::npos) << check.spec;
    EXPECT_EQ(world.task(run, "a").phase, Phase::preflight);
    EXPECT_EQ(world.complete(check, "7"), TaskStatus::queued);
    EXPECT_EQ(world.complete(check, "7"), TaskStatus::queued) << "the first answer again";
    const auto own = world.claim_one();
    EXPECT_NE(own.spec.find("the step"), std::string::npos) << own.spec;
    world.fail(own);
    EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying);
    world.advance(Duration::seconds(2));
    world.complete(world.claim_one(), "8");
    EXPECT_EQ(world.status(run, "a"), TaskStatus::completed) << "checked once";
    EXPECT_EQ(world.task(run, "a").attempts, 2U);
    EXPECT_EQ(world.result(run, "a"), "8");
  }
}

TEST(Preflight, HasItsOwnAttemptsAndThenItsErrorIsTheSteps) {
  World world;
  const RunId run =
      world.submit(FlowBuilder("w").run("a").attempts(5).preflight(nullptr, 2).fallback().done());
  world.fail(world.claim_one(), {.type = "connection", .message = "refused"});
  EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying);
  world.advance(Duration::seconds(2));
  world.fail(world.claim_one(), {.type = "connection", .message = "refused"});
  const auto fallback = world.claim_one();
  EXPECT_EQ(world.task(run, "a").phase, Phase::fallback);
  EXPECT_EQ(world.task(run, "a").error_message, "preflight: refused");
  world.complete(fallback);
  EXPECT_EQ(world.task(run, "a").via, model::Via::fallback);
}

TEST(Preflight, OfAHeldTaskIsDoneAgain) {
  World world;
  const RunId run = world.submit(
      FlowBuilder("w").run("a").preflight().on_error({.action = model::ErrorAction::hold}).done());
  world.fail(world.claim_one());
  ASSERT_TRUE(world.task(run, "a").held);
  world.ask(model::DecideTask{.task = {run, 0}, .verdict = model::DecideTask::Verdict::retry});
  EXPECT_EQ(world.complete(world.claim_one()), TaskStatus::queued);
  EXPECT_EQ(world.complete(world.claim_one()), TaskStatus::completed);
}

// The health check of a service is what a half-open breaker lets through first.
TEST(Preflight, ThatEndsWellWhileItsRunIsCancelledIsFollowedByNothing) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").preflight("check").done());
  const auto check = world.claim_one();
  world.cancel(run);
  EXPECT_EQ(world.complete(check), TaskStatus::cancelled);
  EXPECT_EQ(world.run(run).status, model::RunStatus::cancelled);
}

TEST(Preflight, ProbesABreaker) {
  auto settings = std::make_shared<model::BreakerSettings>();
  settings->name = "nlp";
  settings->failures = 2;
  const auto flow = FlowBuilder("w").run("a").breaker(settings).preflight("check").done();
  World world;
  for (int i = 0; i < 2; ++i) {
    world.submit(flow);
    world.fail(world.claim_one(), {.type = "connection", .message = "refused"});
  }
  ASSERT_EQ(world.state().breakers.at("nlp").row.state, model::BreakerState::open);
  world.submit(flow);
  EXPECT_TRUE(world.claim().empty());
  world.advance(Duration::seconds(61));
  const auto probe = world.claim_one();
  EXPECT_TRUE(is_check(probe));
  world.complete(probe);
  EXPECT_EQ(world.state().breakers.at("nlp").row.state, model::BreakerState::closed);
  EXPECT_EQ(world.complete(world.claim_one()), TaskStatus::completed);
}

TEST(Preflight, OfItemsAndOfWhatIsParked) {
  for (const std::uint32_t restart_every : {0U, 1U}) {
    World world({.restart_every = restart_every});
    const RunId run = world.submit(FlowBuilder("w")
                                       .max_parallel(1)
                                       .run("m")
                                       .for_each({1, 2, 3})
                                       .with("${{ item }}")
                                       .preflight("check ${{ item }}")
                                       .done());
    world.work_off();
    EXPECT_EQ(world.run(run).counts.completed, 3U);
    EXPECT_EQ(world.task(run, "m", 2).starts, 2U);
  }
}

TEST(Preflight, ThatFailsLeavesNothingToCleanUp) {
  World world;
  const RunId bad = world.submit(FlowBuilder("w").run("a").preflight().cleanup().done());
  world.fail(world.claim_one());
  EXPECT_EQ(world.run(bad).status, model::RunStatus::failed) << "nothing was started";
  const RunId good = world.submit(FlowBuilder("w").run("a").preflight().cleanup().done());
  world.complete(world.claim_one());
  world.complete(world.claim_one());
  EXPECT_EQ(world.run(good).status, model::RunStatus::running);
  world.complete(world.claim_one());
  EXPECT_EQ(world.run(good).status, model::RunStatus::completed);
}

}  // namespace
}  // namespace baton::engine
