// Steps of kind `task`: functions that some workers have and others do not.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::Abilities;
using testing::FlowBuilder;
using testing::World;

const Abilities kSteps{.steps = true, .functions = {}};
const Abilities kImages{.steps = false, .functions = {"images.label", "images.scale"}};

std::vector<model::Assignment> claim(World& world, const Abilities& abilities, std::uint32_t max = 100,
                                     std::string worker = "w") {
  const auto reply =
      world.ask(model::ClaimTasks{.worker = std::move(worker), .max = max, .abilities = abilities});
  const auto* claimed = std::get_if<model::Claimed>(&reply);
  EXPECT_NE(claimed, nullptr);
  return claimed != nullptr ? claimed->tasks : std::vector<model::Assignment>();
}

std::vector<std::string> names(const std::vector<model::Assignment>& tasks) {
  std::vector<std::string> names;
  for (const model::Assignment& task : tasks) names.push_back(task.step);
  return names;
}

model::Reason why(World& world, const RunId& run, Ordinal task = 0) {
  const auto reply = world.ask(model::Explain{run, task});
  return std::get<model::Explanation>(reply).reasons.at(0);
}

TEST(Functions, AWorkerGetsWhatItHas) {
  World world;
  world.submit(FlowBuilder("f")
                   .task("label", "images.label")
                   .run("shell")
                   .task("scale", "images.scale")
                   .task("speak", "speech.speak")
                   .done());
  // What stands before in the queue and is for others holds nobody up.
  EXPECT_EQ(names(claim(world, kImages)), (std::vector<std::string>{"label", "scale"}));
  EXPECT_EQ(names(claim(world, kSteps)), std::vector<std::string>{"shell"});
  EXPECT_TRUE(claim(world, kSteps).empty());
  EXPECT_TRUE(claim(world, kImages).empty());
  EXPECT_EQ(names(claim(world, {.steps = false, .functions = {"*"}})), std::vector<std::string>{"speak"});
}

TEST(Functions, ItIsCalledWithTheStepsValues) {
  World world;
  world.submit(
      FlowBuilder("f").task("label", "images.label", {{"paths", "${{ inputs.paths }}"}, {"size", 3}}).done(),
      R"({"paths":["a","b"]})");
  const auto tasks = claim(world, kImages);
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].kind, model::StepKind::task);
  EXPECT_EQ(tasks[0].spec, R"({"function":"images.label","with":{"paths":["a","b"],"size":3}})");
  EXPECT_EQ(world.complete(tasks[0], R"({"labels":2})"), model::TaskStatus::completed);
}

TEST(Functions, PrioritiesAndTurnsAreTheWholeQueues) {
  World world;
  world.submit(FlowBuilder("f").run("low").priority(2).task("high", "images.label").priority(8).done());
  world.submit(FlowBuilder("g").run("middle").priority(5).done());
  const Abilities both{.steps = true, .functions = {"images.label"}};
  std::vector<std::string> order;
  for (int i = 0; i < 3; ++i) order.push_back(names(claim(world, both, 1)).at(0));
  EXPECT_EQ(order, (std::vector<std::string>{"high", "middle", "low"}));

  for (int i = 0; i < 3; ++i) world.submit(FlowBuilder("a").run("a").fair_key("a").done());
  for (int i = 0; i < 3; ++i) world.submit(FlowBuilder("b").task("b", "images.label").fair_key("b").done());
  order.clear();
  for (int i = 0; i < 6; ++i) order.push_back(names(claim(world, both, 1)).at(0));
  EXPECT_EQ(order, (std::vector<std::string>{"a", "b", "a", "b", "a", "b"}));
}

TEST(Functions, ANewOwnerKnowsWhichLineATaskStandsIn) {
  World world;
  world.submit(FlowBuilder("f").task("label", "images.label").run("shell").done());
  world.restart();
  EXPECT_EQ(names(claim(world, kSteps)), std::vector<std::string>{"shell"});
  EXPECT_EQ(names(claim(world, kImages)), std::vector<std::string>{"label"});
}

TEST(Functions, ExplainNamesTheFunctionThatNobodyHas) {
  World world;
  const RunId run = world.submit(FlowBuilder("f").task("label", "images.label").run("shell").done());
  EXPECT_EQ(why(world, run).code, "no_worker");
  EXPECT_EQ(why(world, run).message,
            "no worker takes tasks from queue default; it needs one that has the function images.label");
  claim(world, {.steps = false, .functions = {"speech.speak"}}, 1);
  EXPECT_EQ(why(world, run).message, "no worker of queue default has the function images.label");
  EXPECT_EQ(why(world, run, 1).message,
            "the workers of queue default take no steps but functions that they have");
  claim(world, kImages, 0, "v");
  EXPECT_EQ(why(world, run).code, "workers_busy");
  EXPECT_EQ(why(world, run, 1).code, "no_worker");
}

TEST(Functions, TheSurveyCountsAllLinesOfAQueue) {
  World world;
  world.submit(FlowBuilder("f").task("label", "images.label").run("shell").priority(7).done());
  claim(world, {.steps = false, .functions = {"speech.speak"}}, 1);
  const auto reply = world.ask(model::AskSurvey{});
  const auto& survey = std::get<model::Survey>(reply);
  const auto queue = std::ranges::find(survey.queues, "default", &model::QueueView::name);
  ASSERT_NE(queue, survey.queues.end());
  EXPECT_EQ(queue->queued, 2U);
  EXPECT_EQ(queue->most_urgent, 7);
  EXPECT_EQ(queue->workers, 1U);
  ASSERT_EQ(survey.workers.size(), 1U);
  EXPECT_EQ(survey.workers[0].functions, std::vector<std::string>{"speech.speak"});
  EXPECT_FALSE(survey.workers[0].steps);
}

// A promise of a place to one that nobody will take must not keep the place from those that could start.
TEST(Functions, OneWithoutAWorkerHoldsNoPlaceOfALimit) {
  World world;
  world.ask(model::SetLimit{"gpu", 1, ""});
  world.submit(FlowBuilder("f").run("first").uses("gpu").done());
  const auto running = claim(world, kSteps);
  ASSERT_EQ(running.size(), 1U);
  world.submit(FlowBuilder("f").task("label", "images.label").uses("gpu").done());
  world.submit(FlowBuilder("f").run("second").uses("gpu").done());
  EXPECT_TRUE(claim(world, kSteps).empty());
  EXPECT_TRUE(claim(world, kImages).empty());
  world.complete(running[0]);
  EXPECT_EQ(names(claim(world, kSteps)), std::vector<std::string>{"second"});
}

TEST(Functions, ALineThatNothingWaitsInGoes) {
  World world;
  const Abilities all{.steps = true, .functions = {"*"}};
  for (int i = 0; i < 100; ++i) {
    world.submit(FlowBuilder("f").task("one", "tenant-" + std::to_string(i)).done());
    for (const auto& task : claim(world, all)) world.complete(task);
  }
  claim(world, all);
  EXPECT_LE(world.state().queues.at("default").lines.size(), 2U);
}

TEST(Functions, RoutesMayNameTheFunction) {
  World world;
  world.ask(model::SetRoute{"images.*", "gpu", ""}, "cli:ada");
  world.submit(FlowBuilder("f").task("label", "images.label").task("speak", "speech.speak").done());
  const auto reply = world.ask(model::ClaimTasks{
      .worker = "w", .queues = {"gpu"}, .max = 9, .abilities = {.steps = false, .functions = {"*"}}});
  EXPECT_EQ(names(std::get<model::Claimed>(reply).tasks), std::vector<std::string>{"label"});
}

}  // namespace
}  // namespace baton::engine
