#include "api/router.hpp"

#include <gtest/gtest.h>

#include <set>

namespace baton::api {
namespace {

TEST(Router, Captures) {
  const Match match = find_route(net::Method::get, "/api/v1/tasks/abc.1/logs");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->pattern, "/api/v1/tasks/{id}/logs");
  EXPECT_EQ(match.captures, std::vector<std::string>{"abc.1"});
}

TEST(Router, ANameMayHaveSlashes) {
  for (const char* name : {"gpu", "/mnt/disk", "https://host/a", "a//b/"}) {
    const Match match = find_route(net::Method::get, std::string("/api/v1/limits/") + name);
    ASSERT_NE(match.route, nullptr) << name;
    EXPECT_EQ(match.captures, std::vector<std::string>{name});
  }
  EXPECT_EQ(find_route(net::Method::get, "/api/v1/limits/").route, nullptr);
}

TEST(Router, SaysWhichMethodsAPathTakes) {
  const Match match = find_route(net::Method::delete_, "/api/v1/runs");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allowed, (std::vector{net::Method::post, net::Method::get}));
  EXPECT_EQ(allow_text(match.allowed), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(allow_text({net::Method::delete_}), "DELETE, OPTIONS");
  EXPECT_FALSE(match.open);
  EXPECT_TRUE(find_route(net::Method::post, "/livez").open);
  EXPECT_FALSE(find_route(net::Method::post, "/livezz").open);
}

TEST(Router, NothingNearlyMatches) {
  for (const char* path :
       {"//", "/index.html", "/api/v1/run", "/api/v1/runs/", "/api/v1/runs//events", "/api/v1/runs/a/b",
        "/api/v1/runs/a/events/", "/livez/x", "/api/v1/tasks/a.1/logs/livez"}) {
    const Match match = find_route(net::Method::get, path);
    EXPECT_EQ(match.route, nullptr) << path;
    EXPECT_TRUE(match.allowed.empty()) << path;
  }
}

TEST(Router, RoutesAreDistinct) {
  std::set<std::pair<net::Method, std::string_view>> seen;
  for (const Route& route : routes())
    EXPECT_TRUE(seen.emplace(route.method, route.pattern).second) << route.pattern;
}

}  // namespace
}  // namespace baton::api
