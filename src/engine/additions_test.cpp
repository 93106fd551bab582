// Tasks that are added to a run, and runs that steps begin: what the scenarios of SEMANTICS 43 cannot see.
// The world checks after each batch that memory is what the rows say.
#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::TaskStatus;
using testing::error_of;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

model::ReplyBody add(World& world, const model::Assignment& by, FlowBuilder steps,
                     std::vector<std::string> outside = {}, bool detach = false) {
  return world.ask(model::AddTasks{by.token, by.task, steps.done(), std::move(outside), detach});
}

model::TasksAdded added(World& world, const model::Assignment& by, FlowBuilder steps,
                        std::vector<std::string> outside = {}, bool detach = false) {
  auto reply = add(world, by, std::move(steps), std::move(outside), detach);
  const auto* tasks = std::get_if<model::TasksAdded>(&reply);
  EXPECT_NE(tasks, nullptr) << (std::holds_alternative<Error>(reply) ? std::get<Error>(reply).message : "");
  return tasks != nullptr ? *tasks : model::TasksAdded{};
}

TaskStatus status(const World& world, const TaskId& id) {
  const model::TaskRow* row = world.disk().task({id.run.key(), id.ordinal});
  return row != nullptr ? row->status : TaskStatus::pending;
}

FlowBuilder split_and_join() {
  FlowBuilder flow("w");
  flow.set("before", {{"n", 1}}).run("split").needs({"before"}).run("join").needs({"split"});
  return flow;
}

TEST(Additions, HoldUpWhatFollowsTheirTaskAlsoForANewOwner) {
  for (const std::uint32_t restart_every : {0u, 1u}) {
    World world({.restart_every = restart_every});
    const RunId run = world.submit(split_and_join().done());
    const auto split = world.claim_one();
    const auto tasks = added(
        world, split, FlowBuilder("w").set("before", {}).run("a").needs({"before"}).run("b").needs({"a"}),
        {"before"});
    ASSERT_EQ(tasks.tasks.size(), 2u);
    EXPECT_EQ(tasks.tasks[0].name, "split/a");
    EXPECT_EQ(world.run(run).counts.total, 5u);
    world.complete(split);
    world.restart();
    const auto a = world.claim_one();
    EXPECT_EQ(a.step, "split/a");
    world.complete(a);
    EXPECT_EQ(world.status(run, "join"), TaskStatus::pending);
    world.complete(world.claim_one());
    const auto join = world.claim_one();
    EXPECT_EQ(join.step, "join");
    world.complete(join);
    EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
    EXPECT_EQ(world.run(run).counts.completed, 5u);
  }
}

TEST(Additions, AreTheSameWhenTheyAreRepeated) {
  World world;
  world.submit(split_and_join().done());
  const auto split = world.claim_one();
  const auto first = added(world, split, FlowBuilder("w").run("a"));
  EXPECT_FALSE(first.existing);
  const auto again = added(world, split, FlowBuilder("w").run("a"));
  EXPECT_TRUE(again.existing);
  ASSERT_EQ(again.tasks.size(), 1u);
  EXPECT_EQ(again.tasks[0].task, first.tasks[0].task);
  const Error other = error_of(add(world, split, FlowBuilder("w").run("a", "false")));
  EXPECT_EQ(other.code, ErrorCode::conflict);
  const Error more = error_of(add(world, split, FlowBuilder("w").run("a").run("b")));
  EXPECT_EQ(more.code, ErrorCode::conflict);
}

TEST(Additions, OfNobodyWhoHoldsTheTaskAreRefused) {
  World world;
  const RunId run = world.submit(split_and_join().done());
  const auto split = world.claim_one();
  world.complete(split);
  EXPECT_EQ(error_of(add(world, split, FlowBuilder("w").run("a"))).code, ErrorCode::stale_token);
  const auto join = world.claim_one();
  world.cancel(run);
  EXPECT_EQ(error_of(add(world, join, FlowBuilder("w").run("a"))).code, ErrorCode::conflict);
}

TEST(Additions, AreNotMadeAgainByADecisionAboutTheirTask) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("split").run("beside").done());
  const auto split = world.claim_one();
  added(world, split, FlowBuilder("w").run("a"));
  world.fail(split);
  ASSERT_EQ(world.status(run, "split"), TaskStatus::failed);
  EXPECT_EQ(error_of(world.ask(model::DecideTask{.task = split.task})).code, ErrorCode::conflict);
  world.work_off();
  EXPECT_TRUE(std::holds_alternative<model::RunAccepted>(world.ask(model::DecideTask{.task = split.task})))
      << "once its run has ended, they go with it";
}

TEST(Additions, StayWithinTheLimitOfTheirRun) {
  WorldOptions options;
  options.settings.max_tasks_per_run = 4;
  World world(options);
  world.submit(split_and_join().done());
  const auto split = world.claim_one();
  EXPECT_EQ(error_of(add(world, split, FlowBuilder("w").run("a").run("b"))).code, ErrorCode::too_large);
  added(world, split, FlowBuilder("w").run("a"));
}

TEST(Additions, CannotNeedWhatWaitsForThem) {
  World world;
  world.submit(split_and_join().done());
  const auto split = world.claim_one();
  const auto on_join = [] { return FlowBuilder("w").set("join", {}).run("a").needs({"join"}); };
  EXPECT_EQ(error_of(add(world, split, on_join(), {"join"})).code, ErrorCode::conflict);
  EXPECT_EQ(error_of(add(world, split, FlowBuilder("w").set("no", {}).run("a").needs({"no"}), {"no"})).code,
            ErrorCode::conflict);
  added(world, split, on_join(), {"join"}, true);  // nothing waits for a detached one
  // Their own task they may need: what follows that waits for them, they do not wait for themselves.
  const auto after =
      added(world, split, FlowBuilder("w").set("split", {}).run("after").needs({"split"}), {"split"});
  world.complete(split);
  EXPECT_EQ(world.claim_one().step, "split/after");
  EXPECT_EQ(status(world, after.tasks[0].task), TaskStatus::running);
}

TEST(Additions, AreGoneForTheNextGenerationOfTheirTask) {
  World world({.restart_every = 1});
  const RunId run = world.submit(split_and_join().done());
  auto split = world.claim_one();
  added(world, split, FlowBuilder("w").run("a").cleanup().run("b"));
  world.complete(world.claim_one());
  world.complete(world.claim_one());
  world.fail(split);
  world.work_off();
  ASSERT_EQ(world.run(run).status, model::RunStatus::failed);
  world.ask(model::RecoverRun{.run = run});
  split = world.claim_one();
  EXPECT_EQ(split.step, "split");
  EXPECT_EQ(world.run(run).counts.total, 3u);
  const auto again = added(world, split, FlowBuilder("w").run("a").cleanup().run("b"));
  EXPECT_FALSE(again.existing);
  world.complete(split);
  world.work_off();
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  EXPECT_EQ(world.run(run).counts.completed, 5u);
}

TEST(Additions, AreCleanedBeforeWhatTheyNeeded) {
  World world;
  FlowBuilder flow("w");
  flow.run("split").cleanup("clean split").run("join").needs({"split"}).cleanup("clean join");
  world.submit(flow.done());
  const auto split = world.claim_one();
  added(world, split, FlowBuilder("w").run("a").cleanup("clean a"));
  world.complete(split);
  world.complete(world.claim_one());  // split/a
  world.complete(world.claim_one());  // join
  std::vector<std::string> order;
  for (auto claimed = world.claim(1); !claimed.empty(); claimed = world.claim(1)) {
    order.push_back(claimed[0].step);
    world.complete(claimed[0]);
  }
  ASSERT_EQ(order.size(), 3u);
  EXPECT_EQ(order[0], "join") << "what followed is cleaned first";
}

TEST(Additions, ManySingleOnesStayCheap) {
  World world({.check_memory = false});
  const RunId run = world.submit(split_and_join().done());
  const auto split = world.claim_one();
  for (int i = 0; i < 2000; ++i) added(world, split, FlowBuilder("w").run("t" + std::to_string(i)));
  EXPECT_EQ(world.run(run).counts.total, 2003u);
  EXPECT_LT(world.largest_batch(), 1200u);
  world.complete(split);
  world.work_off();
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

// ---- Child runs

FlowBuilder parent_of(std::string child) {
  FlowBuilder flow("parent");
  flow.child("begin", std::move(child)).run("after").needs({"begin"});
  return flow;
}

TEST(Children, EndTheirTaskInTheSameCommit) {
  for (const std::uint32_t restart_every : {0u, 1u}) {
    // A cache that keeps nothing: results are loaded again before the run ends.
    World world({.cache_bytes = 1, .restart_every = restart_every});
    world.ask(model::ApplyWorkflow{FlowBuilder("inner").run("x").run("y").needs({"x"}).done(), {}, ""});
    const RunId run = world.submit(parent_of("inner").done());
    const RunId child = world.task(run, "begin").waiting->child;
    EXPECT_EQ(world.run(child).parent->task.run, run);
    world.complete(world.claim_one(), "1");
    EXPECT_EQ(world.status(run, "begin"), TaskStatus::running);
    world.complete(world.claim_one(), R"({"n":2})");
    EXPECT_EQ(world.run(child).status, model::RunStatus::completed);
    EXPECT_EQ(world.status(run, "begin"), TaskStatus::completed);
    EXPECT_EQ(world.result(run, "begin"), R"({"n":2})");
    world.complete(world.claim_one());
    EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  }
}

TEST(Children, AreCancelledInTheCommitThatCancelsTheirTask) {
  World world({.restart_every = 1});
  world.ask(model::ApplyWorkflow{FlowBuilder("inner").run("x").done(), {}, ""});
  const RunId run = world.submit(parent_of("inner").done());
  const RunId child = world.task(run, "begin").waiting->child;
  world.cancel(run);
  EXPECT_EQ(world.status(run, "begin"), TaskStatus::cancelled);
  EXPECT_TRUE(world.run(child).cancel_requested);
  world.settle();
  EXPECT_EQ(world.run(child).status, model::RunStatus::cancelled);
}

TEST(Children, ThatFailedAreDoneAgainAsOtherRuns) {
  World world({.restart_every = 1});
  world.ask(model::ApplyWorkflow{FlowBuilder("inner").run("x").done(), {}, ""});
  FlowBuilder flow("parent");
  flow.child("begin", "inner").attempts(2);
  const RunId run = world.submit(flow.done());
  const RunId first = world.task(run, "begin").waiting->child;
  world.fail(world.claim_one());
  EXPECT_EQ(world.status(run, "begin"), TaskStatus::retrying);
  world.advance(Duration::seconds(1));
  const RunId second = world.task(run, "begin").waiting->child;
  EXPECT_NE(first, second);
  world.fail(world.claim_one(), {.type = "exit", .message = "again"});
  EXPECT_EQ(world.status(run, "begin"), TaskStatus::failed);
  EXPECT_EQ(world.run(run).status, model::RunStatus::failed);
  EXPECT_EQ(world.task(run, "begin").error_type, "exit");
}

}  // namespace
}  // namespace baton::engine
