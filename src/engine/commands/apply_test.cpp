#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"
#include "model/applied.hpp"

namespace baton::engine {
namespace {

using model::TaskStatus;
using testing::error_of;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

std::shared_ptr<const model::Workflow> with_steps(const std::vector<std::string>& names) {
  FlowBuilder builder("w");
  for (const std::string& name : names) builder.run(name);
  return builder.done();
}

model::WorkflowApplied apply(World& world, std::shared_ptr<const model::Workflow> workflow,
                             std::string actor = "cli:ada", std::string note = "") {
  const auto reply = world.ask(
      model::ApplyWorkflow{.workflow = std::move(workflow), .expected = {}, .note = std::move(note)},
      std::move(actor));
  const auto* applied = std::get_if<model::WorkflowApplied>(&reply);
  EXPECT_NE(applied, nullptr) << error_of(reply).message;
  return applied != nullptr ? *applied : model::WorkflowApplied{};
}

model::AppliedWorkflow stored(const World& world) {
  const model::Record* record = world.state().record(model::applied_key("w"));
  EXPECT_NE(record, nullptr);
  return *model::applied_of(*record);
}

TEST(Apply, EachContentIsAVersionAndTheLastOneAppliedCounts) {
  World world;
  const auto first = apply(world, with_steps({"a"}));
  EXPECT_TRUE(first.version == 1 && first.previous == 0 && first.created);
  const auto second = apply(world, with_steps({"a", "b"}), "cli:bob", "more");
  EXPECT_TRUE(second.version == 2 && second.previous == 1 && second.created);
  const auto same = apply(world, with_steps({"a", "b"}));
  EXPECT_TRUE(same.version == 2 && same.previous == 2 && !same.created);
  world.restart();
  const auto back = apply(world, with_steps({"a"}));
  EXPECT_TRUE(back.version == 1 && back.previous == 2 && !back.created);

  const model::AppliedWorkflow workflow = stored(world);
  ASSERT_EQ(workflow.applications.size(), 3u) << "what changed nothing is no application";
  EXPECT_EQ(workflow.version(), 1u);
  EXPECT_EQ(workflow.applications[1].by, "cli:bob");
  EXPECT_EQ(workflow.applications[1].note, "more");
}

TEST(Apply, ARunOfAFileMakesAVersionThatDoesNotCount) {
  World world;
  world.submit(with_steps({"a"}));
  EXPECT_EQ(world.state().record(model::applied_key("w")), nullptr);
  const auto applied = apply(world, with_steps({"a"}));
  EXPECT_TRUE(applied.version == 1 && applied.previous == 0 && !applied.created);
}

TEST(Apply, RefusesWhenSomebodyWasFaster) {
  World world;
  apply(world, with_steps({"a"}));
  const auto reply = world.ask(
      model::ApplyWorkflow{.workflow = with_steps({"a", "b"}), .expected = 0, .note = ""}, "cli:ada");
  EXPECT_EQ(error_of(reply).code, ErrorCode::conflict);
  EXPECT_EQ(stored(world).version(), 1u);
  const auto right = world.ask(
      model::ApplyWorkflow{.workflow = with_steps({"a", "b"}), .expected = 1, .note = ""}, "cli:ada");
  EXPECT_EQ(std::get<model::WorkflowApplied>(right).version, 2u);
}

TEST(Apply, RefusesWhatNoRunCouldHave) {
  WorldOptions options;
  options.settings.max_tasks_per_run = 1;
  World world(options);
  const auto reply =
      world.ask(model::ApplyWorkflow{.workflow = with_steps({"a", "b"}), .note = ""}, "cli:ada");
  EXPECT_EQ(error_of(reply).code, ErrorCode::too_large);
}

TEST(Apply, ForgetsTheOldestApplicationsOnly) {
  World world;
  for (std::size_t i = 0; i <= model::kApplicationsKept; ++i) {
    apply(world, i % 2 == 0 ? with_steps({"a"}) : with_steps({"a", "b"}));
  }
  EXPECT_EQ(stored(world).applications.size(), model::kApplicationsKept);
  EXPECT_EQ(stored(world).version(), 1u);
  EXPECT_EQ(world.state().versions.at("w").size(), 2u);
}

// ---- A run that goes on with another version.

model::ReplyBody recover_onto(World& world, const RunId& run, std::shared_ptr<const model::Workflow> version,
                              std::string from = "") {
  return world.ask(model::RecoverRun{
      .run = run, .from = std::move(from), .onto = std::move(version), .input = R"({"n":2})"});
}

RunId failed_at_b(World& world, const std::shared_ptr<const model::Workflow>& workflow) {
  const RunId run = world.submit(workflow, R"({"n":1})");
  for (auto tasks = world.claim(10); !tasks.empty(); tasks = world.claim(10)) {
    for (const auto& task : tasks) {
      if (task.step == "b") {
        world.fail(task);
      } else {
        world.complete(task);
      }
    }
  }
  EXPECT_EQ(world.run(run).status, model::RunStatus::failed);
  return run;
}

TEST(RecoverOnto, KeepsResultsAndDoesTheRestAsTheNewVersionSays) {
  for (const std::uint32_t restart_every : {0u, 1u}) {
    World world({.restart_every = restart_every});
    const RunId run = failed_at_b(world, FlowBuilder("w").run("a").run("b").needs({"a"}).done());
    const auto fixed = FlowBuilder("w").run("a").run("b", "fixed").needs({"a"}).run("c").needs({"b"}).done();
    apply(world, fixed);
    const auto reply = recover_onto(world, run, fixed);
    ASSERT_NE(std::get_if<model::RunAccepted>(&reply), nullptr) << error_of(reply).message;
    EXPECT_EQ(world.run(run).version, 2u);
    EXPECT_EQ(world.status(run, "a"), TaskStatus::completed);
    EXPECT_EQ(world.run(run).counts.total, 3u);
    const auto task = world.claim_one();
    EXPECT_EQ(task.step, "b");
    EXPECT_NE(task.spec.find("fixed"), std::string::npos) << task.spec;
    world.complete(task);
    world.work_off();
    EXPECT_EQ(world.status(run, "c"), TaskStatus::completed);
    EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
    const auto story = world.story(run);
    EXPECT_NE(std::ranges::find(story, "run.version_changed"), story.end());
  }
}

TEST(RecoverOnto, NamesWhatDoesNotFitAndChangesNothing) {
  World world;
  const auto first = FlowBuilder("w").run("a").run("b").needs({"a"}).done();
  const RunId run = failed_at_b(world, first);
  const auto refused = [&](const std::shared_ptr<const model::Workflow>& version, std::string_view words) {
    apply(world, version);
    const Error error = error_of(recover_onto(world, run, version));
    EXPECT_EQ(error.code, ErrorCode::conflict);
    EXPECT_NE(error.message.find(words), std::string::npos) << error.message;
    EXPECT_EQ(world.run(run).status, model::RunStatus::failed);
    EXPECT_EQ(world.run(run).version, 1u);
  };
  refused(FlowBuilder("w").run("a").done(), "step b is gone");
  refused(FlowBuilder("w").run("a").run("x").run("b").done(), "step x is new and stands before others");
  refused(FlowBuilder("w").run("b").run("a").done(), "the order of its steps is another");
  refused(FlowBuilder("w").run("a").run("b").finally().done(), "stands under `finally` now");
  refused(FlowBuilder("w").run("a").for_each(boost::json::array{1, 2}).run("b").done(),
          "step a has a `for_each` now");

  const auto other = FlowBuilder("v").run("a").run("b").done();
  EXPECT_EQ(error_of(recover_onto(world, run, other)).code, ErrorCode::conflict);
}

TEST(RecoverOnto, ACleanupThatHasBegunIsStillThere) {
  World world;
  const RunId run = failed_at_b(world, FlowBuilder("w").run("a").cleanup().run("b").needs({"a"}).done());
  const auto without = FlowBuilder("w").run("a").run("b").needs({"a"}).done();
  apply(world, without);
  EXPECT_NE(error_of(recover_onto(world, run, without)).message.find("step a has no `cleanup` any more"),
            std::string::npos);
  const auto another = FlowBuilder("w").run("a").cleanup("other").run("b").needs({"a"}).done();
  apply(world, another);
  const auto reply = recover_onto(world, run, another);
  EXPECT_NE(std::get_if<model::RunAccepted>(&reply), nullptr) << error_of(reply).message;
  world.restart();
  world.work_off();
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

TEST(RecoverOnto, NoNewStepsBehindItems) {
  World world;
  const RunId run = failed_at_b(
      world, FlowBuilder("w").run("a").for_each(boost::json::array{1, 2}).run("b").needs({"a"}).done());
  const auto longer =
      FlowBuilder("w").run("a").for_each(boost::json::array{1, 2}).run("b").needs({"a"}).run("c").done();
  apply(world, longer);
  EXPECT_NE(error_of(recover_onto(world, run, longer)).message.find("step c is new"), std::string::npos);
  const auto changed = FlowBuilder("w")
                           .run("a", "other")
                           .for_each(boost::json::array{1, 2})
                           .run("b", "other")
                           .needs({"a"})
                           .done();
  apply(world, changed);
  const auto reply = recover_onto(world, run, changed);
  EXPECT_NE(std::get_if<model::RunAccepted>(&reply), nullptr) << error_of(reply).message;
  world.work_off();
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

}  // namespace
}  // namespace baton::engine
