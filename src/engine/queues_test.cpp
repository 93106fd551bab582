#include "engine/queues.hpp"

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

constexpr std::uint32_t kMany = 1000;

void bound(World& world, std::uint32_t most, std::string queue = "default") {
  const auto reply = world.ask(model::SetQueue{.name = std::move(queue), .max_waiting = most}, "cli:ada");
  EXPECT_TRUE(std::holds_alternative<model::Done>(reply));
}

void route(World& world, std::string pattern, std::optional<std::string> queue) {
  const auto reply = world.ask(model::SetRoute{std::move(pattern), std::move(queue), ""}, "cli:ada");
  EXPECT_TRUE(std::holds_alternative<model::Done>(reply));
}

std::shared_ptr<const model::Workflow> one() {
  return FlowBuilder("one").run("go").done();
}

model::ReplyBody try_submit(World& world, std::shared_ptr<const model::Workflow> workflow) {
  return world.ask(model::SubmitRun{.workflow = std::move(workflow)});
}

std::string code_of(World& world, const RunId& run, Ordinal task) {
  const auto reply = world.ask(model::Explain{run, task});
  return std::get<model::Explanation>(reply).reasons.at(0).code;
}

std::uint32_t waiting(const World& world, const std::string& queue = "default") {
  return world.state().queues.at(queue).waiting;
}

TEST(FullQueue, RefusesSubmissionsUntilThereIsRoom) {
  World world;
  bound(world, 2);
  world.submit(one());
  world.submit(one());
  const Error refused = error_of(try_submit(world, one()));
  EXPECT_EQ(refused.code, ErrorCode::overloaded);
  EXPECT_NE(refused.message.find("queue default"), std::string::npos);
  EXPECT_NE(refused.message.find("step go"), std::string::npos);
  EXPECT_EQ(refused.where, "default");
  world.claim();
  EXPECT_TRUE(std::holds_alternative<model::Submitted>(try_submit(world, one())));
  EXPECT_EQ(error_of(try_submit(world, one())).code, ErrorCode::overloaded);
}

TEST(FullQueue, SubmissionsOfOneBatchCountEachOther) {
  World world;
  bound(world, 3);
  std::vector<model::ReplyTo> asked;
  for (int i = 0; i < 10; ++i) asked.push_back(world.send(model::SubmitRun{.workflow = one()}));
  world.settle();
  int taken = 0;
  for (const model::ReplyTo to : asked) {
    const auto reply = world.take(to);
    ASSERT_TRUE(reply);
    if (std::holds_alternative<model::Submitted>(*reply)) {
      ++taken;
    } else {
      EXPECT_EQ(error_of(*reply).code, ErrorCode::overloaded);
      EXPECT_NE(error_of(*reply).message.find("3 tasks wait there"), std::string::npos);
    }
  }
  EXPECT_EQ(taken, 3);
  EXPECT_EQ(waiting(world), 3U);
}

TEST(FullQueue, RefusesNothingThatWouldNotWaitThere) {
  World world;
  bound(world, 1);
  world.submit(one());
  world.submit(FlowBuilder("other").run("go").queue("other").done());
  world.submit(FlowBuilder("late").run("first").queue("other").run("go").needs({"first"}).done());
  EXPECT_EQ(error_of(try_submit(world, one())).code, ErrorCode::overloaded);
}

TEST(FullQueue, ARepeatedSubmissionGetsItsRun) {
  World world;
  bound(world, 1);
  model::SubmitRun command{.workflow = one(), .idempotency_key = "k"};
  const auto first = std::get<model::Submitted>(world.ask(command));
  const auto again = std::get<model::Submitted>(world.ask(command));
  EXPECT_EQ(again.run, first.run);
  EXPECT_TRUE(again.existing);
  // What can be no run any more is asked for by its key only.
  command.workflow = nullptr;
  EXPECT_EQ(std::get<model::Submitted>(world.ask(command)).run, first.run);
  command.idempotency_key = "new";
  EXPECT_EQ(error_of(world.ask(command)).code, ErrorCode::not_found);
}

TEST(FullQueue, TasksOfARunWaitAsPending) {
  World world;
  bound(world, 1);
  const RunId run =
      world.submit(FlowBuilder("w").run("first").run("a").needs({"first"}).run("b").needs({"first"}).done());
  world.complete(world.claim_one());
  EXPECT_EQ(world.status(run, "a"), TaskStatus::queued);
  EXPECT_EQ(world.status(run, "b"), TaskStatus::pending);
  EXPECT_EQ(code_of(world, run, 2), "queue_full");
  EXPECT_EQ(waiting(world), 1U);
  const auto a = world.claim_one();
  EXPECT_EQ(world.status(run, "b"), TaskStatus::queued);
  world.complete(a);
  world.complete(world.claim_one());
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

TEST(FullQueue, IsLeftInOrder) {
  World world;
  FlowBuilder flow("w");
  flow.run("first");
  for (int i = 0; i < 5; ++i) flow.run("s" + std::to_string(i)).needs({"first"}).priority(i == 3 ? 9 : 5);
  const RunId run = world.submit(flow.done());
  bound(world, 1);
  world.complete(world.claim_one());
  std::string order;
  while (true) {
    const auto next = world.claim();
    if (next.empty()) break;
    order += next[0].step + " ";
    world.complete(next[0]);
    if (order.size() == 3) world.restart();
  }
  EXPECT_EQ(order, "s0 s3 s1 s2 s4 ");
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

// What waits outside of the queue takes turns as what waits inside does.
TEST(FullQueue, KeepsTurnsFair) {
  World world;
  bound(world, 2);
  const auto tenant = [](const std::string& name) {
    FlowBuilder flow(name);
    flow.run("first").queue("open");
    for (int i = 0; i < 20; ++i) flow.run("s" + std::to_string(i)).needs({"first"}).fair_key(name);
    return flow.done();
  };
  for (const char* name : {"busy", "quiet"}) {
    world.submit(tenant(name));
    world.complete(world.claim_one("w", {"open"}));
  }
  std::string order;
  for (int i = 0; i < 10; ++i) {
    const auto next = world.claim_one();
    order += world.run(next.task.run).workflow[0];
    world.complete(next);
  }
  EXPECT_GE(std::ranges::count(order, 'q'), 4) << order;
}

TEST(FullQueue, WhatComesBackToItIsLetIn) {
  World world;
  bound(world, 1);
  const RunId first = world.submit(FlowBuilder("r").run("go").attempts(2).done());
  const auto attempt = world.claim_one();
  world.submit(one());
  world.fail(attempt);
  world.advance(Duration::seconds(2));
  EXPECT_EQ(world.status(first, "go"), TaskStatus::queued);
  EXPECT_EQ(waiting(world), 2U);
}

TEST(FullQueue, ALargerBoundLetsThemIn) {
  for (const std::uint32_t most : {0U, 3U, 5000U}) {
    WorldOptions options;
    options.settings.item_window = 100;
    World world(options);
    bound(world, 1);
    boost::json::array list(250);
    const RunId run = world.submit(
        FlowBuilder("w").run("first").queue("open").run("each").needs({"first"}).for_each(list).done());
    world.complete(world.claim_one("w", {"open"}));
    EXPECT_EQ(waiting(world), 1U);
    bound(world, most);
    // No more than the window of a mapped step are made ready.
    EXPECT_EQ(waiting(world), most == 3U ? 3U : 100U);
    world.work_off();
    EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  }
}

// Those for which the queue has no room take no place under the run's max_parallel.
TEST(FullQueue, TakesNoPlacesOfItsRuns) {
  World world;
  bound(world, 1, "small");
  FlowBuilder flow("w");
  flow.max_parallel(2);
  for (int i = 0; i < 150; ++i) flow.run("s" + std::to_string(i)).queue("open");
  for (int i = 0; i < 3; ++i) flow.run("t" + std::to_string(i)).queue("small");
  for (int i = 0; i < 3; ++i) flow.run("u" + std::to_string(i)).queue("open");
  const RunId run = world.submit(flow.done());
  world.submit(FlowBuilder("x").run("go").queue("small").done());
  world.work_off("null", {"open"});
  EXPECT_EQ(world.status(run, "u2"), TaskStatus::completed);
  EXPECT_EQ(world.status(run, "t0"), TaskStatus::pending);
  world.work_off("null", {"small"});
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

TEST(FullQueue, WhoStandsBeforeItCanBeCancelled) {
  World world;
  bound(world, 1);
  const RunId run = world.submit(
      FlowBuilder("w").run("first").queue("open").run("a").needs({"first"}).run("b").needs({"first"}).done());
  world.complete(world.claim_one("w", {"open"}));
  EXPECT_EQ(world.status(run, "b"), TaskStatus::pending);
  world.cancel(run);
  EXPECT_EQ(world.run(run).status, model::RunStatus::cancelled);
  EXPECT_EQ(waiting(world), 0U);
  EXPECT_TRUE(world.state().blocked.empty());
}

TEST(FullQueue, CleanupsAreNeverKeptOut) {
  World world;
  bound(world, 1);
  const RunId run = world.submit(FlowBuilder("w").run("go").cleanup().done());
  const auto attempt = world.claim_one();
  world.submit(one());
  world.complete(attempt);
  EXPECT_EQ(waiting(world), 2U);
  world.work_off();
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

TEST(Routes, SendStepsThatNameNoQueue) {
  World world;
  route(world, "images.*", "gpu");
  route(world, "images.small", "cpu");
  const RunId run = world.submit(FlowBuilder("w")
                                     .run("images.resize")
                                     .run("images.small")
                                     .run("images.here")
                                     .queue("default")
                                     .run("other")
                                     .done());
  EXPECT_EQ(world.claim_one("w", {"gpu"}).step, "images.resize");
  EXPECT_EQ(world.claim_one("w", {"cpu"}).step, "images.small");
  EXPECT_EQ(world.claim(kMany).size(), 2U);
  EXPECT_EQ(world.task(run, "images.resize").flow->queue, "gpu");
}

TEST(Routes, CanNameTheWorkflow) {
  World world;
  route(world, "nightly/*", "slow");
  world.submit(FlowBuilder("nightly").run("load").done());
  world.submit(FlowBuilder("daily").run("load").done());
  EXPECT_EQ(world.claim(kMany, "w", {"slow"}).size(), 1U);
  EXPECT_EQ(world.claim(kMany).size(), 1U);
}

TEST(Routes, AreAskedOnceWhenATaskBecomesReady) {
  World world;
  route(world, "go", "a");
  const RunId run = world.submit(FlowBuilder("w").run("go").attempts(2).done());
  route(world, "go", "b");
  world.restart();
  world.fail(world.claim_one("w", {"a"}));
  world.advance(Duration::seconds(2));
  EXPECT_TRUE(world.claim(kMany, "w", {"b"}).empty());
  world.complete(world.claim_one("w", {"a"}));
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  route(world, "go", std::nullopt);
  world.submit(FlowBuilder("w").run("go").done());
  EXPECT_EQ(world.claim(kMany).size(), 1U);
}

// It runs where the task ran: what it cleans up may be there.
TEST(Routes, ACleanupFollowsItsTask) {
  World world;
  route(world, "go", "a");
  const RunId run = world.submit(FlowBuilder("w").run("go").cleanup().done());
  world.complete(world.claim_one("w", {"a"}));
  route(world, "go", std::nullopt);
  world.complete(world.claim_one("w", {"a"}));
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

TEST(Routes, ASubmissionIsHeldAgainstTheQueueItIsSentTo) {
  World world;
  route(world, "go", "a");
  bound(world, 1, "a");
  world.submit(one());
  EXPECT_EQ(error_of(try_submit(world, one())).where, "a");
}

TEST(QueueSettings, ChangeOnlyWhatIsNamed) {
  World world;
  world.ask(model::SetQueue{.name = "q", .max_waiting = 5, .weights = {{"a", 2}, {"b", 3}}}, "cli:ada");
  world.ask(model::SetQueue{.name = "q", .weights = {{"b", 0}, {"c", 4}}, .reason = "why"}, "cli:bob");
  world.restart();
  const auto reply = world.ask(model::AskSurvey{});
  const model::QueueRow& set = std::get<model::Survey>(reply).queues.at(0).set;
  EXPECT_EQ(set.max_waiting, 5U);
  EXPECT_EQ(set.weights, (std::map<std::string, std::uint32_t>{{"a", 2}, {"c", 4}}));
  EXPECT_EQ(set.by, "cli:bob");
  EXPECT_EQ(set.why, "why");
  world.ask(model::SetQueue{.name = "q", .max_waiting = 0, .weights = {{"a", 0}, {"c", 0}}});
  EXPECT_TRUE(world.state().queue_settings.empty());
  world.restart();
  EXPECT_TRUE(world.state().queue_settings.empty());
}

TEST(QueueSettings, WhatCannotBeIsRefused) {
  World world;
  const auto refused = [&](model::CommandBody body) { return error_of(world.ask(std::move(body))).code; };
  EXPECT_EQ(refused(model::SetQueue{.name = "no name"}), ErrorCode::invalid_request);
  EXPECT_EQ(refused(model::SetQueue{.name = "q", .max_waiting = model::kMostWaiting + 1}),
            ErrorCode::invalid_request);
  EXPECT_EQ(refused(model::SetQueue{.name = "q", .weights = {{"a", model::kMostWeight + 1}}}),
            ErrorCode::invalid_request);
  EXPECT_EQ(refused(model::SetQueue{.name = "q", .weights = {{std::string(257, 'a'), 1}}}),
            ErrorCode::invalid_request);
  model::SetQueue many{.name = "q"};
  for (std::size_t i = 0; i <= model::kMaxWeights; ++i) many.weights["k" + std::to_string(i)] = 2;
  EXPECT_EQ(refused(many), ErrorCode::too_large);
  for (const char* pattern : {"", "a b", "a/b/c", "ä"}) {
    EXPECT_EQ(refused(model::SetRoute{pattern, "q", ""}), ErrorCode::invalid_request) << pattern;
  }
  EXPECT_EQ(refused(model::SetRoute{"a", "no name", ""}), ErrorCode::invalid_request);
  EXPECT_EQ(refused(model::SetRoute{"a", std::nullopt, ""}), ErrorCode::not_found);
  for (std::size_t i = 0; i < model::kMaxRoutes; ++i) route(world, "s" + std::to_string(i), "q");
  route(world, "s0", "other");
  EXPECT_EQ(refused(model::SetRoute{"one-more", "q", ""}), ErrorCode::too_large);
}

}  // namespace
}  // namespace baton::engine
