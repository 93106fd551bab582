#include "engine/turns.hpp"

#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using testing::FlowBuilder;
using testing::World;

std::shared_ptr<const model::Workflow> of(const std::string& tenant, int priority = -1) {
  FlowBuilder builder(tenant);
  builder.run("go").fair_key(tenant);
  if (priority >= 0) builder.priority(priority);
  return builder.done();
}

// The tenants of the next tasks, by their workflows' names.
std::string next(World& world, std::uint32_t count) {
  std::string tenants;
  for (const auto& task : world.claim(count)) {
    tenants += world.run(task.task.run).workflow;
    world.complete(task);
  }
  return tenants;
}

TEST(Turns, TenantsTakeTurns) {
  World world;
  for (int i = 0; i < 4; ++i) world.submit(of("a"));
  for (int i = 0; i < 2; ++i) world.submit(of("b"));
  world.submit(of("c"));
  EXPECT_EQ(next(world, 7), "abcabaa");
}

TEST(Turns, AQuietTenantStandsOneTaskOfEachOtherBehindTheFront) {
  World world;
  for (int i = 0; i < 300; ++i) {
    world.submit(of("a"));
    world.submit(of("b"));
  }
  next(world, 100);
  world.submit(of("q"));
  const std::string soon = next(world, 3);
  EXPECT_NE(soon.find('q'), std::string::npos) << soon;
}

TEST(Turns, AKeyThatWasAwaySavesNothingUp) {
  World world;
  for (int i = 0; i < 50; ++i) world.submit(of("a"));
  next(world, 40);
  for (int i = 0; i < 5; ++i) world.submit(of("b"));
  const std::string soon = next(world, 6);
  EXPECT_EQ(std::ranges::count(soon, 'b'), 3) << soon;
}

TEST(Turns, PriorityComesFirst) {
  World world;
  for (int i = 0; i < 3; ++i) world.submit(of("a", 5));
  for (int i = 0; i < 2; ++i) world.submit(of("b", 9));
  EXPECT_EQ(next(world, 5), "bbaaa");
}

TEST(Turns, OutliveTheOwner) {
  World world;
  for (int i = 0; i < 6; ++i) world.submit(of("a"));
  for (int i = 0; i < 3; ++i) world.submit(of("b"));
  EXPECT_EQ(next(world, 3), "aba");
  world.restart();
  EXPECT_EQ(next(world, 2), "ba");
  world.submit(of("c"));
  world.restart();
  EXPECT_EQ(next(world, 3), "bca");
}

TEST(Turns, AWeightGivesAKeyThatManyTurnsForOneOfTheOthers) {
  World world;
  world.ask(model::SetQueue{.name = "default", .weights = {{"a", 3}}});
  for (int i = 0; i < 40; ++i) {
    world.submit(of("a"));
    world.submit(of("b"));
  }
  EXPECT_EQ(std::ranges::count(next(world, 16), 'a'), 12);
  world.restart();
  EXPECT_EQ(std::ranges::count(next(world, 16), 'a'), 12);
}

TEST(Turns, KeysThatAreDoneAreForgotten) {
  Queue queue;
  for (int i = 0; i < 10'000; ++i) {
    note_turn(queue, 5, take_turn(queue, 5, "tenant-" + std::to_string(i)) + kTurn);
  }
  EXPECT_LE(queue.turns.at(5).next.size(), 128U);
}

}  // namespace
}  // namespace baton::engine
