// What happens to all runs, as events.
#include <boost/json/parse.hpp>
#include <future>
#include <thread>

#include "api/test_support.hpp"
#include "net/sse.hpp"

namespace baton::api {
namespace {

using model::Fact;
using model::FactKind;

class EventFeedTest : public test::ApiTest {
 protected:
  EventFeedTest()
      : first_(new_run("name: etl\nsteps:\n  a: {run: x}\n")),
        second_(new_run("name: web\nsteps:\n  b: {run: x}\n")) {}

  Fact fact(FactKind kind, std::uint32_t attempt = 0) const {
    Fact fact;
    fact.kind = kind;
    fact.at = test::kThen;
    fact.attempt = attempt;
    return fact;
  }

  // The first ones, once the stream has begun and `then` was done.
  std::vector<net::SseEvent> events(const std::string& target, std::size_t enough,
                                    const std::string& after = "", const std::function<void()>& then = {}) {
    net::ClientRequest request;
    request.target = target;
    if (!after.empty()) request.headers.set("Last-Event-ID", after);
    net::HttpClient client(endpoint());
    net::SseParser parser;
    std::vector<net::SseEvent> found;
    std::jthread doing;
    if (then) {
      // Until the stream is there: it begins with the first commit that it sees.
      doing = std::jthread([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) then();
      });
    }
    const auto response = client.stream(
        request,
        [&](std::string_view piece) {
          const auto parsed = parser.feed(piece, [&](net::SseEvent event) {
            found.push_back(std::move(event));
            return found.size() < enough;
          });
          return parsed.has_value() && found.size() < enough;
        },
        test::kPatience);
    EXPECT_TRUE(response) << response.error().message;
    return found;
  }

  model::RunRow first_;
  model::RunRow second_;
};

TEST_F(EventFeedTest, TellsOfAllRunsBehindTheLastEvent) {
  add_facts(first_, {fact(FactKind::run_submitted), fact(FactKind::task_queued)});
  add_facts(second_, {fact(FactKind::attempt_started, 1)});
  const auto all = events("/api/v1/events?after=0:1:0", 4);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].event, "reset") << "the first commits have no facts, so there is no such event";
  EXPECT_EQ(all[1].event, "run.submitted");
  EXPECT_EQ(all[2].event, "task.queued");
  EXPECT_EQ(all[3].event, "attempt.started");
  const auto data = boost::json::parse(all[3].data).as_object();
  EXPECT_EQ(data.at("run").as_string(), second_.id.text());
  EXPECT_EQ(data.at("workflow").as_string(), "web");
  EXPECT_EQ(data.at("fact").at("type").as_string(), "attempt.started");
  EXPECT_EQ(data.at("fact").at("step").as_string(), "b");
  // Within a commit as well.
  const auto rest = events("/api/v1/events", 2, all[1].id);
  EXPECT_EQ(rest, std::vector(all.begin() + 2, all.end()));
}

TEST_F(EventFeedTest, BeginsWithWhatHappensFromNowOn) {
  add_facts(first_, {fact(FactKind::run_submitted)});
  const auto found =
      events("/api/v1/events", 1, "", [&] { add_facts(second_, {fact(FactKind::run_started)}); });
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].event, "run.started");
}

TEST_F(EventFeedTest, IsNarrowedByWorkflowAndType) {
  for (int i = 0; i < 40; ++i) {
    add_facts(first_, {fact(FactKind::attempt_started, 1), fact(FactKind::run_started)});
    add_facts(second_, {fact(FactKind::attempt_started, 1), fact(FactKind::run_paused)});
  }
  const auto seen = events("/api/v1/events?after=0:1:0", 2)[1].id;
  for (const auto& event : events("/api/v1/events?workflow=web&type=run", 39, seen)) {
    EXPECT_EQ(event.event, "run.paused");
  }
  for (const auto& event : events("/api/v1/events?workflow=web,etl&type=run.started", 39, seen)) {
    EXPECT_EQ(event.event, "run.started");
  }
}

TEST_F(EventFeedTest, WhatItDoesNotKnowIsRefusedOrReset) {
  EXPECT_NE(detail(get("/api/v1/events?type=run.end")).find("did you mean \"run.ended\"?"),
            std::string::npos);
  EXPECT_EQ(code(get("/api/v1/events?after=nonsense")), "invalid_request");
  EXPECT_EQ(code(get("/api/v1/events?worflow=x")), "invalid_request");
  add_facts(first_, {fact(FactKind::run_submitted)});
  const auto found =
      events("/api/v1/events", 2, "0:900000:0", [&] { add_facts(second_, {fact(FactKind::run_started)}); });
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].event, "reset") << "an id of a time that this data has not seen";
  EXPECT_EQ(found[0].id, "");
  EXPECT_EQ(found[1].event, "run.started");
}

}  // namespace
}  // namespace baton::api
