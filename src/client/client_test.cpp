#include "client/client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "net/test_support.hpp"

namespace baton::client {
namespace {

// Lists of runs that come page by page, as the test says.
class Pages {
 public:
  explicit Pages(std::vector<std::string> pages) : pages_(std::move(pages)) {}

  void answer(net::Request request, net::Responder responder) {
    const std::lock_guard lock(mutex_);
    const std::string limit(net::find_query(request.query, "limit").value_or("none"));
    asked_.push_back(limit + " from " + std::string(net::find_query(request.query, "cursor").value_or("")));
    responder.respond(
        {200, {{"Content-Type", "application/json"}}, pages_[std::min(asked_.size(), pages_.size()) - 1]});
  }
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  std::mutex mutex_;
  const std::vector<std::string> pages_;  // the last one again and again
  std::vector<std::string> asked_;
};

using Asked = std::vector<std::string>;

TEST(Client, ShortPagesAreMadeUpFromThoseThatFollow) {
  Pages pages({R"({"items":[{"id":"a"}],"next":"c1"})", R"({"items":[],"next":"c2"})",
               R"({"items":[{"id":"b"},{"id":"c"}],"next":"c3"})"});
  const net::test::TestServer server([&](net::Request request, net::Responder responder) {
    pages.answer(std::move(request), std::move(responder));
  });
  Client client(server.endpoint);
  const auto page = client.runs({.limit = 3, .cursor = "c0"});
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->items.size(), 3U);
  EXPECT_EQ(page->items.back().at("id"), "c");
  EXPECT_EQ(page->next, "c3");
  EXPECT_EQ(pages.asked(), (Asked{"3 from c0", "2 from c1", "2 from c2"}));
}

TEST(Client, AListEndsWithItsLastPage) {
  Pages pages({R"({"items":[{"id":"a"}],"next":"c1"})", R"({"items":[],"next":null})"});
  const net::test::TestServer server([&](net::Request request, net::Responder responder) {
    pages.answer(std::move(request), std::move(responder));
  });
  Client client(server.endpoint);
  const auto page = client.runs({.limit = 3});
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->items.size(), 1U);
  EXPECT_EQ(page->next, "");
  EXPECT_EQ(pages.asked(), (Asked{"3 from ", "2 from c1"}));
}

TEST(Client, NobodyLooksForEver) {
  Pages pages({R"({"items":[],"next":"further"})"});
  const net::test::TestServer server([&](net::Request request, net::Responder responder) {
    pages.answer(std::move(request), std::move(responder));
  });
  Client client(server.endpoint);
  const auto page = client.runs({.limit = 3});
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(pages.asked().size(), 100U);
  EXPECT_EQ(page->next, "further");
}

// What came, as "METHOD key"; deleted is nothing.
std::vector<std::string> came_of(const std::function<void(Client&)>& ask) {
  std::mutex mutex;
  std::vector<std::string> came;
  const net::test::TestServer server([&](net::Request request, net::Responder responder) {
    const std::lock_guard lock(mutex);
    const bool removes = request.method == net::Method::delete_;
    came.push_back((removes ? "DELETE " : "POST ") +
                   std::string(request.headers.find("Idempotency-Key").value_or("-")));
    responder.respond(removes ? net::Response{404, {}, R"({"code":"not_found","detail":"there is none"})"}
                              : net::Response{200, {}, "{}"});
  });
  Client client(server.endpoint);
  ask(client);
  return came;
}

TEST(Client, TheTriesOfOneThingHaveOneKey) {
  const auto came = came_of([](Client& client) {
    for (const bool again : {false, true}) {
      client.set_try({"k", again});
      EXPECT_TRUE(client.steer_run("r", "recover", {}));
      EXPECT_TRUE(client.signal("r", "go", nullptr, "mine"));
    }
    client.set_try({});
    EXPECT_TRUE(client.steer_run("r", "recover", {}));
  });
  EXPECT_EQ(came, (Asked{"POST k", "POST mine", "POST k", "POST mine", "POST -"}));
}

TEST(Client, WhatAnEarlierTryHasDeletedIsDeleted) {
  came_of([](Client& client) {
    client.set_try({"k", false});
    const auto first = client.delete_limit("gpu");
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, ErrorCode::not_found);
    client.set_try({"k", true});
    const auto second = client.delete_limit("gpu");
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(second->at("name"), "gpu");
  });
}

}  // namespace
}  // namespace baton::client
