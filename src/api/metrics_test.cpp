#include <gtest/gtest.h>

#include "api/test_support.hpp"

namespace baton::api {
namespace {

using telemetry::Metric;

class MetricsTest : public test::ApiTest {
 protected:
  static bool has_line(const std::string& text, const std::string& line) {
    return text.find('\n' + line + '\n') != std::string::npos;
  }
};

TEST_F(MetricsTest, CountsTheRequestsByTheirRoute) {
  get("/api/v1/version");
  get("/api/v1/version");
  get("/api/v1/runs/no-such-run");
  get("/wp-login.php");
  const net::Response answer = get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.find("Content-Type"), telemetry::kTextType);
  const std::string& text = answer.body;
  EXPECT_TRUE(
      has_line(text, R"(baton_http_requests_total{method="GET",route="/api/v1/version",code="200"} 2)"))
      << text;
  // Never the id, nor what somebody made up.
  EXPECT_TRUE(
      has_line(text, R"(baton_http_requests_total{method="GET",route="/api/v1/runs/{id}",code="404"} 1)"))
      << text;
  EXPECT_TRUE(has_line(text, R"(baton_http_requests_total{method="GET",route="none",code="404"} 1)")) << text;
  EXPECT_EQ(text.find("wp-login"), std::string::npos);
  EXPECT_TRUE(
      has_line(text, R"(baton_http_request_duration_seconds_count{method="GET",route="/api/v1/version"} 2)"));
}

TEST_F(MetricsTest, ALongPollSaysNothingAboutDuration) {
  const model::RunRow run = new_run("name: a\nsteps:\n  s:\n    run: x\n");
  get("/api/v1/runs/" + run.id.text() + "/wait?timeout=0");
  const std::string text = get("/metrics").body;
  EXPECT_TRUE(has_line(
      text, R"(baton_http_requests_total{method="GET",route="/api/v1/runs/{id}/wait",code="200"} 1)"))
      << text;
  EXPECT_EQ(text.find(R"(duration_seconds_count{method="GET",route="/api/v1/runs/{id}/wait")"),
            std::string::npos);
}

TEST_F(MetricsTest, TheSummaryHasTheFiguresPeopleAskFor) {
  meter_.add(Metric::runs_submitted, {"etl"}, 5);
  meter_.add(Metric::runs_ended, {"etl", "completed"}, 3);
  meter_.add(Metric::runs_ended, {"etl", "failed"});
  meter_.observe(Metric::run_duration, {"etl", "completed"}, 4);
  meter_.observe(Metric::run_duration, {"etl", "failed"}, 2);
  meter_.add(Metric::tasks_ended, {"etl", "load", "completed"}, 9);
  meter_.add(Metric::tasks_ended, {"etl", "load", "failed"});
  meter_.add(Metric::tasks_ended, {"etl", "load", "skipped"}, 4);
  meter_.observe(Metric::attempt_duration, {"etl", "load"}, 1.5);
  for (const int attempts : {1, 1, 1, 2, 100}) {
    meter_.observe(Metric::task_attempts, {"etl", "completed"}, attempts);
  }
  meter_.add(Metric::recoveries, {"etl"}, 2);
  meter_.add(Metric::recovered_runs_ended, {"etl", "completed"});
  meter_.observe(Metric::target_duration, {"nlp", "completed"}, 3);
  const auto summary = object(get("/api/v1/metrics"));

  const auto& runs = summary.at("runs").as_object();
  EXPECT_EQ(runs.at("submitted").as_int64(), 5);
  EXPECT_EQ(runs.at("success_rate").as_double(), 0.75);
  EXPECT_EQ(runs.at("average_duration").to_number<double>(), 3);
  const auto& step = summary.at("steps").at(0).as_object();
  EXPECT_EQ(step.at("workflow").as_string(), "etl");
  EXPECT_EQ(step.at("step").as_string(), "load");
  EXPECT_EQ(step.at("success_rate").as_double(), 0.9);
  EXPECT_EQ(step.at("average_duration").as_double(), 1.5);
  const auto& attempts = summary.at("tasks").at("attempts").as_array();
  EXPECT_EQ(attempts.front().at("tasks").as_int64(), 3);
  EXPECT_EQ(attempts.at(1).at("tasks").as_int64(), 1);
  EXPECT_TRUE(attempts.back().at("up_to").is_null());
  EXPECT_EQ(attempts.back().at("tasks").as_int64(), 1);
  EXPECT_EQ(summary.at("recoveries").at("success_rate").to_number<double>(), 1);
  EXPECT_EQ(summary.at("targets").at(0).at("average_duration").to_number<double>(), 3);
}

TEST_F(MetricsTest, WithoutEventsThereAreNoRates) {
  const auto summary = object(get("/api/v1/metrics"));
  EXPECT_TRUE(summary.at("runs").at("success_rate").is_null());
  EXPECT_TRUE(summary.at("steps").as_array().empty());
  EXPECT_EQ(code(get("/api/v1/metrics?x=1")), "invalid_request");
}

}  // namespace
}  // namespace baton::api
