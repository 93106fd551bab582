#include "telemetry/meter.hpp"

#include <gtest/gtest.h>

#include <clocale>
#include <locale>
#include <thread>

namespace baton::telemetry {
namespace {

std::size_t count_lines(const std::string& text, std::string_view beginning) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    count += std::string_view(text).substr(at).starts_with(beginning);
  }
  return count;
}

bool has_line(const std::string& text, const std::string& line) {
  return text.starts_with(line + '\n') || text.find('\n' + line + '\n') != std::string::npos;
}

TEST(Meter, WritesThePrometheusTextFormat) {
  Meter meter;
  meter.add(Metric::runs_ended, {"etl", "completed"});
  meter.add(Metric::runs_ended, {"etl", "completed"}, 2);
  meter.add(Metric::runs_ended, {"etl", "failed"});
  meter.observe(Metric::run_duration, {"etl", "completed"}, 0.07);
  meter.observe(Metric::run_duration, {"etl", "completed"}, 100'000);
  Reading reading;
  reading.set(Metric::read_only, 1);
  const std::string text = to_text(meter.samples(reading));

  EXPECT_TRUE(has_line(text, "# TYPE baton_runs_ended_total counter")) << text;
  EXPECT_TRUE(has_line(text, R"(baton_runs_ended_total{workflow="etl",status="completed"} 3)")) << text;
  EXPECT_TRUE(has_line(text, R"(baton_runs_ended_total{workflow="etl",status="failed"} 1)")) << text;
  EXPECT_TRUE(has_line(text, "# TYPE baton_run_duration_seconds histogram")) << text;
  const std::string bucket = R"(baton_run_duration_seconds_bucket{workflow="etl",status="completed",le=)";
  EXPECT_EQ(count_lines(text, bucket), info(Metric::run_duration).buckets.size() + 1);
  EXPECT_TRUE(has_line(text, bucket + "\"0.1\"} 1")) << text;
  EXPECT_TRUE(has_line(text, bucket + "\"+Inf\"} 2")) << text;
  EXPECT_TRUE(has_line(text, R"(baton_run_duration_seconds_count{workflow="etl",status="completed"} 2)"));
  EXPECT_TRUE(has_line(text, "baton_read_only 1")) << text;
}

TEST(Meter, CountersWithoutLabelsAreThereFromTheStart) {
  EXPECT_TRUE(has_line(to_text(Meter().samples()), "baton_commits_refused_total 0"));
}

TEST(Meter, WhatIsReadIsNotCounted) {
  Reading reading;
  reading.set(Metric::http_refused, 7);
  const std::string text = to_text(Meter().samples(reading));
  EXPECT_EQ(count_lines(text, "baton_http_refused_total"), 1U) << text;
  EXPECT_TRUE(has_line(text, "baton_http_refused_total 7"));
}

TEST(Meter, ForeignTextCannotBreakALine) {
  Meter meter;
  meter.add(Metric::runs_submitted, {"a\"b\\c\nd"});
  meter.add(Metric::runs_submitted, {std::string(1000, 'x')});
  meter.add(Metric::runs_submitted, {"\xff\xfe"});
  const std::string text = to_text(meter.samples());
  EXPECT_EQ(count_lines(text, "baton_runs_submitted_total{"), 3U) << text;
  EXPECT_EQ(text.find(std::string(kLongestLabel + 1, 'x')), std::string::npos);
  EXPECT_EQ(text.find('\xff'), std::string::npos);
}

TEST(Meter, TooManyCombinationsCountUnderOther) {
  Meter meter;
  constexpr std::size_t kMore = 200;
  for (std::size_t i = 0; i < kMostSeries + kMore; ++i) {
    meter.add(Metric::tasks_ended, {"flow-" + std::to_string(i), "step", "completed"});
  }
  meter.add(Metric::tasks_ended, {"flow-1", "step", "completed"});  // known ones stay
  meter.add(Metric::tasks_ended, {"late", "step", "failed"});
  const std::string text = to_text(meter.samples());
  EXPECT_TRUE(
      has_line(text, R"(baton_tasks_ended_total{workflow="flow-1",step="step",status="completed"} 2)"));
  EXPECT_TRUE(has_line(text, R"(baton_tasks_ended_total{workflow="other",step="other",status="completed"} )" +
                                 std::to_string(kMore)))
      << text;
  EXPECT_TRUE(has_line(text, R"(baton_tasks_ended_total{workflow="other",step="other",status="failed"} 1)"));
  EXPECT_EQ(count_lines(text, "baton_tasks_ended_total{"), kMostSeries + 2);
  EXPECT_TRUE(has_line(text, "baton_metrics_at_limit 1")) << text;
}

TEST(Meter, GaugesBeyondTheLimitAreLeftOut) {
  Reading reading;
  for (std::size_t i = 0; i < kMostSeries + 5; ++i) {
    reading.set(Metric::queue_oldest, {"queue-" + std::to_string(i)}, 1);
  }
  const std::string text = to_text(Meter().samples(reading));
  EXPECT_EQ(count_lines(text, "baton_queue_oldest_seconds{"), kMostSeries);
  EXPECT_TRUE(has_line(text, "baton_metrics_at_limit 1"));
}

TEST(Meter, ATallyCountsOnceAndOnlyWhenItIsTold) {
  Meter meter;
  {
    Tally dropped(meter);
    dropped.add(Metric::runs_submitted, {"a"});
  }
  Tally tally(meter);
  tally.add(Metric::runs_submitted, {"a"});
  tally.observe(Metric::task_attempts, {"a", "completed"}, 2);
  EXPECT_TRUE(has_line(to_text(meter.samples()), R"(baton_runs_submitted_total{workflow="a"} 0)"));
  tally.count();
  tally.count();
  const std::string text = to_text(meter.samples());
  EXPECT_TRUE(has_line(text, R"(baton_runs_submitted_total{workflow="a"} 1)")) << text;
  EXPECT_TRUE(has_line(text, R"(baton_task_attempts_count{workflow="a",status="completed"} 1)")) << text;
}

TEST(Meter, TheLocaleDoesNotMatter) {
  struct Commas : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Commas));
  Reading reading;
  reading.set(Metric::queue_oldest, {"q"}, 1234567.5);
  const std::string text = to_text(Meter().samples(reading));
  std::locale::global(before);
  EXPECT_TRUE(has_line(text, R"(baton_queue_oldest_seconds{queue="q"} 1234567.5)")) << text;
}

TEST(Meter, ManyThreadsCountTogether) {
  Meter meter;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) meter.add(Metric::commands, {i % 2 == 0 ? "claim" : "report"});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(has_line(to_text(meter.samples()), R"(baton_commands_total{command="claim"} 2000)"));
}

TEST(Meter, WhatIsAboutANamespaceSaysSo) {
  Meter process;
  Meter one;
  Meter other;
  one.add(Metric::retries, {"w", "a"});
  other.add(Metric::retries, {"w", "a"}, 2);
  std::vector<std::vector<Sample>> lists{process.samples(), other.samples(), one.samples()};
  for (Sample& sample : lists[1]) sample.space = "b";
  for (Sample& sample : lists[2]) sample.space = "a";
  const std::string text = to_text(merged(std::move(lists)));
  const std::size_t first = text.find("baton_retries_total{namespace=\"a\",workflow=\"w\",step=\"a\"} 1");
  const std::size_t second = text.find("baton_retries_total{namespace=\"b\",workflow=\"w\",step=\"a\"} 2");
  ASSERT_NE(first, text.npos) << text;
  ASSERT_NE(second, text.npos) << text;
  EXPECT_LT(first, second);
  EXPECT_EQ(text.find("# TYPE baton_retries_total"), text.rfind("# TYPE baton_retries_total"));
}

}  // namespace
}  // namespace baton::telemetry
