#include "simulate/world.hpp"

#include <gtest/gtest.h>

#include "spec/parse.hpp"

namespace baton::simulate {
namespace {

std::shared_ptr<const model::Workflow> two_steps() {
  return spec::parse_workflow("name: two\nsteps:\n  a: {run: x, timeout: 1h}\n  b: {needs: [a], run: x}\n")
      .workflow;
}

struct Story {
  explicit Story(WorldOptions options = {}) : world(std::move(options)) {}

  void submit() {
    world.send(model::SubmitRun{.workflow = two_steps()}, "test", [this](model::ReplyBody reply) {
      if (const auto* submitted = std::get_if<model::Submitted>(&reply)) run = submitted->run;
    });
    world.settle();
  }
  model::RunStatus status() { return (**world.reader().get_run(run)).row.status; }
  model::TaskRow task(Ordinal ordinal) { return (**world.reader().get_task({run.key(), ordinal})).row; }
  void play(Duration until = Duration::hours(100)) {
    while (!model::is_terminal(status()) && world.step(until)) {
    }
  }

  World world;
  RunId run;
};

Behave takes(Duration duration) {
  return [duration](const model::Assignment&) { return Behaviour{.takes = duration}; };
}

TEST(World, TimeJumpsFromOneThingToTheNext) {
  World world;
  std::vector<int> order;
  world.at(Duration::hours(2), [&] { order.push_back(3); });
  world.at(Duration::hours(1), [&] {
    order.push_back(1);
    world.after(Duration{}, [&] { order.push_back(2); });
  });
  while (world.step(Duration::hours(3))) {
  }
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
  EXPECT_EQ(world.now(), Duration::hours(3));
}

TEST(World, WorkersPlayARunToItsEnd) {
  Story story;
  story.world.add_worker({}, takes(Duration::minutes(10)));
  story.submit();
  story.play();
  EXPECT_EQ(story.status(), model::RunStatus::completed);
  EXPECT_EQ(story.world.now(), Duration::minutes(20));
}

TEST(World, AnOwnerThatDiesTakesItsOwnWorkersAlong) {
  Story story;
  story.world.add_worker({}, takes(Duration::minutes(10)));
  story.submit();
  story.world.at(Duration::minutes(5), [&] { story.world.kill_owner(); });
  story.world.at(Duration::minutes(7), [&] { story.world.start_owner(); });
  story.play();
  EXPECT_EQ(story.world.owners(), 2u);
  EXPECT_EQ(story.task(0).interrupted, 1u);
  EXPECT_EQ(story.world.now(), Duration::minutes(27));
}

TEST(World, RemoteWorkersOutliveIt) {
  Story story;
  story.world.add_worker({.name = "w", .in_process = false}, takes(Duration::minutes(10)));
  story.submit();
  story.world.at(Duration::minutes(5), [&] { story.world.kill_owner(); });
  story.world.at(Duration::minutes(7), [&] { story.world.start_owner(); });
  story.play();
  EXPECT_EQ(story.task(0).interrupted + story.task(0).lost, 0u);
  EXPECT_EQ(story.world.now(), Duration::minutes(20));
}

TEST(World, WithoutAnOwnerNothingIsAnswered) {
  Story story;
  story.world.kill_owner();
  bool unavailable = false;
  story.world.send(model::SubmitRun{.workflow = two_steps()}, "test", [&](const model::ReplyBody& reply) {
    unavailable = std::get<Error>(reply).code == ErrorCode::unavailable;
  });
  EXPECT_TRUE(unavailable);
}

TEST(World, OwnersThatComeAndGoChangeNothing) {
  std::vector<std::pair<Duration, model::FactKind>> first;
  for (const std::uint32_t every : {0u, 1u, 2u, 3u}) {
    Story story({.restart_every = every});
    story.world.add_worker({.name = "w", .in_process = false}, takes(Duration::minutes(10)));
    story.submit();
    story.play();
    std::vector<std::pair<Duration, model::FactKind>> events;
    for (const auto& event : story.world.events()) events.emplace_back(Duration{}, event.fact.kind);
    if (every == 0) first = events;
    EXPECT_EQ(events, first) << every;
    EXPECT_EQ(story.world.owners() > 1, every > 0);
  }
}

}  // namespace
}  // namespace baton::simulate
