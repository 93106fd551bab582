#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using testing::error_of;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

model::SubmitRun keyed(std::shared_ptr<const model::Workflow> workflow, std::string key,
                       std::string body = "{}") {
  return {.workflow = std::move(workflow), .idempotency_key = std::move(key), .body = Hash256::of(body)};
}

model::Submitted submitted(const model::ReplyBody& reply) {
  const auto* got = std::get_if<model::Submitted>(&reply);
  EXPECT_NE(got, nullptr);
  return got != nullptr ? *got : model::Submitted{};
}

TEST(Submit, ARunIsStoredWithWhatWasSaid) {
  World world;
  model::SubmitRun command{.workflow = FlowBuilder("etl").run("a").default_priority(7).done(),
                           .input = R"({"n":1})",
                           .context = R"({"metadata":{"k":1}})",
                           .job_id = "job-1"};
  const RunId run = submitted(world.ask(command)).run;
  const model::RunRow& row = world.run(run);
  EXPECT_EQ(row.id, run);
  EXPECT_EQ(row.workflow, "etl");
  EXPECT_EQ(row.version, 1u);
  EXPECT_EQ(row.definition, command.workflow->hash);
  EXPECT_EQ(row.job_id, "job-1");
  EXPECT_EQ(row.priority, 7);
  EXPECT_EQ(row.created_at, world.wall());
  EXPECT_EQ(row.started_at.us, 0);
  EXPECT_EQ(*world.disk().payload(input_of(run.key())), R"({"n":1})");
  EXPECT_EQ(*world.disk().payload(context_of(run.key())), R"({"metadata":{"k":1}})");
  command.priority = 2;
  EXPECT_EQ(world.run(submitted(world.ask(command)).run).priority, 2);
}

TEST(Submit, EachContentOfAWorkflowIsAVersion) {
  World world;
  const auto one = FlowBuilder("w").run("a").done();
  const auto two = FlowBuilder("w").run("a", "echo 2").done();
  EXPECT_EQ(world.run(world.submit(one)).version, 1u);
  EXPECT_EQ(world.run(world.submit(two)).version, 2u);
  EXPECT_EQ(world.run(world.submit(one)).version, 1u);
  EXPECT_EQ(world.run(world.submit(FlowBuilder("other").run("a").done())).version, 1u);
  world.restart();
  EXPECT_EQ(world.run(world.submit(two)).version, 2u);
  EXPECT_EQ(world.run(world.submit(FlowBuilder("w").run("a", "echo 3").done())).version, 3u);
}

TEST(Submit, RunsKeepTheirVersion) {
  World world;
  const RunId first = world.submit(FlowBuilder("w").run("a", "echo 1").done());
  world.submit(FlowBuilder("w").run("a", "echo 2").done());
  world.restart();
  const auto a = world.claim_one();
  EXPECT_EQ(a.task.run, first);
  EXPECT_NE(a.spec.find("echo 1"), std::string::npos);
}

TEST(Submit, TheSameKeyAndBodyIsTheSameRun) {
  World world;
  const auto workflow = FlowBuilder("w").run("a").done();
  const auto first = submitted(world.ask(keyed(workflow, "k")));
  EXPECT_FALSE(first.existing);
  const auto again = submitted(world.ask(keyed(workflow, "k")));
  EXPECT_TRUE(again.existing);
  EXPECT_EQ(again.run, first.run);
  EXPECT_NE(submitted(world.ask(keyed(workflow, "k2"))).run, first.run);
  world.restart();
  EXPECT_EQ(submitted(world.ask(keyed(workflow, "k"))).run, first.run);
  world.work_off();
  world.restart();
  EXPECT_EQ(submitted(world.ask(keyed(workflow, "k"))).run, first.run);
  EXPECT_EQ(world.disk().runs().size(), 2u);
}

TEST(Submit, TheSameKeyTwiceInOneBatchIsOneRun) {
  WorldOptions options;
  options.commits_in_flight = 1;
  World world(options);
  const auto workflow = FlowBuilder("w").run("a").done();
  const auto first = world.send(keyed(workflow, "k"));
  const auto second = world.send(keyed(workflow, "k"));
  world.turn();
  EXPECT_FALSE(world.take(second)) << "nothing is acknowledged before it is durable";
  world.settle();
  EXPECT_EQ(submitted(*world.take(first)).run, submitted(*world.take(second)).run);
}

TEST(Submit, AnAnswerThatChangesNothingWaitsForWhatItSpeaksOf) {
  WorldOptions options;
  options.commits_in_flight = 1;
  World world(options);
  const auto workflow = FlowBuilder("w").run("a").done();
  world.send(keyed(workflow, "k"));
  world.turn();  // decided, on its way
  ASSERT_EQ(world.disk().sequence(), 0);
  const auto again = world.send(keyed(workflow, "k"));
  world.turn();
  ASSERT_EQ(world.disk().sequence(), 1);
  EXPECT_TRUE(submitted(*world.take(again)).existing);
}

TEST(Submit, TheSameKeyWithAnotherBodyIsRefused) {
  World world;
  const auto workflow = FlowBuilder("w").run("a").done();
  const RunId run = submitted(world.ask(keyed(workflow, "k"))).run;
  const Error error = error_of(world.ask(keyed(workflow, "k", "other")));
  EXPECT_EQ(error.code, ErrorCode::idempotency_mismatch);
  EXPECT_EQ(error.where, run.text());
  EXPECT_EQ(world.disk().runs().size(), 1u);
}

TEST(Submit, AKeyIsKeptADayOrAsLongAsItsRunLives) {
  for (const bool restarted : {false, true}) {
    World world;
    const auto workflow = FlowBuilder("w").run("a").done();
    const RunId run = submitted(world.ask(keyed(workflow, "k"))).run;
    world.jump_wall(Duration::hours(24 * 30));
    if (restarted) world.restart();
    EXPECT_EQ(submitted(world.ask(keyed(workflow, "k"))).run, run) << "the run lives";
    world.work_off();
    const auto next = submitted(world.ask(keyed(workflow, "k", "other")));
    EXPECT_FALSE(next.existing) << "the key is free again";
    world.work_off();
    world.jump_wall(Duration::hours(23));
    EXPECT_EQ(submitted(world.ask(keyed(workflow, "k", "other"))).run, next.run);
    world.jump_wall(Duration::hours(2));
    EXPECT_FALSE(submitted(world.ask(keyed(workflow, "k"))).existing);
  }
}

TEST(Submit, LimitsAreChecked) {
  WorldOptions options;
  options.settings.max_tasks_per_run = 2;
  World world(options);
  EXPECT_NE(world.submit(FlowBuilder("w").run("a").run("b").done()), RunId{});
  const auto three = FlowBuilder("w").run("a").run("b").run("c").done();
  EXPECT_EQ(error_of(world.ask(model::SubmitRun{.workflow = three})).code, ErrorCode::too_large);
  const auto none = FlowBuilder("w").done();
  EXPECT_EQ(error_of(world.ask(model::SubmitRun{.workflow = none})).code, ErrorCode::conflict);
  const auto only_finally = FlowBuilder("w").run("f").finally().done();
  EXPECT_EQ(error_of(world.ask(model::SubmitRun{.workflow = only_finally})).code, ErrorCode::conflict);
  const auto one = FlowBuilder("w").run("a").done();
  EXPECT_EQ(error_of(world.ask(model::SubmitRun{.workflow = one, .priority = 10})).code,
            ErrorCode::invalid_request);
  EXPECT_EQ(world.disk().runs().size(), 1u);
  EXPECT_EQ(world.state().last_run, 1) << "what is refused takes no number";
}

}  // namespace
}  // namespace baton::engine
