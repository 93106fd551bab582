#include <algorithm>
#include <atomic>
#include <boost/json/parse.hpp>

#include "api/test_support.hpp"
#include "net/sse.hpp"

namespace baton::api {
namespace {

class QueuesTest : public test::ApiTest {
 protected:
  net::Response send(net::Method method, const std::string& target, const std::string& body) {
    net::ClientRequest request{method, target, {}, body, false};
    request.headers.set("Content-Type", "application/json");
    return call(std::move(request));
  }

  QueuesTest() {
    runtime_.answer = [](const model::CommandBody& command) -> model::ReplyBody {
      if (!std::holds_alternative<model::AskSurvey>(command)) return model::Done{};
      model::Survey survey;
      model::QueueView media{.name = "media", .queued = 7, .pending = 3};
      media.set = {.name = "media", .max_waiting = 7, .weights = {{"acme", 3}}, .by = "cli:ada", .at = {1}};
      survey.queues = {media, {.name = "other"}};
      survey.routes.push_back({.pattern = "images.*", .queue = "media", .by = "cli:ada"});
      return survey;
    };
  }

  template <typename Command>
  std::optional<Command> sent() const {
    for (const auto& [command, actor] : runtime_.commands) {
      if (const auto* found = std::get_if<Command>(&command)) return *found;
    }
    return std::nullopt;
  }
};

TEST_F(QueuesTest, AreShownWithWhatIsSet) {
  const auto list = object(get("/api/v1/queues"));
  ASSERT_EQ(list.at("items").as_array().size(), 2U);
  EXPECT_TRUE(list.at("items").at(1).at("max_waiting").is_null());
  const auto one = object(get("/api/v1/queues/media"));
  EXPECT_EQ(one.at("max_waiting").as_int64(), 7);
  EXPECT_EQ(one.at("pending").as_int64(), 3);
  EXPECT_EQ(one.at("weights").at("acme").as_int64(), 3);
  EXPECT_EQ(one.at("set_by").as_string(), "cli:ada");
  EXPECT_EQ(code(get("/api/v1/queues/medai")), "not_found");
  EXPECT_NE(get("/api/v1/queues/medai").body.find("did you mean \\\"media\\\""), std::string::npos);
}

TEST_F(QueuesTest, AreChanged) {
  const auto changed =
      object(send(net::Method::patch, "/api/v1/queues/media",
                  R"({"max_waiting": 5, "weights": {"acme": null, "b": 2}, "reason": "r"})"));
  EXPECT_EQ(changed.at("name").as_string(), "media");
  const auto command = sent<model::SetQueue>();
  ASSERT_TRUE(command);
  EXPECT_EQ(command->name, "media");
  EXPECT_EQ(command->max_waiting, 5U);
  EXPECT_EQ(command->weights, (std::map<std::string, std::uint32_t>{{"acme", 0}, {"b", 2}}));
  EXPECT_EQ(command->reason, "r");
}

TEST_F(QueuesTest, WhatIsWrongIsSaid) {
  for (const char* body : {"{}", R"({"reason": "r"})", R"({"max_waiting": -1})", R"({"max_waiting": "many"})",
                           R"({"weights": {"a": 0}})", R"({"weights": {"a": 1001}})",
                           R"({"weights": {"a": 1.5}})", R"({"weights": []})", R"({"limit": 1})"}) {
    EXPECT_EQ(code(send(net::Method::patch, "/api/v1/queues/media", body)), "invalid_request") << body;
  }
  for (const char* body : {"{}", R"({"queue": 1})", R"({"queue": "q", "priority": 1})"}) {
    EXPECT_EQ(code(send(net::Method::put, "/api/v1/routes/a", body)), "invalid_request") << body;
  }
  EXPECT_FALSE(sent<model::SetQueue>());
  EXPECT_FALSE(sent<model::SetRoute>());
}

TEST_F(QueuesTest, RoutesAreListedSetAndTakenAway) {
  const auto list = object(get("/api/v1/routes"));
  EXPECT_EQ(list.at("items").at(0).at("queue").as_string(), "media");
  EXPECT_EQ(object(send(net::Method::put, "/api/v1/routes/nightly/*", R"({"queue": "slow"})"))
                .at("pattern")
                .as_string(),
            "nightly/*");
  auto command = sent<model::SetRoute>();
  ASSERT_TRUE(command);
  EXPECT_EQ(command->pattern, "nightly/*");
  EXPECT_EQ(command->queue, "slow");
  runtime_.commands.clear();
  EXPECT_EQ(object(send(net::Method::delete_, "/api/v1/routes/images.*", "")).at("queue").as_string(),
            "media");
  command = sent<model::SetRoute>();
  ASSERT_TRUE(command);
  EXPECT_EQ(command->queue, std::nullopt);
  const auto unknown = send(net::Method::delete_, "/api/v1/routes/image.*", "");
  EXPECT_EQ(code(unknown), "not_found");
  EXPECT_NE(unknown.body.find("did you mean \\\"images.*\\\""), std::string::npos);
}

TEST_F(QueuesTest, AreFollowed) {
  std::atomic<std::uint32_t> queued = 7;
  runtime_.answer = [&](const model::CommandBody&) -> model::ReplyBody {
    model::Survey survey;
    if (queued > 0) survey.queues = {{.name = "media", .queued = queued}};
    return survey;
  };
  EXPECT_EQ(code(get("/api/v1/queues/medai/events")), "not_found");
  net::HttpClient client(endpoint());
  net::SseParser parser;
  std::vector<std::int64_t> seen;
  const auto response = client.stream(
      {.target = "/api/v1/queues/media/events"},
      [&](std::string_view piece) {
        EXPECT_TRUE(parser.feed(piece, [&](const net::SseEvent& event) {
          EXPECT_EQ(event.event, "queue");
          const auto queue = boost::json::parse(event.data).as_object();
          EXPECT_EQ(queue.at("name").as_string(), "media");
          seen.push_back(queue.at("queued").as_int64());
          return true;
        }));
        queued = seen.size() == 1 ? 5 : 0;  // the last: nobody knows it any more
        return seen.size() < 3;
      },
      test::kPatience);
  EXPECT_TRUE(response) << response.error().message;
  EXPECT_EQ(seen, (std::vector<std::int64_t>{7, 5, 0}));
}

}  // namespace
}  // namespace baton::api
