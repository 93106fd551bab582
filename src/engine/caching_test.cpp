#include "engine/caching.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"
#include "model/cached_result.hpp"

namespace baton::engine {
namespace {

using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

constexpr std::uint32_t kMany = 1000;

std::shared_ptr<const model::Workflow> fetch(std::string script = "fetch") {
  return FlowBuilder("w").run("fetch", std::move(script)).cache("${{ inputs.day }}").done();
}

// How many tasks a run of it hands out; they complete with the result.
std::size_t work(World& world, const std::shared_ptr<const model::Workflow>& workflow, std::string input,
                 std::string result = "1") {
  world.submit(workflow, std::move(input));
  std::size_t count = 0;
  for (auto tasks = world.claim(kMany); !tasks.empty(); tasks = world.claim(kMany)) {
    count += tasks.size();
    for (const auto& task : tasks) world.complete(task, result);
  }
  return count;
}

TEST(Caching, AResultIsTakenForTheSameKey) {
  World world;
  EXPECT_EQ(work(world, fetch(), R"({"day":1})", "[7]"), 1U);
  const RunId again = world.submit(fetch(), R"({"day":1})");
  EXPECT_TRUE(world.claim().empty());
  const model::TaskRow row = world.task(again, "fetch");
  EXPECT_EQ(row.status, TaskStatus::completed);
  EXPECT_EQ(row.via, model::Via::cache);
  EXPECT_EQ(row.attempts, 0U);
  EXPECT_EQ(row.starts, 0U);
  EXPECT_EQ(world.result(again, "fetch"), "[7]");
  EXPECT_EQ(world.run(again).status, model::RunStatus::completed);
  EXPECT_EQ(work(world, fetch(), R"({"day":2})"), 1U);
  EXPECT_EQ(work(world, fetch("another script"), R"({"day":1})"), 1U) << "a step that does something else";
}

TEST(Caching, ItOutlivesItsOwner) {
  for (const std::uint32_t every : {1U, 2U, 3U}) {
    World world({.restart_every = every});
    EXPECT_EQ(work(world, fetch(), R"({"day":1})", "7"), 1U);
    world.restart();
    EXPECT_EQ(work(world, fetch(), R"({"day":1})"), 0U);
  }
}

TEST(Caching, ItCountsForItsTime) {
  World world;
  const auto short_lived = FlowBuilder("w").run("a").cache("k", Duration::hours(1)).done();
  EXPECT_EQ(work(world, short_lived, "{}"), 1U);
  world.advance(Duration::minutes(60) - Duration::seconds(1));
  EXPECT_EQ(work(world, short_lived, "{}"), 0U);
  world.advance(Duration::seconds(1));
  EXPECT_EQ(work(world, short_lived, "{}"), 1U);
  EXPECT_EQ(work(world, short_lived, "{}"), 0U);
}

TEST(Caching, OnlyWhatCompletedIsKept) {
  World world;
  world.submit(fetch(), R"({"day":1})");
  world.fail(world.claim_one());
  EXPECT_EQ(work(world, fetch(), R"({"day":1})"), 1U);

  World with_fallback;
  const auto workflow = FlowBuilder("w").run("a").cache("k").fallback().done();
  with_fallback.submit(workflow);
  with_fallback.fail(with_fallback.claim_one());
  with_fallback.complete(with_fallback.claim_one());
  EXPECT_EQ(work(with_fallback, workflow, "{}"), 1U) << "the fallback's result is not the step's";
}

TEST(Caching, AKeyThatIsNullMeansNone) {
  World world;
  const auto workflow = FlowBuilder("w").run("a").cache("${{ null }}").done();
  EXPECT_EQ(work(world, workflow, "{}"), 1U);
  EXPECT_EQ(work(world, workflow, "{}"), 1U);
}

TEST(Caching, WithoutAKeyAllThatTheStepGetsIsTheKey) {
  World world;
  const auto workflow = FlowBuilder("w").run("a").with("${{ inputs.day }}").cache({}).done();
  EXPECT_EQ(work(world, workflow, R"({"day":1,"other":1})"), 1U);
  EXPECT_EQ(work(world, workflow, R"({"day":1,"other":2})"), 0U);
  EXPECT_EQ(work(world, workflow, R"({"day":2})"), 1U);
}

TEST(Caching, AKeyThatCannotBeComputedFailsTheTask) {
  World world;
  const RunId run = world.submit(fetch(), "{}");
  EXPECT_EQ(world.task(run, "fetch").error_type, "expression");
}

TEST(Caching, EachItemHasItsOwn) {
  World world;
  const auto items = [](int count) {
    boost::json::array list;
    for (int i = 0; i < count; ++i) list.emplace_back(i);
    return list;
  };
  const auto flow = [&](int count, std::uint32_t max_parallel) {
    return FlowBuilder("w").run("a").for_each(items(count), max_parallel).cache("${{ item }}").done();
  };
  EXPECT_EQ(work(world, flow(10, 3), "{}", "5"), 10U);
  const RunId more = world.submit(flow(25, 4));
  std::size_t most = 0;
  std::size_t count = 0;
  for (auto tasks = world.claim(kMany); !tasks.empty(); tasks = world.claim(kMany)) {
    most = std::max(most, tasks.size());
    count += tasks.size();
    for (const auto& task : tasks) world.complete(task, "6");
  }
  EXPECT_EQ(count, 15U);
  EXPECT_LE(most, 4U);
  EXPECT_EQ(world.task(more, "a", 9).via, model::Via::cache);
  EXPECT_EQ(world.task(more, "a", 10).via, model::Via::none);
  EXPECT_EQ(world.run(more).status, model::RunStatus::completed);
}

TEST(Caching, ManyItemsAreLookedUpInParts) {
  WorldOptions options;
  options.check_memory = false;
  World world(options);
  boost::json::array list(3000, boost::json::value(1));
  const auto flow = FlowBuilder("w").run("a").for_each(list).cache("${{ index }}").done();
  EXPECT_EQ(work(world, flow, "{}"), 3000U);
  EXPECT_EQ(work(world, flow, "{}"), 0U);
}

TEST(Caching, AskingLeavesNoPlaceEmpty) {
  WorldOptions options;
  options.check_memory = false;
  World world(options);
  boost::json::array list(3000, boost::json::value(1));
  world.submit(FlowBuilder("w").run("a").for_each(list, 2500).cache("${{ index }}").done());
  std::size_t handed_out = 0;
  for (auto tasks = world.claim(kMany); !tasks.empty(); tasks = world.claim(kMany))
    handed_out += tasks.size();
  EXPECT_EQ(handed_out, 2500U);
}

TEST(Caching, WhatIsDoneAgainIsDone) {
  World world;
  const auto workflow = FlowBuilder("w").run("a").cache("k").run("b").needs({"a"}).done();
  const RunId run = world.submit(workflow);
  world.complete(world.claim_one(), "1");
  world.fail(world.claim_one());
  world.ask(model::RecoverRun{.run = run, .from = "a"});
  world.complete(world.claim_one(), "2");
  world.complete(world.claim_one());
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  const RunId next = world.submit(workflow);
  EXPECT_EQ(world.result(next, "a"), "2") << "and its result counts";
}

TEST(Caching, APausedRunTakesNone) {
  World world;
  EXPECT_EQ(work(world, fetch(), R"({"day":1})"), 1U);
  const auto workflow =
      FlowBuilder("w").run("first").run("fetch", "fetch").needs({"first"}).cache("${{ inputs.day }}").done();
  const RunId run = world.submit(workflow, R"({"day":1})");
  const auto first = world.claim_one();
  world.ask(model::PauseCommand{.target = {model::BlockerKind::run_paused, run, ""}});
  world.complete(first);
  EXPECT_EQ(world.status(run, "fetch"), TaskStatus::pending);
  world.ask(model::ResumeCommand{{model::BlockerKind::run_paused, run, ""}});
  EXPECT_EQ(world.task(run, "fetch").via, model::Via::cache);
}

TEST(Caching, NothingIsGivenBackOrUndoneForAResultThatWasTaken) {
  World world;
  const auto workflow =
      FlowBuilder("w").run("a").cache("k").cleanup().compensate().run("b").needs({"a"}).done();
  world.submit(workflow);
  world.work_off();
  const RunId run = world.submit(workflow);
  const auto b = world.claim_one();
  world.fail(b);
  EXPECT_TRUE(world.claim(kMany).empty());
  EXPECT_EQ(world.run(run).status, model::RunStatus::failed);
}

TEST(Caching, ALargeResultIsNotKept) {
  World world;
  const std::string large = '"' + std::string(model::kMaxCachedResult - 2, 'x') + '"';
  const auto workflow = FlowBuilder("w").run("a").cache("k").done();
  const RunId run = world.submit(workflow);
  world.complete(world.claim_one(), large.substr(0, large.size() - 1) + "x\"");
  const auto story = world.story(run);
  EXPECT_TRUE(
      std::ranges::any_of(story, [](const std::string& line) { return line.starts_with("alert.raised"); }));
  EXPECT_EQ(work(world, workflow, "{}", large), 1U);
  EXPECT_EQ(work(world, workflow, "{}"), 0U) << "one byte less is";
}

TEST(Caching, WhatIsForgottenIsDoneAgain) {
  World world;
  const RunId run = world.submit(fetch(), R"({"day":1})");
  world.complete(world.claim_one());
  const std::string key = world.task(run, "fetch").cache->key;
  const auto reply = world.ask(model::ForgetResults{{key, "w/fetch/none"}});
  EXPECT_EQ(std::get<model::Discarded>(reply).count, 2U);
  EXPECT_EQ(work(world, fetch(), R"({"day":1})"), 1U);
}

}  // namespace
}  // namespace baton::engine
