#include "engine/limits.hpp"

#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::TaskStatus;
using testing::error_of;
using testing::FlowBuilder;
using testing::World;

constexpr std::uint32_t kMany = 1000;

void set(World& world, std::string limit, std::optional<std::uint32_t> value) {
  const auto reply = world.ask(model::SetLimit{std::move(limit), value, "more machines"}, "cli:ada");
  EXPECT_TRUE(std::holds_alternative<model::Done>(reply));
}

std::shared_ptr<const model::Workflow> train(std::uint32_t gpus = 1, std::string queue = "default") {
  return FlowBuilder("train").run("fit").queue(std::move(queue)).uses("gpu", gpus).done();
}

model::Reason why(World& world, const RunId& run) {
  const auto reply = world.ask(model::Explain{run, 0});
  return std::get<model::Explanation>(reply).reasons.at(0);
}

TEST(Limits, SoManyAtATime) {
  World world;
  set(world, "gpu", 2);
  for (int i = 0; i < 5; ++i) world.submit(train());
  auto first = world.claim(kMany);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_TRUE(world.claim(kMany).empty());
  world.complete(first[0]);
  auto next = world.claim(kMany);
  ASSERT_EQ(next.size(), 1U);
  world.fail(next[0]);
  world.complete(first[1]);
  EXPECT_EQ(world.claim(kMany).size(), 2U);
  EXPECT_EQ(world.state().limits.at("gpu").in_use, 2U);
}

TEST(Limits, OneThatNobodyHasSetHasNothing) {
  World world;
  const RunId run = world.submit(train());
  EXPECT_TRUE(world.claim().empty());
  EXPECT_EQ(why(world, run).code, "limit_small");
  EXPECT_NE(why(world, run).message.find("baton limits set gpu"), std::string::npos);
  set(world, "gpu", 1);
  EXPECT_EQ(world.claim().size(), 1U);
}

TEST(Limits, ADefinitionsOwnHoldsUntilOneIsSet) {
  World world;
  const auto deploy = FlowBuilder("deploy").run("go").uses("cluster", 1, 2).done();
  for (int i = 0; i < 6; ++i) world.submit(deploy);
  ASSERT_EQ(world.claim(kMany).size(), 2U);
  set(world, "cluster", 5);
  ASSERT_EQ(world.claim(kMany).size(), 3U);
  EXPECT_TRUE(world.claim(kMany).empty());
  set(world, "cluster", std::nullopt);
  EXPECT_TRUE(world.claim(kMany).empty());
  EXPECT_EQ(error_of(world.ask(model::SetLimit{"cluster", std::nullopt, ""})).code, ErrorCode::not_found);
  EXPECT_EQ(error_of(world.ask(model::SetLimit{"", 1, ""})).code, ErrorCode::invalid_request);
}

TEST(Limits, AllOfATaskAreTakenTogetherOrNone) {
  World world;
  set(world, "gpu", 1);
  set(world, "licence", 1);
  world.submit(FlowBuilder("l").run("s").uses("licence").done());
  auto licence = world.claim_one();
  const RunId both = world.submit(FlowBuilder("b").run("s").uses("gpu").uses("licence").done());
  EXPECT_TRUE(world.claim().empty());
  EXPECT_EQ(why(world, both).subject, "licence");
  // It holds no GPU while it waits for the licence.
  world.submit(FlowBuilder("g").run("s").uses("gpu").done());
  auto gpu = world.claim_one();
  world.complete(licence);
  EXPECT_TRUE(world.claim().empty());
  EXPECT_EQ(why(world, both).subject, "gpu");
  world.complete(gpu);
  EXPECT_EQ(world.claim_one().task.run, both);
}

TEST(Limits, WhoWantsMuchGetsItsTurn) {
  World world;
  set(world, "gpu", 2);
  world.submit(train(1));
  world.submit(train(1));
  auto running = world.claim(kMany);
  ASSERT_EQ(running.size(), 2U);
  const RunId wide = world.submit(train(2));
  EXPECT_TRUE(world.claim().empty());
  const RunId narrow = world.submit(train(1));
  world.complete(running[0]);
  EXPECT_TRUE(world.claim().empty());  // one is free, but the wide one stands before
  EXPECT_EQ(why(world, narrow).code, "limit_full");
  world.complete(running[1]);
  auto next = world.claim(kMany);
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0].task.run, wide);
  world.complete(next[0]);
  EXPECT_EQ(world.claim_one().task.run, narrow);
}

TEST(Limits, WhoWantsMoreThanThereIsHoldsNobodyUp) {
  World world;
  set(world, "gpu", 2);
  const RunId wide = world.submit(train(3));
  world.submit(train(1));
  EXPECT_EQ(world.claim(kMany).size(), 1U);
  EXPECT_EQ(why(world, wide).code, "limit_small");
  // The limit shrinks under one that waits for it.
  const RunId two = world.submit(train(2));
  EXPECT_TRUE(world.claim().empty());
  EXPECT_EQ(why(world, two).code, "limit_full");
  set(world, "gpu", 1);
  EXPECT_EQ(why(world, two).code, "limit_small");
}

// What was let past for one queue must not keep the other from working.
TEST(Limits, AQueueWithoutWorkersKeepsNothing) {
  World world;
  set(world, "gpu", 1);
  world.submit(train());
  auto running = world.claim_one();
  world.submit(train(1, "idle"));
  world.submit(train());
  EXPECT_TRUE(world.claim(1, "w", {"default", "idle"}).empty());
  world.complete(running);
  EXPECT_EQ(world.claim(1, "w", {"default"}).size(), 1U);
}

TEST(Limits, ThePlaceOfOneThatEndsInTheQueueGoesToTheNext) {
  World world;
  set(world, "gpu", 1);
  world.submit(train());
  auto running = world.claim_one();
  const RunId second = world.submit(train());
  const RunId third = world.submit(train());
  EXPECT_TRUE(world.claim().empty());
  world.complete(running);
  world.cancel(second);
  EXPECT_EQ(world.claim_one().task.run, third);
}

TEST(Limits, NotHeldDuringRetryWaits) {
  World world;
  set(world, "gpu", 1);
  const RunId run = world.submit(FlowBuilder("t").run("fit").attempts(2).uses("gpu").done());
  world.fail(world.claim_one());
  EXPECT_EQ(world.status(run, "fit"), TaskStatus::retrying);
  EXPECT_EQ(world.state().limits.at("gpu").in_use, 0U);
  world.submit(train());
  auto other = world.claim_one();
  world.advance(Duration::seconds(5));
  EXPECT_TRUE(world.claim().empty());
  world.complete(other);
  EXPECT_EQ(world.claim_one().task.run, run);
}

TEST(Limits, HeldThroughARestart) {
  World world;
  set(world, "gpu", 2);
  for (int i = 0; i < 4; ++i) world.submit(train());
  auto running = world.claim(kMany);
  ASSERT_EQ(running.size(), 2U);
  world.restart();
  EXPECT_EQ(world.state().limits.at("gpu").in_use, 2U);
  EXPECT_EQ(world.state().limits.at("gpu").set->by, "cli:ada");
  EXPECT_TRUE(world.claim(kMany).empty());
  world.complete(running[0]);
  EXPECT_EQ(world.claim(kMany).size(), 1U);
}

TEST(Limits, KeysComeFromExpressionsOncePerTask) {
  World world;
  const auto workflow = FlowBuilder("sync")
                            .run("pull")
                            .for_each(boost::json::array{"a", "a", "b", "a", "b"})
                            .uses("${{ 'host-' + item }}", 1, 1)
                            .done();
  const RunId run = world.submit(workflow);
  auto first = world.claim(kMany);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(world.task(run, "pull", 2).flow->limits.at(0).name, "host-b");
  world.restart();
  EXPECT_EQ(world.state().limits.at("host-a").in_use, 1U);
  world.work_off();
  for (auto& one : first) world.complete(one);
  world.work_off();
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  EXPECT_TRUE(world.state().limits.empty());
}

TEST(Limits, AnEmptyKeyIsAnError) {
  World world;
  const RunId run =
      world.submit(FlowBuilder("t").run("s").uses("${{ inputs.tenant }}", 1, 1).done(), R"({"tenant": ""})");
  world.settle();
  EXPECT_EQ(world.task(run, "s").error_type, "expression");
}

TEST(Limits, ExplainSaysWhoHoldsIt) {
  World world;
  set(world, "gpu", 1);
  const RunId holder = world.submit(train());
  world.claim_one();
  const RunId waits = world.submit(train());
  EXPECT_TRUE(world.claim().empty());
  const model::Reason reason = why(world, waits);
  EXPECT_EQ(reason.code, "limit_full");
  EXPECT_EQ(reason.subject, "gpu");
  EXPECT_EQ(reason.message, "1 of 1 of limit gpu are in use, by fit of run " + holder.text());
  const auto survey = std::get<model::Survey>(world.ask(model::AskSurvey{}));
  ASSERT_EQ(survey.limits.size(), 1U);
  EXPECT_EQ(survey.limits[0].in_use, 1U);
  EXPECT_EQ(survey.limits[0].waiting, 1U);
  EXPECT_EQ(survey.limits[0].why, "more machines");
  EXPECT_EQ(survey.limits[0].holders.at(0).task.run, holder);
}

}  // namespace
}  // namespace baton::engine
