// Big graphs: done bit by bit in bounded batches, without recursion, with bounded memory per task.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::RunStatus;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

constexpr std::size_t kMostRows = 1100;

TEST(Continue, AChainOf100000ComputedSteps) {
  World world({.check_memory = false});
  FlowBuilder flow("chain");
  for (Ordinal i = 0; i < 100'000; ++i) {
    flow.set("s" + std::to_string(i), 1);
    if (i > 0) flow.needs(std::vector<Ordinal>{i - 1});
  }
  const RunId run = world.submit(flow.done());
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.run(run).counts.completed, 100'000u);
  EXPECT_LE(world.largest_batch(), kMostRows);
  EXPECT_TRUE(world.state().runs.empty());
}

TEST(Continue, AChainWhoseFirstStepFailsIsSkippedToItsEnd) {
  World world({.check_memory = false});
  FlowBuilder flow("chain");
  flow.run("first");
  for (Ordinal i = 1; i < 50'000; ++i) flow.run("s" + std::to_string(i)).needs(std::vector<Ordinal>{i - 1});
  const RunId run = world.submit(flow.done());
  world.fail(world.claim_one());
  EXPECT_EQ(world.run(run).status, RunStatus::failed);
  EXPECT_EQ(world.run(run).counts.skipped, 49'999u);
  EXPECT_LE(world.largest_batch(), kMostRows);
}

TEST(Continue, LayersThatAllNeedEachOther) {
  // 60 layers of 60 steps, each needs all of the layer before: 212,400 edges.
  World world({.check_memory = false});
  FlowBuilder flow("layers");
  std::vector<Ordinal> before;
  for (Ordinal layer = 0; layer < 60; ++layer) {
    std::vector<Ordinal> now;
    for (Ordinal i = 0; i < 60; ++i) {
      now.push_back(layer * 60 + i);
      flow.run("s" + std::to_string(now.back())).needs(before);
    }
    before = std::move(now);
  }
  const RunId run = world.submit(flow.done());
  for (int layer = 0; layer < 60; ++layer) {
    const auto tasks = world.claim(100);
    ASSERT_EQ(tasks.size(), 60u) << "layer " << layer;
    for (const auto& task : tasks)
      world.send(model::ReportAttempt{task.token, task.task, testing::completed()});
    world.settle();
  }
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_LE(world.largest_batch(), kMostRows);
}

TEST(Continue, AMapOf100000Items) {
  World world({.check_memory = false});
  boost::json::array list;
  for (int i = 0; i < 100'000; ++i) list.emplace_back(i);
  const RunId run =
      world.submit(FlowBuilder("map")
                       .set("m", boost::json::object{{"v", "${{ item }}"}})
                       .for_each(std::move(list))
                       .set("last", boost::json::object{{"v", "${{ steps.m.result[99999].v }}"}})
                       .needs({"m"})
                       .done());
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.result(run, "last"), R"({"v":99999})");
  EXPECT_LE(world.largest_batch(), kMostRows);
}

TEST(Continue, AWideMapKeepsAWindowOfItemsQueued) {
  World world({.check_memory = false});
  boost::json::array list(20'000, 0);
  const RunId run = world.submit(FlowBuilder("map").run("m").for_each(std::move(list)).done());
  std::size_t most_queued = 0;
  for (auto tasks = world.claim(500); !tasks.empty(); tasks = world.claim(500)) {
    most_queued = std::max<std::size_t>(most_queued, world.state().find(run.key())->tasks[0].items_waiting);
    for (const auto& task : tasks)
      world.send(model::ReportAttempt{task.token, task.task, testing::completed()});
    world.settle();
  }
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_LE(most_queued, 1000u);
  EXPECT_LE(world.largest_batch(), kMostRows);
}

TEST(Continue, CancelOfAMapOf100000Items) {
  World world({.check_memory = false});
  boost::json::array list(100'000, 0);
  const RunId run = world.submit(FlowBuilder("map").run("m").for_each(std::move(list)).done());
  world.cancel(run);
  EXPECT_EQ(world.run(run).status, RunStatus::cancelled);
  EXPECT_EQ(world.run(run).counts.cancelled, 100'000u);
  EXPECT_LE(world.largest_batch(), kMostRows);
}

TEST(Continue, ARestartInTheMiddleGoesOn) {
  WorldOptions options;
  options.check_memory = false;
  options.restart_every = 3;
  World world(options);
  boost::json::array list(20'000, 0);
  const RunId run =
      world.submit(FlowBuilder("map").set("m", "${{ index }}").for_each(std::move(list)).done());
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.run(run).counts.completed, 20'000u);
}

TEST(Continue, ATaskTakesABoundedPieceOfMemory) {
  EXPECT_LE(sizeof(Task), 512u) << "a million queued tasks fit into half a GiB";
}

}  // namespace
}  // namespace baton::engine
