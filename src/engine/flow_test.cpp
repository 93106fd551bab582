#include "engine/flow.hpp"

#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::RunStatus;
using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;

TEST(Flow, AChainRunsInOrder) {
  World world;
  const RunId run = world.submit(FlowBuilder("chain").run("a").run("b").needs({"a"}).done());
  EXPECT_EQ(world.run(run).status, RunStatus::pending);
  const auto a = world.claim_one();
  EXPECT_EQ(a.step, "a");
  EXPECT_EQ(world.run(run).status, RunStatus::running);
  EXPECT_TRUE(world.claim().empty());
  EXPECT_EQ(world.complete(a, "1"), TaskStatus::completed);
  const auto b = world.claim_one();
  EXPECT_EQ(b.step, "b");
  world.complete(b, "2");
  EXPECT_EQ(world.run(run).status, RunStatus::completed);
  EXPECT_EQ(world.run(run).progress, 100u);
  EXPECT_EQ(world.result(run, "b"), "2");
  EXPECT_EQ(world.story(run),
            (std::vector<std::string>{"run.submitted", "task.queued a", "run.started", "attempt.started a 1",
                                      "attempt.ended a completed", "task.ended a completed", "task.queued b",
                                      "attempt.started b 1", "attempt.ended b completed",
                                      "task.ended b completed", "run.ended completed"}));
}

}  // namespace
}  // namespace baton::engine
