// Metrics of what happens and of what is, over the real loop and a store in memory.
#include "runtime/fact_meter.hpp"

#include <gtest/gtest.h>

#include "runtime/shard_loop.hpp"
#include "runtime/state_reading.hpp"
#include "spec/parse.hpp"
#include "store/memory/memory_store.hpp"

namespace baton::runtime {
namespace {

using model::Claimed;
using model::ReplyBody;
using telemetry::Metric;

std::shared_ptr<const model::Workflow> parse(const std::string& text) {
  auto parsed = spec::parse_workflow(text, {.file_name = "test.yaml"});
  EXPECT_NE(parsed.workflow, nullptr) << text;
  return parsed.workflow;
}

class FactMeterTest : public testing::Test {
 protected:
  FactMeterTest() { restart(); }

  void restart() {
    loop_.reset();
    meter_ = std::make_unique<telemetry::Meter>();
    facts_ = std::make_unique<FactMeter>(*meter_);
    writer_ = std::make_unique<store::MemoryWriter>(data_);
    Surroundings world;
    world.monotonic = [this] { return now_; };
    world.wall = [this] { return wall(); };
    world.seed = [this] { return Seed{1, ++seeds_}; };
    world.parse_definition = [](const std::string& text) -> Result<std::shared_ptr<const model::Workflow>> {
      return parse(text);
    };
    world.zones = std::make_shared<const calendar::ZoneTable>(calendar::ZoneTable::utc_only());
    world.wake = [] {};
    world.act = [](const model::Action&) {};
    world.fatal = [](const Error& error) { ADD_FAILURE() << error.message; };
    world.log = [](std::string_view) {};
    world.observers = {facts_.get()};
    loop_ = std::make_unique<ShardLoop>(*writer_, std::move(world));
    ASSERT_TRUE(loop_->start(ShardId{0}));
    settle();
  }

  WallTime wall() const { return WallTime{1'700'000'000'000'000 + now_.us}; }
  void settle() {
    for (int i = 0; i < 1000 && loop_->turn(); ++i) {
    }
  }
  std::optional<ReplyBody> send(model::CommandBody body) {
    auto reply = std::make_shared<std::optional<ReplyBody>>();
    loop_->send(std::move(body), "test", [reply](ReplyBody answer) { *reply = std::move(answer); });
    settle();
    return *reply;
  }
  RunId submit(const std::string& text) {
    return std::get<model::Submitted>(*send(model::SubmitRun{.workflow = parse(text)})).run;
  }
  model::Assignment claim() {
    return std::get<Claimed>(*send(model::ClaimTasks{"w", true, {}, 1, Duration::seconds(60)})).tasks.at(0);
  }
  // One attempt that takes `took`.
  void attempt(Duration took, std::optional<model::Failure> failure = std::nullopt) {
    const model::Assignment task = claim();
    now_ = now_ + took;
    model::Outcome outcome{.result = "{}"};
    if (failure) outcome = {.kind = model::Outcome::Kind::failed, .failure = std::move(*failure)};
    send(model::ReportAttempt{task.token, task.task, outcome});
  }
  void pass(Duration time) {
    now_ = now_ + time;
    settle();
  }

  std::string shown() const {
    telemetry::Reading reading;
    read_state(loop_->state(), wall(), reading);
    return to_text(meter_->samples(reading));
  }
  static testing::AssertionResult has(const std::string& text, const std::string& line) {
    if (text.find('\n' + line + '\n') != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "no line " << line << " in\n" << text;
  }

  std::shared_ptr<store::MemoryData> data_ = store::make_memory_data();
  std::unique_ptr<store::MemoryWriter> writer_;
  std::unique_ptr<telemetry::Meter> meter_;
  std::unique_ptr<FactMeter> facts_;
  std::unique_ptr<ShardLoop> loop_;
  Duration now_ = Duration::seconds(1000);
  std::uint64_t seeds_ = 0;
};

constexpr const char* kTwice = R"(
name: etl
steps:
  load:
    run: x
    retry: {max_attempts: 2, backoff: fixed, initial: 10s, jitter: none}
)";

TEST_F(FactMeterTest, ARetriedTask) {
  submit(kTwice);
  pass(Duration::seconds(3));
  attempt(Duration::seconds(2), model::Failure{.type = "exit", .message = "1"});
  pass(Duration::seconds(10));
  attempt(Duration::seconds(20));
  const std::string text = shown();
  EXPECT_TRUE(has(text, R"(baton_runs_submitted_total{workflow="etl"} 1)"));
  EXPECT_TRUE(has(text, R"(baton_runs_ended_total{workflow="etl",status="completed"} 1)"));
  EXPECT_TRUE(has(text, R"(baton_run_duration_seconds_sum{workflow="etl",status="completed"} 35)"));
  EXPECT_TRUE(has(text, R"(baton_tasks_ended_total{workflow="etl",step="load",status="completed"} 1)"));
  EXPECT_TRUE(has(text, R"(baton_attempts_ended_total{workflow="etl",step="load",outcome="failed"} 1)"));
  EXPECT_TRUE(has(text, R"(baton_attempts_ended_total{workflow="etl",step="load",outcome="completed"} 1)"));
  EXPECT_TRUE(has(text, R"(baton_attempt_errors_total{workflow="etl",step="load",type="exit"} 1)"));
  EXPECT_TRUE(has(text, R"(baton_attempt_duration_seconds_sum{workflow="etl",step="load"} 22)"));
  EXPECT_TRUE(has(text, R"(baton_retries_total{workflow="etl",step="load"} 1)"));
  EXPECT_TRUE(has(text, R"(baton_task_attempts_bucket{workflow="etl",status="completed",le="1"} 0)"));
  EXPECT_TRUE(has(text, R"(baton_task_attempts_bucket{workflow="etl",status="completed",le="2"} 1)"));
  EXPECT_TRUE(has(text, R"(baton_schedule_to_start_seconds_sum{queue="default"} 3)"));
  EXPECT_TRUE(has(text, R"(baton_attempts_started_total{queue="default"} 2)"));
  EXPECT_TRUE(has(text, R"(baton_commands_total{command="submit"} 1)"));
  EXPECT_EQ(text.find("baton_dead_letters_made_total{"), std::string::npos);
}

TEST_F(FactMeterTest, AFailedRunAndItsRecovery) {
  const RunId run = submit("name: etl\nsteps:\n  load:\n    run: x\n    retry: {max_attempts: 1}\n");
  attempt(Duration::seconds(1), model::Failure{.type = "exit"});
  EXPECT_TRUE(has(shown(), R"(baton_dead_letters_made_total{workflow="etl"} 1)"));
  EXPECT_EQ(shown().find("baton_recovered_runs_ended_total{"), std::string::npos);
  send(model::RecoverRun{.run = run});
  attempt(Duration::seconds(1));
  const std::string text = shown();
  EXPECT_TRUE(has(text, R"(baton_recoveries_total{workflow="etl"} 1)"));
  EXPECT_TRUE(has(text, R"(baton_recovered_runs_ended_total{workflow="etl",status="completed"} 1)"));
  EXPECT_TRUE(has(text, R"(baton_runs_ended_total{workflow="etl",status="failed"} 1)"));
}

TEST_F(FactMeterTest, ARunThatRecoversByItselfFailsOnceUnrecovered) {
  submit("name: etl\nrecovery: {auto: true, max_attempts: 1, delay: 1s}\nsteps:\n  load: {run: x}\n");
  attempt(Duration::seconds(1), model::Failure{.type = "exit"});
  EXPECT_TRUE(has(shown(), R"(baton_runs_ended_total{workflow="etl",status="failed"} 1)"));
  EXPECT_EQ(shown().find("baton_recovered_runs_ended_total{"), std::string::npos);
  pass(Duration::seconds(1));
  attempt(Duration::seconds(1), model::Failure{.type = "exit"});
  EXPECT_TRUE(has(shown(), R"(baton_recovered_runs_ended_total{workflow="etl",status="failed"} 1)"));
}

TEST_F(FactMeterTest, WhatServesATaskDoesNotCountAsItsStep) {
  submit("name: etl\nsteps:\n  load:\n    run: x\n    cleanup: {run: y}\n");
  attempt(Duration::seconds(1));
  attempt(Duration::seconds(5), model::Failure{.type = "exit"});  // the cleanup's
  const std::string text = shown();
  EXPECT_TRUE(has(text, R"(baton_attempt_duration_seconds_sum{workflow="etl",step="load"} 1)"));
  EXPECT_EQ(text.find("baton_attempt_errors_total{"), std::string::npos);
}

TEST_F(FactMeterTest, ItemsCountAndTheirListDoesNot) {
  submit("name: etl\nsteps:\n  each:\n    for_each: [1, 2, 3]\n    run: x\n");
  for (int i = 0; i < 3; ++i) attempt(Duration::seconds(1));
  EXPECT_TRUE(has(shown(), R"(baton_tasks_ended_total{workflow="etl",step="each",status="completed"} 3)"));
}

TEST_F(FactMeterTest, WhatIsNotCommittedIsNotCounted) {
  writer_->hold_commits();
  send(model::SubmitRun{.workflow = parse(kTwice)});
  ASSERT_EQ(writer_->held(), 1U);
  EXPECT_TRUE(has(shown(), R"(baton_runs_submitted_total{workflow="etl"} 0)"));
  writer_->complete_next(store::CommitResult::not_committed);
  settle();
  const std::string text = shown();
  EXPECT_TRUE(has(text, R"(baton_runs_submitted_total{workflow="etl"} 0)"));
  EXPECT_TRUE(has(text, "baton_commits_refused_total 1"));
}

TEST_F(FactMeterTest, GaugesAreRightAfterARestart) {
  submit("name: etl\nsteps:\n  a: {run: x, queue: gpu}\n  b: {run: x, needs: [a]}\n");
  submit("name: etl\nsteps:\n  a: {run: x}\n");
  send(model::PauseCommand{.target = {.kind = model::BlockerKind::queue_paused, .name = "gpu"}});
  pass(Duration::seconds(7));
  const auto check = [&](const std::string& text) {
    EXPECT_TRUE(has(text, R"(baton_runs{status="pending"} 2)"));
    EXPECT_TRUE(has(text, R"(baton_runs{status="running"} 0)"));
    EXPECT_TRUE(has(text, R"(baton_tasks{status="queued"} 2)"));
    EXPECT_TRUE(has(text, R"(baton_tasks{status="pending"} 1)"));
    EXPECT_TRUE(has(text, R"(baton_queue_oldest_seconds{queue="default"} 7)"));
    EXPECT_TRUE(has(text, R"(baton_queue_paused{queue="gpu"} 1)"));
    EXPECT_TRUE(has(text, R"(baton_queue_paused{queue="default"} 0)"));
    EXPECT_TRUE(has(text, R"(baton_queue_tasks{queue="default",state="waiting"} 1)"));
  };
  check(shown());
  restart();
  check(shown());
}

TEST_F(FactMeterTest, BreakersKeepTheirCountOverARestart) {
  submit(R"(
name: etl
targets:
  nlp: {breaker: {failures: 1, recovery: 1m}}
steps:
  ask: {run: x, target: nlp, retry: {max_attempts: 3, initial: 1s}}
)");
  attempt(Duration::seconds(2), model::Failure{.type = "timeout"});
  const auto check = [&](const std::string& text) {
    EXPECT_TRUE(has(text, R"(baton_breaker_opened_total{breaker="nlp"} 1)"));
    EXPECT_TRUE(has(text, R"(baton_breaker_state{breaker="nlp"} 2)"));
  };
  EXPECT_TRUE(has(shown(), R"(baton_target_duration_seconds_count{target="nlp",outcome="failed"} 1)"));
  check(shown());
  restart();
  check(shown());
}

}  // namespace
}  // namespace baton::runtime
