#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::BlockerKind;
using testing::FlowBuilder;
using testing::World;

model::Explanation explain(World& world, const RunId& run, std::optional<Ordinal> task = std::nullopt) {
  const std::size_t batches = world.batches();
  auto reply = world.ask(model::Explain{run, task});
  EXPECT_EQ(world.batches(), batches) << "a question changed something";
  auto* answer = std::get_if<model::Explanation>(&reply);
  EXPECT_NE(answer, nullptr);
  EXPECT_TRUE(answer != nullptr && !answer->reasons.empty()) << "nothing may be stuck without a reason";
  return answer != nullptr ? std::move(*answer) : model::Explanation();
}
std::string code(World& world, const RunId& run, Ordinal task) {
  return explain(world, run, task).reasons.at(0).code;
}

TEST(Explain, NamesTheStepsThatATaskWaitsFor) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("b").needs({"a"}).run("z").finally().done());
  EXPECT_EQ(explain(world, run, 1).reasons[0].tasks, std::vector<Ordinal>{0});
  EXPECT_EQ(code(world, run, 1), "needs");
  EXPECT_EQ(code(world, run, 2), "finally");
}

TEST(Explain, NamesWhoPausedAndUntilWhen) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const WallTime until = world.wall() + Duration::hours(1);
  world.ask(model::PauseCommand{{BlockerKind::queue_paused, {}, "default"}, "repairs", until}, "cli:ada");
  const auto answer = explain(world, run);
  EXPECT_EQ(answer.reasons[0].code, "queue_paused");
  EXPECT_EQ(answer.reasons[0].until, until);
  EXPECT_EQ(answer.reasons[0].message, "queue default was paused by cli:ada: repairs");
  world.ask(model::PauseCommand{{BlockerKind::run_paused, run, ""}, "", {}}, "cli:bob");
  EXPECT_EQ(code(world, run, 0), "run_paused");
  EXPECT_EQ(explain(world, run).status, "paused");
}

TEST(Explain, TellsNoWorkerFromBusyOnes) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("b").done());
  EXPECT_EQ(code(world, run, 0), "no_worker");
  world.ask(model::ClaimTasks{.worker = "w", .max = 0});  // it is there, but cannot take any
  EXPECT_EQ(explain(world, run, 0).reasons[0].message,
            "the worker of queue default does not ask for tasks; its own messages say why");
  world.claim_one();
  EXPECT_EQ(code(world, run, 0), "running");
  EXPECT_EQ(explain(world, run, 1).reasons[0].message, "the worker of queue default is busy");
  EXPECT_EQ(code(world, run, 1), "workers_busy");
  world.ask(model::PauseCommand{{BlockerKind::worker_paused, {}, "w"}, "", {}});
  EXPECT_EQ(code(world, run, 1), "worker_paused");
  world.ask(model::PauseCommand{{BlockerKind::worker_draining, {}, "w"}, "", {}});
  EXPECT_EQ(code(world, run, 1), "worker_draining");
}

TEST(Explain, SaysWhenATaskIsTriedAgain) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").attempts(2).done());
  world.fail(world.claim_one());
  const auto reason = explain(world, run, 0).reasons[0];
  EXPECT_EQ(reason.code, "retry_delay");
  EXPECT_EQ(reason.until, world.wall() + Duration::seconds(1));
}

TEST(Explain, OfLimitsAndItems) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("m").for_each({1, 2, 3}, 1).done());
  EXPECT_EQ(code(world, run, 0), "items");
  EXPECT_EQ(code(world, run, 2), "max_parallel");
  const RunId narrow = world.submit(FlowBuilder("w").run("a").run("b").max_parallel(1).done());
  EXPECT_EQ(code(world, narrow, 1), "max_parallel");
}

TEST(Explain, OfWhatHasEnded) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("b").needs({"a"}).done());
  world.fail(world.claim_one());
  EXPECT_EQ(explain(world, run).reasons[0].code, "ended");
  EXPECT_EQ(explain(world, run, 1).reasons[0].message, "it is skipped (upstream_failed)");
}

TEST(Survey, ShowsQueuesAndWorkers) {
  World world;
  world.submit(FlowBuilder("w").run("a").run("b").queue("gpu").priority(7).done());
  world.claim_one();
  const auto reply = world.ask(model::AskSurvey{});
  const auto& survey = std::get<model::Survey>(reply);
  ASSERT_EQ(survey.queues.size(), 2u);
  EXPECT_EQ(survey.queues[0].running, 1u);
  EXPECT_EQ(survey.queues[1].queued, 1u);
  EXPECT_EQ(survey.queues[1].workers, 0u);
  EXPECT_EQ(survey.queues[1].most_urgent, 7);
  ASSERT_EQ(survey.workers.size(), 1u);
  EXPECT_EQ(survey.workers[0].attempts, 1u);
}

}  // namespace
}  // namespace baton::engine
