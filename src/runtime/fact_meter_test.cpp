// Metrics of what happens and of what is, over the real loop and a store in memory.
#include "runtime/fact_meter.hpp"

#include <gtest/gtest.h>

#include "runtime/state_reading.hpp"
#include "runtime/test_support.hpp"

namespace baton::runtime {
namespace {

using test::parse;

class FactMeterTest : public test::ObservedShard {
 protected:
  FactMeterTest() { restart(); }

  void restart() {
    loop_.reset();
    meter_ = std::make_unique<telemetry::Meter>();
    facts_ = std::make_unique<FactMeter>(*meter_);
    start({facts_.get()});
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

  std::unique_ptr<telemetry::Meter> meter_;
  std::unique_ptr<FactMeter> facts_;
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
