#include "engine/resources.hpp"

#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::TaskRole;
using model::TaskStatus;
using testing::FlowBuilder;
using testing::World;

model::ReplyBody add(World& world, const model::Assignment& task, std::string name,
                     std::string command = "undo") {
  return world.ask(model::RegisterResource{
      task.token, task.task, std::move(name), {"sh", "-c", std::move(command)}, "/w"});
}

bool registered(const model::ReplyBody& reply) {
  const auto* answer = std::get_if<model::ResourceRegistered>(&reply);
  EXPECT_NE(answer, nullptr);
  return answer != nullptr && !answer->existing;
}

std::vector<std::string> ledger(const World& world) {
  std::vector<std::string> lines;
  for (const auto& [key, record] : world.disk().records()) {
    if (key.kind != model::RecordKind::resource) continue;
    lines.push_back(key.key.substr(key.key.find('.') + 1) + " " + record.group);
  }
  return lines;
}

// Hands out what gives a resource back and says which.
std::string claim_cleaning(World& world, model::Assignment& task) {
  task = world.claim_one();
  const std::size_t at = task.spec.find("BATON_RESOURCE\":\"");
  EXPECT_NE(at, std::string::npos) << task.spec;
  if (at == std::string::npos) return "";
  return task.spec.substr(at + 17, task.spec.find('"', at + 17) - at - 17);
}

TEST(Resources, AreGivenBackAtTheEndLastRegisteredFirst) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").env({{"KEY", "value"}}).queue("default").done());
  const auto a = world.claim_one();
  EXPECT_TRUE(registered(add(world, a, "net", "rm net")));
  EXPECT_TRUE(registered(add(world, a, "vm")));
  EXPECT_EQ(ledger(world), (std::vector<std::string>{"0:net open", "0:vm open"}));
  world.complete(a);
  EXPECT_EQ(world.run(run).status, model::RunStatus::running);
  model::Assignment task;
  EXPECT_EQ(claim_cleaning(world, task), "vm");
  EXPECT_TRUE(world.claim(9).empty()) << "one after the other";
  EXPECT_EQ(ledger(world), (std::vector<std::string>{"0:net open", "0:vm cleaning"}));
  world.complete(task);
  EXPECT_EQ(claim_cleaning(world, task), "net");
  EXPECT_NE(task.spec.find(R"("argv":["sh","-c","rm net"])"), std::string::npos) << task.spec;
  EXPECT_NE(task.spec.find(R"("KEY":"value")"), std::string::npos) << "in its task's environment";
  EXPECT_NE(task.spec.find(R"("workdir":"/w")"), std::string::npos) << task.spec;
  world.complete(task);
  EXPECT_TRUE(ledger(world).empty());
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

TEST(Resources, ReleasedOnesAreNotGivenBack) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto a = world.claim_one();
  add(world, a, "vm");
  add(world, a, "disk");
  auto reply = world.ask(model::ReleaseResource{a.token, a.task, "wm"});
  EXPECT_FALSE(std::get<model::ResourceReleased>(reply).existed);
  EXPECT_EQ(std::get<model::ResourceReleased>(reply).open, (std::vector<std::string>{"disk", "vm"}));
  for (const char* name : {"vm", "disk"}) {
    reply = world.ask(model::ReleaseResource{a.token, a.task, name});
    EXPECT_TRUE(std::get<model::ResourceReleased>(reply).existed);
  }
  world.complete(a);
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  EXPECT_TRUE(ledger(world).empty());
}

TEST(Resources, OnlyTheAttemptThatHoldsTheTaskMaySpeak) {
  World world;
  world.submit(FlowBuilder("w").run("a").run("b").done());
  const auto tasks = world.claim(2);
  model::Assignment other = tasks[0];
  other.task = tasks[1].task;
  EXPECT_EQ(testing::error_of(add(world, other, "x")).code, ErrorCode::stale_token) << "its own task only";
  world.complete(tasks[0]);
  EXPECT_EQ(testing::error_of(add(world, tasks[0], "x")).code, ErrorCode::stale_token) << "it has ended";
  EXPECT_EQ(testing::error_of(world.ask(model::ReleaseResource{tasks[0].token, tasks[0].task, "x"})).code,
            ErrorCode::stale_token);
  EXPECT_TRUE(ledger(world).empty());
}

TEST(Resources, TheSameNameAgain) {
  World world;
  world.submit(FlowBuilder("w").run("a").attempts(2).done());
  auto a = world.claim_one();
  EXPECT_TRUE(registered(add(world, a, "vm")));
  EXPECT_FALSE(registered(add(world, a, "vm"))) << "a repeated request";
  EXPECT_EQ(testing::error_of(add(world, a, "vm", "other")).code, ErrorCode::conflict) << "never lost";
  world.fail(a);
  world.advance(Duration::seconds(1));
  a = world.claim_one();
  EXPECT_FALSE(registered(add(world, a, "vm"))) << "the next attempt goes on with it";
  EXPECT_EQ(ledger(world), std::vector<std::string>{"0:vm open"});
}

TEST(Resources, BadRequestsAreRefused) {
  World world;
  world.submit(FlowBuilder("w").run("a").done());
  const auto a = world.claim_one();
  for (const char* name : {"", "a b", "(cleanup)", "-x", "x:y", "x/y"}) {
    EXPECT_EQ(testing::error_of(add(world, a, name)).code, ErrorCode::invalid_request) << name;
  }
  EXPECT_EQ(testing::error_of(world.ask(model::RegisterResource{a.token, a.task, "x", {}, ""})).code,
            ErrorCode::invalid_request);
  EXPECT_EQ(testing::error_of(add(world, a, "x", std::string(model::kResourceBody, 'x'))).code,
            ErrorCode::too_large);
  for (std::size_t i = 0; i < model::kResourcesPerTask; ++i) add(world, a, "r" + std::to_string(i));
  EXPECT_EQ(testing::error_of(add(world, a, "one-more")).code, ErrorCode::too_large);
}

TEST(Resources, OfALostAttemptAreGivenBackBeforeTheNextOne) {
  for (const bool restarted : {false, true}) {
    World world;
    const RunId run = world.submit(FlowBuilder("w").run("a", "work").done());
    const auto a = world.claim_one();
    add(world, a, "net");
    add(world, a, "vm");
    world.ask(model::LoseWorker{"w"});
    EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying);
    model::Assignment task;
    EXPECT_EQ(claim_cleaning(world, task), "vm");
    if (restarted) world.restart();
    world.complete(task);
    EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying);
    EXPECT_EQ(claim_cleaning(world, task), "net");
    for (int i = 0; i < 2; ++i) {
      world.fail(task);
      world.advance(Duration::seconds(2));
      claim_cleaning(world, task);
    }
    world.fail(task);
    EXPECT_EQ(ledger(world), std::vector<std::string>{"0:net leaked"});
    EXPECT_EQ(world.status(run, "a"), TaskStatus::queued) << "a leak does not hold it up";
    world.complete(world.claim_one());
    EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  }
}

TEST(Resources, OfAnInterruptedAttemptAreKept) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto a = world.claim(1, "local", {"default"}, true).at(0);
  add(world, a, "vm");
  world.restart();
  world.settle();
  EXPECT_EQ(world.status(run, "a"), TaskStatus::queued);
  EXPECT_EQ(ledger(world), std::vector<std::string>{"0:vm open"});
}

TEST(Resources, ARunThatIsCancelledWhileItsTaskWaitsForThem) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto a = world.claim_one();
  add(world, a, "vm");
  world.ask(model::LoseWorker{"w"});
  world.cancel(run);
  EXPECT_EQ(world.status(run, "a"), TaskStatus::cancelled);
  EXPECT_EQ(world.run(run).status, model::RunStatus::cancelling);
  world.work_off();
  EXPECT_EQ(world.run(run).status, model::RunStatus::cancelled);
  EXPECT_TRUE(ledger(world).empty());
}

TEST(Resources, OfFinallyStepsAreLeftoversToo) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("f").finally().done());
  world.complete(world.claim_one());
  const auto f = world.claim_one();
  add(world, f, "mail");
  world.complete(f);
  EXPECT_EQ(world.run(run).status, model::RunStatus::running);
  world.work_off();
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  EXPECT_TRUE(ledger(world).empty());
}

TEST(Resources, OfALostAttemptOfAFinallyStepAreGivenBackAfterARestartToo) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("f").finally().done());
  world.complete(world.claim_one());
  add(world, world.claim_one(), "mail");
  world.ask(model::LoseWorker{"w"});
  EXPECT_EQ(world.status(run, "f"), TaskStatus::retrying);
  world.restart();
  world.settle();
  world.work_off();
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  EXPECT_TRUE(ledger(world).empty());
}

TEST(Resources, OfALostFallbackAreGivenBackBeforeItIsTriedAgain) {
  for (const bool restarted : {false, true}) {
    World world;
    const RunId run = world.submit(FlowBuilder("w").run("a").fallback().done());
    world.fail(world.claim_one());
    add(world, world.claim_one(), "vm");
    world.ask(model::LoseWorker{"w"});
    EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying);
    if (restarted) world.restart();
    world.settle();
    model::Assignment task;
    EXPECT_EQ(claim_cleaning(world, task), "vm");
    EXPECT_TRUE(world.claim(9).empty());
    world.complete(task);
    world.complete(world.claim_one());
    EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  }
}

model::ErrorRule when_lost(model::ErrorAction action) {
  return {.types = {"lost"}, .action = action};
}

TEST(Resources, OfALostAttemptAreGivenBackBeforeTheFallback) {
  for (const bool restarted : {false, true}) {
    World world;
    const RunId run = world.submit(
        FlowBuilder("w").run("a").fallback().on_error(when_lost(model::ErrorAction::fallback)).done());
    add(world, world.claim_one(), "vm");
    world.ask(model::LoseWorker{"w"});
    EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying);
    if (restarted) world.restart();
    world.settle();
    model::Assignment task;
    EXPECT_EQ(claim_cleaning(world, task), "vm");
    EXPECT_TRUE(world.claim(9).empty());
    world.complete(task);
    world.complete(world.claim_one());
    EXPECT_EQ(world.task(run, "a").via, model::Via::fallback);
    EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  }
}

TEST(Resources, OfALostAttemptAreGivenBackBeforeWhatAPersonAskedFor) {
  for (const bool restarted : {false, true}) {
    World world;
    const RunId run =
        world.submit(FlowBuilder("w").run("a").on_error(when_lost(model::ErrorAction::hold)).done());
    add(world, world.claim_one(), "vm");
    world.ask(model::LoseWorker{"w"});
    ASSERT_TRUE(world.task(run, "a").held);
    const model::DecideTask retry{.task = {run, 0}};
    EXPECT_TRUE(std::holds_alternative<model::RunAccepted>(world.ask(retry)));
    EXPECT_FALSE(world.task(run, "a").held);
    EXPECT_TRUE(world.task(run, "a").giving_back);
    if (restarted) world.restart();
    EXPECT_TRUE(std::holds_alternative<model::RunAccepted>(world.ask(retry)))
        << "it goes on as soon as it can";
    model::Assignment task;
    EXPECT_EQ(claim_cleaning(world, task), "vm");
    EXPECT_TRUE(world.claim(9).empty());
    world.complete(task);
    EXPECT_EQ(world.status(run, "a"), TaskStatus::queued);
    world.complete(world.claim_one());
    EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  }
}

TEST(Resources, OfALostAttemptAreGivenBackBeforeItsTaskIsDoneAgain) {
  for (const bool restarted : {false, true}) {
    World world;
    const RunId run = world.submit(FlowBuilder("w")
                                       .run("a")
                                       .on_error(when_lost(model::ErrorAction::fail))
                                       .run("b")
                                       .max_parallel(2)
                                       .done());
    add(world, world.claim_one(), "vm");
    world.ask(model::LoseWorker{"w"});
    ASSERT_EQ(world.status(run, "a"), TaskStatus::failed);
    world.ask(model::DecideTask{.task = {run, 0}});
    EXPECT_EQ(world.task(run, "a").generation, 2U);
    EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying);
    if (restarted) world.restart();
    world.settle();
    const auto tasks = world.claim(9);
    ASSERT_EQ(tasks.size(), 2U) << "b, and what gives back";
    EXPECT_EQ(world.status(run, "a"), TaskStatus::retrying);
    for (const auto& task : tasks) world.complete(task);
    EXPECT_EQ(world.status(run, "a"), TaskStatus::queued);
    world.complete(world.claim_one());
    EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
    EXPECT_TRUE(ledger(world).empty());
  }
}

TEST(Resources, AfterTheLastLossARuleRetriesWithThemGivenBack) {
  World world({.settings = {.max_losses = 1}});
  const RunId run =
      world.submit(FlowBuilder("w")
                       .run("a")
                       .attempts(2)
                       .on_error({.types = {"quarantined"}, .action = model::ErrorAction::retry})
                       .done());
  add(world, world.claim_one(), "vm");
  world.ask(model::LoseWorker{"w"});
  world.advance(Duration::minutes(1));
  EXPECT_TRUE(world.task(run, "a").giving_back);
  model::Assignment task;
  EXPECT_EQ(claim_cleaning(world, task), "vm");
  EXPECT_TRUE(world.claim(9).empty());
  world.complete(task);
  world.complete(world.claim_one());
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

TEST(Resources, ACleanupMayReleaseThoseOfItsStep) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").cleanup("clean").done());
  const auto a = world.claim_one();
  add(world, a, "vm");
  world.complete(a);
  const auto clean = world.claim_one();
  EXPECT_EQ(testing::error_of(add(world, clean, "other")).code, ErrorCode::conflict);
  EXPECT_TRUE(
      std::get<model::ResourceReleased>(world.ask(model::ReleaseResource{clean.token, clean.task, "vm"}))
          .existed);
  world.complete(clean);
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
}

TEST(Resources, APersonHasALeakedOneGivenBackThoughItsRunIsOver) {
  for (const bool restarted : {false, true}) {
    World world;
    const RunId run = world.submit(FlowBuilder("w").run("a").done());
    const auto a = world.claim_one();
    add(world, a, "vm");
    EXPECT_EQ(testing::error_of(world.ask(model::CleanResource{a.task, "vm"})).code, ErrorCode::conflict)
        << "its task uses it";
    world.complete(a);
    for (int i = 0; i < 3; ++i) {
      world.fail(world.claim_one());
      world.advance(Duration::seconds(2));
    }
    EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
    EXPECT_EQ(ledger(world), std::vector<std::string>{"0:vm leaked"});
    const auto begun = std::get<model::CleaningBegun>(world.ask(model::CleanResource{a.task, "vm"}));
    EXPECT_FALSE(begun.existing);
    EXPECT_TRUE(std::get<model::CleaningBegun>(world.ask(model::CleanResource{a.task, "vm"})).existing);
    if (restarted) world.restart();
    world.settle();
    model::Assignment task;
    EXPECT_EQ(claim_cleaning(world, task), "vm");
    EXPECT_EQ(task.task, begun.by);
    if (restarted) world.restart();
    world.complete(task);
    EXPECT_TRUE(ledger(world).empty());
    EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
    EXPECT_EQ(testing::error_of(world.ask(model::CleanResource{a.task, "vm"})).code, ErrorCode::not_found);
  }
}

TEST(Resources, ALeakedCleanupCanBeDoneAgain) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").cleanup("clean").done());
  world.complete(world.claim_one());
  for (int i = 0; i < 3; ++i) {
    world.fail(world.claim_one());
    world.advance(Duration::seconds(2));
  }
  EXPECT_EQ(world.run(run).status, model::RunStatus::completed);
  EXPECT_EQ(ledger(world), std::vector<std::string>{"0:(cleanup) leaked"});
  world.ask(model::CleanResource{{run, 0}, "(cleanup)"});
  world.complete(world.claim_one());
  EXPECT_TRUE(ledger(world).empty());
}

}  // namespace
}  // namespace baton::engine
