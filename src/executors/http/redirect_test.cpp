#include "executors/http/redirect.hpp"

#include <gtest/gtest.h>

namespace baton::executors::http {
namespace {

Request request(const std::string& method, const std::string& more = "") {
  Attempt attempt;
  attempt.spec =
      R"({"request":{"url":"https://a.example/x/y?q=1","method":")" + method + R"(","json":{"k":1},)" +
      R"("headers":{"Authorization":"Bearer s","X-Api-Key":"s","Cookie":"s","Accept":"a/b"})" + more + "}}";
  const auto out = parse_request(attempt);
  EXPECT_TRUE(out) << out.error().message;
  return *out;
}

net::Response to(int status, const char* location) {
  return {.status = status, .headers = {{"Location", location}}, .body = {}};
}

TEST(HttpRedirect, MethodsAndBodies) {
  struct Row {
    int status;
    const char* method;
    net::Method then;
  };
  using enum net::Method;
  const Row table[] = {{301, "POST", get},   {302, "POST", get},       {303, "POST", get},
                       {307, "POST", post},  {308, "POST", post},      {301, "PUT", put},
                       {302, "PUT", put},    {303, "PUT", get},        {307, "PUT", put},
                       {301, "GET", get},    {303, "HEAD", head},      {302, "HEAD", head},
                       {303, "DELETE", get}, {302, "DELETE", delete_}, {308, "PATCH", patch}};
  for (const Row& row : table) {
    const auto next = redirected(request(row.method), to(row.status, "/z"));
    ASSERT_TRUE(next && *next) << row.status << row.method;
    const Request& then = **next;
    EXPECT_EQ(then.method, row.then) << row.status << row.method;
    EXPECT_EQ(then.url.text(), "https://a.example/z");
    EXPECT_EQ(then.headers.find("Authorization"), "Bearer s") << "the same origin";
    const bool lost_body = row.then == get && std::string_view(row.method) != "GET";
    EXPECT_EQ(then.body, lost_body ? "" : R"({"k":1})");
    EXPECT_EQ(then.headers.find("Content-Type").has_value(), !lost_body);
    if (lost_body) EXPECT_FALSE(then.headers.find("Idempotency-Key"));
  }
}

TEST(HttpRedirect, CredentialsStayWithTheirOrigin) {
  for (const char* place :
       {"https://b.example/z", "https://a.example:8443/z", "//b.example/z", "https://a.example.evil/"}) {
    const auto next = redirected(request("POST"), to(307, place));
    ASSERT_TRUE(next && *next) << place;
    std::string names;
    for (const auto& [name, value] : (*next)->headers) names += name + " ";
    EXPECT_EQ(names, "Accept User-Agent Accept-Encoding Content-Type Idempotency-Key traceparent ") << place;
  }
  const auto same = redirected(request("GET"), to(302, "https://A.example:443/z"));
  ASSERT_TRUE(same && *same);
  EXPECT_TRUE((*same)->headers.find("Cookie"));
}

TEST(HttpRedirect, PlacesThatAreNotFollowed) {
  for (const char* place : {"http://a.example/", "ftp://a.example/", "javascript:x", "https://u:p@b.example/",
                            "https://", "//"}) {
    const auto next = redirected(request("GET"), to(302, place));
    ASSERT_TRUE(next) << place;
    EXPECT_FALSE(*next) << place;
  }
}

TEST(HttpRedirect, WhatIsNoRedirect) {
  EXPECT_FALSE(redirected(request("GET"), to(200, "/z")));
  EXPECT_FALSE(redirected(request("GET"), to(304, "/z")));
  EXPECT_FALSE(redirected(request("GET"), to(300, "/z")));
  EXPECT_FALSE(redirected(request("GET"), {.status = 302, .headers = {}, .body = {}}));
  EXPECT_FALSE(redirected(request("GET", R"(,"expect":["3xx"])"), to(302, "/z")));
}

}  // namespace
}  // namespace baton::executors::http
