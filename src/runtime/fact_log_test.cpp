#include "runtime/fact_log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/test_support.hpp"

namespace baton::runtime {
namespace {

class FactLogTest : public test::ObservedShard {
 protected:
  FactLogTest() {
    std::string pattern = testing::TempDir() + "/baton-fact-log-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    auto log = telemetry::Log::open({.level = telemetry::LogLevel::info,
                                     .format = telemetry::LogFormat::json,
                                     .file = folder_ + "/log",
                                     .now = [this] { return wall(); }});
    EXPECT_TRUE(log);
    log_ = std::move(*log);
    facts_ = std::make_unique<FactLog>(*log_);
    start({facts_.get()});
  }
  ~FactLogTest() override {
    loop_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string said() const {
    std::stringstream text;
    text << std::ifstream(folder_ + "/log").rdbuf();
    return std::move(text).str();
  }
  testing::AssertionResult has(const std::string& part) const {
    if (said().find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "no " << part << " in\n" << said();
  }

  std::string folder_;
  std::unique_ptr<telemetry::Log> log_;
  std::unique_ptr<FactLog> facts_;
};

constexpr const char* kFlow = R"(
name: etl
inputs:
  password: {type: string, default: canary-input}
steps:
  load:
    run: echo canary-script
    env: {TOKEN: canary-env}
    on_error: [{match: {type: exit}, do: fail, alert: critical}]
)";

TEST_F(FactLogTest, ARunFromItsSubmissionToItsEnd) {
  const std::string run = submit(kFlow).text();
  EXPECT_TRUE(has(R"("level":"info","event":"run.submitted","message":"run submitted","run":")" + run +
                  R"(","workflow":"etl","actor":"test"})"));
  attempt(Duration::seconds(1), model::Failure{.type = "exit", .message = "canary-message"});
  EXPECT_TRUE(has(R"("event":"attempt.ended","message":"attempt failed","run":")" + run +
                  R"(","workflow":"etl","task":")" + run +
                  R"(.0","step":"load","attempt":"1","outcome":"failed","error_type":"exit")"));
  EXPECT_TRUE(has(R"("level":"error","event":"alert.raised")"));
  EXPECT_TRUE(has(R"("level":"warning","event":"run.ended","message":"run failed")"));
}

TEST_F(FactLogTest, SaysNothingThatTasksGetOrSay) {
  submit(kFlow);
  attempt(Duration::seconds(1), model::Failure{.type = "exit", .message = "canary-message"});
  EXPECT_EQ(said().find("canary"), std::string::npos) << said();
}

TEST_F(FactLogTest, WhatIsNotCommittedIsNotSaid) {
  writer_->hold_commits();
  send(model::SubmitRun{.workflow = test::parse(kFlow)});
  EXPECT_EQ(said(), "");
  writer_->complete_next(store::CommitResult::not_committed);
  settle();
  EXPECT_EQ(said().find("run.submitted"), std::string::npos);
  EXPECT_TRUE(has(R"("level":"error","event":"store.refused")"));
}

TEST_F(FactLogTest, ABreakerThatOpens) {
  submit(R"(
name: etl
targets:
  nlp: {breaker: {failures: 1, recovery: 1m}}
steps:
  ask: {run: x, target: nlp, retry: {max_attempts: 3, initial: 1s}}
)");
  attempt(Duration::seconds(2), model::Failure{.type = "timeout"});
  EXPECT_TRUE(
      has(R"("level":"warning","event":"breaker.changed","message":"breaker is open","breaker":"nlp")"));
}

}  // namespace
}  // namespace baton::runtime
