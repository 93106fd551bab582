#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using model::TaskStatus;
using testing::completed;
using testing::error_of;
using testing::failed;
using testing::FlowBuilder;
using testing::interrupted;
using testing::World;
using testing::WorldOptions;

TaskStatus accepted(const model::ReplyBody& reply) {
  const auto* got = std::get_if<model::ReportAccepted>(&reply);
  EXPECT_NE(got, nullptr) << "refused";
  return got != nullptr ? got->status : TaskStatus::pending;
}

TEST(Report, ARepeatedOneGetsItsFirstAnswer) {
  World world;
  world.submit(FlowBuilder("w").run("a").attempts(3).run("b").needs({"a"}).done());
  const auto first = world.claim_one();
  EXPECT_EQ(accepted(world.report(first, failed())), TaskStatus::retrying);
  EXPECT_EQ(accepted(world.report(first, failed())), TaskStatus::retrying);
  world.advance(Duration::seconds(1));
  EXPECT_EQ(accepted(world.report(first, failed())), TaskStatus::retrying) << "it is queued again by now";
  const auto second = world.claim_one();
  EXPECT_EQ(accepted(world.report(first, failed())), TaskStatus::retrying) << "it runs again by now";
  EXPECT_EQ(accepted(world.report(second, interrupted())), TaskStatus::queued);
  const auto third = world.claim_one();
  EXPECT_EQ(accepted(world.report(second, interrupted())), TaskStatus::queued);
  const JournalSequence before = world.disk().sequence();
  EXPECT_EQ(accepted(world.report(third, completed("1"))), TaskStatus::completed);
  EXPECT_EQ(accepted(world.report(third, completed("1"))), TaskStatus::completed);
  EXPECT_EQ(accepted(world.report(first, failed())), TaskStatus::retrying);
  EXPECT_EQ(world.disk().sequence(), before + 1) << "repetitions store nothing";
}

TEST(Report, ARepeatedOneIsAnsweredAfterRestartsAndAfterTheEnd) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").attempts(2).done());
  const auto first = world.claim_one();
  world.fail(first);
  world.restart();
  EXPECT_EQ(accepted(world.report(first, failed())), TaskStatus::retrying);
  world.advance(Duration::seconds(1));
  const auto second = world.claim_one();
  EXPECT_EQ(world.fail(second), TaskStatus::failed);
  EXPECT_EQ(accepted(world.report(second, failed())), TaskStatus::failed) << "the run has left memory";
  EXPECT_EQ(accepted(world.report(first, failed())), TaskStatus::retrying);
  EXPECT_EQ(error_of(world.report(second, completed())).code, ErrorCode::stale_token);
  EXPECT_EQ(world.run(run).status, model::RunStatus::failed);
  world.settle();
  world.submit(FlowBuilder("w").run("a").done());
  EXPECT_EQ(world.state().runs.size(), 1u) << "and leaves it again";
}

TEST(Report, AnotherOutcomeForTheSameTokenIsRefused) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto a = world.claim_one();
  world.complete(a, "1");
  for (const auto& outcome : {failed(), interrupted()}) {
    EXPECT_EQ(error_of(world.report(a, outcome)).code, ErrorCode::stale_token);
  }
  EXPECT_EQ(world.status(run, "a"), TaskStatus::completed);
}

TEST(Report, AWrongTokenChangesNothing) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").run("b").done());
  const auto tasks = world.claim(2);
  const JournalSequence before = world.disk().sequence();
  const auto refused = [&](Token token, TaskId task) {
    return error_of(world.ask(model::ReportAttempt{token, task, completed()})).code == ErrorCode::stale_token;
  };
  EXPECT_TRUE(refused({1, 99}, tasks[0].task));
  EXPECT_TRUE(refused({0, 0}, tasks[0].task));
  EXPECT_TRUE(refused(tasks[1].token, tasks[0].task)) << "another task's token";
  EXPECT_TRUE(refused(tasks[0].token, {run, 2})) << "no such task";
  EXPECT_TRUE(refused(tasks[0].token, {run, UINT32_MAX}));
  RunId other = run;
  other.bytes[9] ^= 1;
  EXPECT_TRUE(refused(tasks[0].token, {other, 0})) << "another run with that key";
  EXPECT_TRUE(refused(tasks[0].token, {RunId::make(RunKey::make(ShardId{1}, 1), world.wall(), {}), 0}));
  EXPECT_EQ(world.disk().sequence(), before);
  world.complete(tasks[0]);
}

TEST(Report, AStaleAttemptCannotCompleteTheTaskOfANewerOne) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto lost = world.claim_one("w1");
  world.ask(model::LoseWorker{"w1"});
  const auto second = world.claim_one("w2");
  EXPECT_GT(second.token, lost.token);
  EXPECT_EQ(error_of(world.report(lost, completed("old"))).code, ErrorCode::stale_token);
  world.complete(second, "\"new\"");
  EXPECT_EQ(error_of(world.report(lost, completed("old"))).code, ErrorCode::stale_token);
  EXPECT_EQ(world.result(run, "a"), "\"new\"");
}

TEST(Report, ResultsAreKeptUpToTheLimit) {
  WorldOptions options;
  options.settings.max_result = 10;
  World world(options);
  const RunId run = world.submit(FlowBuilder("w").run("a").run("b").attempts(5).run("c").done());
  const auto tasks = world.claim(3);
  EXPECT_EQ(world.complete(tasks[0], "1234567890"), TaskStatus::completed);
  const auto too_large = completed("12345678901");
  EXPECT_EQ(accepted(world.report(tasks[1], too_large)), TaskStatus::failed) << "not retried";
  EXPECT_EQ(world.task(run, "b").error_type, "validation");
  EXPECT_EQ(accepted(world.report(tasks[1], too_large)), TaskStatus::failed) << "the same report again";
  EXPECT_EQ(world.complete(tasks[2], ""), TaskStatus::completed);
  EXPECT_EQ(world.result(run, "c"), "null");
}

TEST(Report, ForeignTextIsCutAndMadeUtf8) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  model::Outcome outcome = failed(std::string(1000, 't') + "\xFF", "\xFF\xFE" + std::string(100'000, 'm'));
  EXPECT_EQ(accepted(world.report(world.claim_one(), outcome)), TaskStatus::failed);
  const model::TaskRow row = world.task(run, "a");
  EXPECT_EQ(row.error_type, std::string(128, 't'));
  EXPECT_LE(row.error_message.size(), model::kMessageLimit);
  EXPECT_EQ(row.error_message.substr(0, 6), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Report, ReleaseGivesTheTaskBackWithoutUsingAnAttempt) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const auto a = world.claim_one();
  EXPECT_TRUE(std::holds_alternative<model::Done>(world.ask(model::ReleaseAttempt{a.token, a.task})));
  EXPECT_EQ(world.status(run, "a"), TaskStatus::queued);
  EXPECT_EQ(world.task(run, "a").attempts, 0u);
  EXPECT_EQ(world.task(run, "a").history[0].end, model::AttemptEnd::released);
  EXPECT_EQ(error_of(world.ask(model::ReleaseAttempt{a.token, a.task})).code, ErrorCode::stale_token);
  EXPECT_EQ(error_of(world.report(a, completed())).code, ErrorCode::stale_token);
  const auto again = world.claim_one();
  EXPECT_EQ(again.attempt, 2u);
  EXPECT_EQ(world.fail(again), TaskStatus::failed) << "no retry: the released one is not counted";
  EXPECT_EQ(world.task(run, "a").attempts, 1u);
}

}  // namespace
}  // namespace baton::engine
