// Events and logs: answers that go on.
#include <boost/json/parse.hpp>
#include <thread>

#include "api/test_support.hpp"
#include "logs/paths.hpp"
#include "logs/writer.hpp"
#include "net/sse.hpp"

namespace baton::api {
namespace {

using model::Fact;
using model::FactKind;
using model::TaskStatus;

class EventsTest : public test::ApiTest {
 protected:
  EventsTest() : run_(new_run("name: e\nsteps:\n  a: {run: x}\n")) {}

  Fact fact(FactKind kind, std::uint32_t attempt = 0) const {
    Fact fact;
    fact.kind = kind;
    fact.at = test::kThen;
    fact.attempt = attempt;
    return fact;
  }
  void end_run() {
    Fact ended = fact(FactKind::run_ended);
    ended.status = static_cast<std::uint8_t>(model::RunStatus::completed);
    run_.status = model::RunStatus::completed;
    add_facts(run_, {ended});
  }

  // Until the stream ends, or `enough` of them.
  std::vector<net::SseEvent> events(const std::string& after = "", std::size_t enough = SIZE_MAX) {
    return events_of("/api/v1/runs/" + run_.id.text() + "/events", after, enough);
  }
  std::vector<net::SseEvent> events_of(const std::string& target, const std::string& after = "",
                                       std::size_t enough = SIZE_MAX) {
    net::ClientRequest request;
    request.target = target;
    if (!after.empty()) request.headers.set("Last-Event-ID", after);
    net::HttpClient client(endpoint());
    net::SseParser parser;
    std::vector<net::SseEvent> found;
    const auto response = client.stream(
        request,
        [&](std::string_view piece) {
          return parser
                     .feed(piece,
                           [&](net::SseEvent event) {
                             found.push_back(std::move(event));
                             return found.size() < enough;
                           })
                     .has_value() &&
                 found.size() < enough;
        },
        test::kPatience);
    EXPECT_TRUE(response) << response.error().message;
    return found;
  }

  model::RunRow run_;
};

TEST_F(EventsTest, TellsWhatHappenedAndEnds) {
  add_facts(run_, {fact(FactKind::run_submitted), fact(FactKind::task_queued)});
  add_facts(run_, {fact(FactKind::attempt_started, 1)});
  end_run();
  const auto found = events();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].event, "run.submitted");
  EXPECT_EQ(found[1].event, "task.queued");
  EXPECT_EQ(found[2].event, "attempt.started");
  EXPECT_EQ(found[3].event, "run.ended");
  EXPECT_EQ(found[0].id, "0:2:0") << "shard, commit, number of the fact in it";
  EXPECT_EQ(found[1].id, "0:2:1");
  EXPECT_EQ(found[2].data, R"({"type":"attempt.started","at":"2026-11-21T01:46:00.123Z","task":")" +
                               run_.id.text() + R"(.0","step":"a","step_index":0,"attempt":1,"worker":""})");
}

TEST_F(EventsTest, OfOneTaskAreItsOwn) {
  put(task(run_, 0, 0));
  Fact other = fact(FactKind::attempt_started, 1);
  other.task = 1;
  add_facts(run_, {fact(FactKind::run_submitted), fact(FactKind::task_queued), other});
  add_facts(run_, {fact(FactKind::attempt_started, 1)});
  end_run();
  const std::string target = "/api/v1/tasks/" + run_.id.text() + ".0/events";
  const auto found = events_of(target);
  ASSERT_EQ(found.size(), 2U) << "and it ends with its run";
  EXPECT_EQ(found[0].event, "task.queued");
  EXPECT_EQ(found[1].event, "attempt.started");
  EXPECT_EQ(events_of(target, found[0].id), std::vector(found.begin() + 1, found.end()));
  EXPECT_EQ(code(get("/api/v1/tasks/" + run_.id.text() + ".7/events")), "not_found");
}

TEST_F(EventsTest, OfATaskThatHasNotBegun) {
  add_facts(run_, {fact(FactKind::run_submitted)});
  end_run();
  EXPECT_TRUE(events_of("/api/v1/tasks/" + run_.id.text() + ".0/events").empty());
}

TEST_F(EventsTest, ResumesAfterTheLastOne) {
  add_facts(run_, {fact(FactKind::run_submitted), fact(FactKind::task_queued)});
  add_facts(run_, {fact(FactKind::attempt_started, 1)});
  end_run();
  const auto all = events();
  for (std::size_t seen = 0; seen < all.size(); ++seen) {
    const auto rest = events(all[seen].id);
    EXPECT_EQ(rest, std::vector(all.begin() + static_cast<std::ptrdiff_t>(seen) + 1, all.end())) << seen;
  }
}

TEST_F(EventsTest, WhatFollowsTheEndIsToldToo) {
  add_facts(run_, {fact(FactKind::run_submitted)});
  end_run();
  add_facts(run_, {fact(FactKind::resource_cleaned)});
  const auto all = events();
  ASSERT_EQ(all.size(), 3U) << "and then it ends";
  EXPECT_EQ(all.back().event, "resource.cleaned");
  EXPECT_EQ(events(all[1].id).size(), 1U);
  EXPECT_TRUE(events(all[2].id).empty());
}

TEST_F(EventsTest, ARunThatIsRecoveredBeginsAgain) {
  add_facts(run_, {fact(FactKind::run_submitted)});
  end_run();
  const std::string end = events().back().id;
  run_.status = model::RunStatus::recovering;
  add_facts(run_, {fact(FactKind::run_recovered)});
  std::vector<net::SseEvent> found;
  std::thread reading([&] { found = events(end); });
  while (api_->under_way() == 0) std::this_thread::yield();
  end_run();
  reading.join();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found.back().event, "run.ended");
}

TEST_F(EventsTest, ManyCommitsComeInOrderAndOnce) {
  constexpr int kCommits = 150;  // several pages
  for (int i = 1; i <= kCommits; ++i) {
    add_facts(run_, {fact(FactKind::attempt_started, static_cast<std::uint32_t>(i))});
  }
  end_run();
  const auto found = events();
  ASSERT_EQ(found.size(), kCommits + 1U);
  for (int i = 0; i < kCommits; ++i) {
    EXPECT_NE(found[static_cast<std::size_t>(i)].data.find("\"attempt\":" + std::to_string(i + 1) + ","),
              std::string::npos);
  }
}

TEST_F(EventsTest, MoreFactsThanFitInTheBuffer) {
  constexpr std::size_t kFacts = 20'000;
  add_facts(run_, std::vector<Fact>(kFacts, fact(FactKind::attempt_started, 1)));
  end_run();
  EXPECT_EQ(events().size(), kFacts + 1);
}

TEST_F(EventsTest, FollowsARunThatGoesOn) {
  add_facts(run_, {fact(FactKind::run_submitted)});
  std::vector<net::SseEvent> found;
  std::thread reading([&] { found = events(); });
  while (api_->under_way() == 0) std::this_thread::yield();
  for (std::uint32_t i = 1; i <= 40; ++i) add_facts(run_, {fact(FactKind::attempt_started, i)});
  end_run();
  reading.join();
  EXPECT_EQ(found.size(), 42U);
}

TEST_F(EventsTest, AClientThatLeavesIsForgotten) {
  add_facts(run_, {fact(FactKind::run_submitted)});
  EXPECT_EQ(events("", 1).size(), 1U);
  while (api_->under_way() != 0) std::this_thread::yield();
}

TEST_F(EventsTest, AnIdFromTheFutureStartsAnew) {
  add_facts(run_, {fact(FactKind::run_submitted)});
  end_run();
  const auto found = events("0:999:0");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].event, "reset");
  EXPECT_EQ(found[1].event, "run.submitted");
}

TEST_F(EventsTest, RefusesIdsThatItDidNotGiveOut) {
  for (const char* id : {"x", "1:1:1", "0:1", "0:1:", "0:1:1:1", "0:-1:0", "0:99999999999999999999:0"}) {
    const auto response = get("/api/v1/runs/" + run_.id.text() + "/events", {{"Last-Event-ID", id}});
    EXPECT_EQ(response.status, 400) << id;
  }
}

class LogsTest : public test::ApiTest {
 protected:
  LogsTest() : run_(new_run("name: l\nsteps:\n  a: {run: x}\n")), row_(task(run_, 0, 0)) {}

  void set(TaskStatus status, std::uint32_t starts) {
    row_.status = status;
    row_.starts = starts;
    put(row_);
  }
  std::string path(const std::string& query = "") const {
    return "/api/v1/tasks/" + run_.id.text() + ".0/logs" + query;
  }

  model::RunRow run_;
  model::TaskRow row_;
};

TEST_F(LogsTest, GivesTheLastAttempt) {
  write_log(run_, 0, 1, {"first"});
  write_log(run_, 0, 2, {"second", "line"});
  set(TaskStatus::completed, 2);
  EXPECT_EQ(get(path()).body, "second\nline\n");
  EXPECT_EQ(get(path("?attempt=1")).body, "first\n");
  EXPECT_EQ(get(path("?tail=1")).body, "line\n");
  EXPECT_EQ(get(path("?tail=0")).body, "");
  EXPECT_EQ(get(path("?timestamps=true&tail=1")).body, "2026-11-21T01:46:00.123Z line\n");
}

TEST_F(LogsTest, AsObjects) {
  write_log(run_, 0, 1, {"one", "t\"wo"});
  set(TaskStatus::completed, 1);
  const auto response = get(path("?format=jsonl"));
  EXPECT_EQ(response.headers.find("Content-Type"), "application/jsonl");
  EXPECT_EQ(
      response.body,
      "{\"at\":\"2026-11-21T01:46:00.123Z\",\"attempt\":1,\"stream\":\"stdout\",\"text\":\"one\"}\n"
      "{\"at\":\"2026-11-21T01:46:00.123Z\",\"attempt\":1,\"stream\":\"stdout\",\"text\":\"t\\\"wo\"}\n");
}

TEST_F(LogsTest, EscapesAreVisibleUnlessRaw) {
  write_log(run_, 0, 1, {"\x1b[31mred"});
  set(TaskStatus::completed, 1);
  EXPECT_EQ(get(path()).body.find('\x1b'), std::string::npos);
  EXPECT_EQ(get(path("?raw=true")).body, "\x1b[31mred\n");
}

TEST_F(LogsTest, ATaskWithoutOutputHasAnEmptyLog) {
  EXPECT_EQ(get(path()).body, "");
  set(TaskStatus::completed, 1);
  EXPECT_EQ(get(path()).body, "");
  const auto missing = get(path("?attempt=2"));
  EXPECT_EQ(missing.status, 404);
  EXPECT_NE(detail(missing).find("1 attempt"), std::string::npos);
}

TEST_F(LogsTest, ALongLogIsWhole) {
  std::vector<std::string> lines;
  for (int i = 0; i < 20'000; ++i) lines.push_back("line " + std::to_string(i) + std::string(40, '.'));
  write_log(run_, 0, 1, lines);
  set(TaskStatus::completed, 1);
  std::string wanted;
  for (const std::string& line : lines) wanted += line + '\n';
  EXPECT_EQ(get(path()).body, wanted);
}

TEST_F(LogsTest, FollowsThroughAttemptsUntilTheTaskHasEnded) {
  std::string body;
  std::thread reading([&] { body = get(path("?follow=true")).body; });
  while (api_->under_way() == 0) std::this_thread::yield();
  write_log(run_, 0, 1, {"one"});
  set(TaskStatus::running, 1);
  set(TaskStatus::retrying, 1);
  write_log(run_, 0, 2, {"two"});
  set(TaskStatus::running, 2);
  set(TaskStatus::completed, 2);
  reading.join();
  EXPECT_TRUE(body == "one\ntwo\n" || body == "two\n") << body << " (the latter if it began late)";
}

TEST_F(LogsTest, FollowingOneAttemptEndsWithIt) {
  write_log(run_, 0, 1, {"one"});
  set(TaskStatus::retrying, 1);
  EXPECT_EQ(get(path("?follow=true&attempt=1")).body, "one\n");
}

TEST_F(LogsTest, OfATime) {
  {
    logs::Writer writer(directory_ + "/logs/" + logs::attempt_path({run_.id, 0}, 1));
    for (const std::int64_t second : {0, 1, 2, 3}) {
      const WallTime at = test::kThen + Duration::seconds(second);
      writer.write(logs::Stream::out, std::to_string(second) + "\n", at);
      writer.flush(at);
    }
  }
  set(TaskStatus::completed, 1);
  EXPECT_EQ(get(path("?since=2026-11-21T01:46:01.123Z")).body, "1\n2\n3\n");
  EXPECT_EQ(get(path("?until=2026-11-21T01:46:01.123Z")).body, "0\n");
  EXPECT_EQ(get(path("?since=2026-11-21T01:46:01Z&until=2026-11-21T01:46:03Z")).body, "1\n2\n");
  EXPECT_EQ(get(path("?tail=2&until=2026-11-21T01:46:03Z")).body, "2\n");
  EXPECT_EQ(get(path("?since=2026-11-22T00:00:00Z")).body, "");
}

TEST_F(LogsTest, AsAFile) {
  write_log(run_, 0, 1, {"one"});
  set(TaskStatus::completed, 1);
  EXPECT_FALSE(get(path()).headers.find("Content-Disposition"));
  const auto response = get(path("?download=true"));
  EXPECT_EQ(response.body, "one\n");
  EXPECT_EQ(response.headers.find("Content-Disposition"),
            "attachment; filename=\"" + run_.id.text() + ".0.log\"");
}

TEST_F(LogsTest, RefusesWrongQueries) {
  for (const char* query :
       {"?format=xml", "?follow=maybe", "?tail=-1", "?attempt=0", "?tale=1", "?since=yesterday", "?until=1",
        "?follow=true&until=2026-11-21T01:46:01Z", "?download=2"}) {
    EXPECT_EQ(get(path(query)).status, 400) << query;
  }
}

}  // namespace
}  // namespace baton::api
