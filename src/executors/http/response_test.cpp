#include "executors/http/response.hpp"

#include <gtest/gtest.h>

#include "executors/json_text.hpp"

namespace baton::executors::http {
namespace {

using Kind = model::Outcome::Kind;
constexpr WallTime kNow{784'111'777'000'000};  // 1994-11-06T08:49:37Z

Request request(const std::string& members = "", const std::string& rest = "") {
  Attempt attempt;
  attempt.spec = "{\"request\":{\"url\":\"http://h:1/p?secret=1\"" + members + "}" + rest + "}";
  return *parse_request(attempt);
}

net::Response response(int status, const std::string& type, std::string body, net::Headers more = {}) {
  if (!type.empty()) more.add("Content-Type", type);
  return {.status = status, .headers = std::move(more), .body = std::move(body)};
}

// What stands behind `"body":` in the result.
std::string body_of(const std::string& type, const std::string& body) {
  const model::Outcome outcome = outcome_of(request(), response(200, type, body), kNow);
  EXPECT_EQ(outcome.kind, Kind::completed) << outcome.failure.message;
  EXPECT_EQ(json_problem(outcome.result), std::nullopt) << outcome.result;
  const auto at = outcome.result.find("\"body\":");
  return outcome.result.substr(at + 7, outcome.result.size() - at - 8);
}

TEST(HttpResponse, BodiesByContentType) {
  EXPECT_EQ(body_of("application/json", " {\"a\": 1.50} \r\n"), "{\"a\": 1.50}") << "as the server wrote it";
  EXPECT_EQ(body_of("Application/JSON; charset=UTF-8", "[1]"), "[1]");
  EXPECT_EQ(body_of("application/problem+json", "null"), "null");
  EXPECT_EQ(body_of("text/json", "\xEF\xBB\xBF{}"), "{}");
  EXPECT_EQ(body_of("application/json", ""), "null");
  EXPECT_EQ(body_of("text/plain", "{\"a\":1}"), R"("{\"a\":1}")");
  EXPECT_EQ(body_of("", "plain"), R"("plain")");
  EXPECT_EQ(body_of("text/plain", "\xEF\xBB\xBFx"), R"("x")");
  EXPECT_EQ(body_of("text/plain; charset=utf-8", "gr\xC3\xBC\xC3\x9F"), "\"gr\xC3\xBC\xC3\x9F\"");
  EXPECT_EQ(body_of("text/plain;charset=\"ISO-8859-1\"", "gr\xFC\xDF"), "\"gr\xC3\xBC\xC3\x9F\"");
  EXPECT_EQ(body_of("application/octet-stream", std::string("a\xFF\0b", 4)), "\"a\xEF\xBF\xBD\\u0000b\"");
}

TEST(HttpResponse, HeadersAreLowerCaseAndJoined) {
  const auto outcome = outcome_of(request(),
                                  response(204, "", "",
                                           {{"X-B", "2"},
                                            {"x-a", "1"},
                                            {"X-b", "3"},
                                            {"Set-Cookie", "s=1"},
                                            {"set-cookie", "t=2"},
                                            {"X-Raw", "\xFF"}}),
                                  kNow);
  EXPECT_EQ(outcome.result,
            "{\"status\":204,\"headers\":{\"set-cookie\":\"s=1\\nt=2\",\"x-a\":\"1\",\"x-b\":\"2, "
            "3\",\"x-raw\":\"\xEF\xBF\xBD\"},"
            "\"body\":null}");
}

TEST(HttpResponse, WhatIsNotWhatItSays) {
  const auto no_json = outcome_of(request(), response(200, "application/json", "{\"a\":"), kNow);
  EXPECT_EQ(no_json.kind, Kind::failed);
  EXPECT_EQ(no_json.failure.type, "validation");
  EXPECT_TRUE(no_json.failure.never_retry);
  EXPECT_NE(no_json.failure.message.find("not valid JSON"), std::string::npos) << no_json.failure.message;
  const auto deep = outcome_of(request(), response(200, "application/json", std::string(100'000, '[')), kNow);
  EXPECT_EQ(deep.failure.type, "validation");
  const auto packed =
      outcome_of(request(), response(200, "text/plain", "\x1f\x8b", {{"Content-Encoding", "gzip"}}), kNow);
  EXPECT_EQ(packed.failure.type, "validation");
  EXPECT_NE(packed.failure.message.find("compressed (gzip)"), std::string::npos);
}

TEST(HttpResponse, TheSchemaIsAboutTheBody) {
  const std::string schema =
      R"(,"response_schema":{"type":"object","required":["text"],"properties":{"n":{"type":"array","items":{"type":"integer"}}}})";
  EXPECT_EQ(
      outcome_of(request("", schema), response(200, "application/json", R"({"text":1,"n":[1]})"), kNow).kind,
      Kind::completed);
  const auto outcome = outcome_of(
      request("", schema), response(200, "application/json", R"({"text":"x","n":[1,2,"three"]})"), kNow);
  EXPECT_EQ(outcome.failure.type, "validation");
  EXPECT_TRUE(outcome.failure.never_retry);
  EXPECT_NE(outcome.failure.message.find("at \"/n/2\" it must be an integer"), std::string::npos)
      << outcome.failure.message;
  EXPECT_EQ(outcome_of(request("", schema), response(200, "text/html", "<html>"), kNow).failure.type,
            "validation");
  EXPECT_EQ(outcome_of(request("", schema), response(200, "", ""), kNow).failure.type, "validation");
  EXPECT_EQ(outcome_of(request("", schema), response(503, "text/html", "<html>"), kNow).failure.type, "http")
      << "a refusal need not fit";
}

TEST(HttpResponse, Refusals) {
  const auto outcome = outcome_of(
      request(), response(503, "application/problem+json", R"({"detail":"model is\nloading"})"), kNow);
  EXPECT_EQ(outcome.kind, Kind::failed);
  EXPECT_EQ(outcome.failure.type, "http");
  EXPECT_EQ(outcome.failure.status, 503);
  EXPECT_FALSE(outcome.failure.never_retry);
  EXPECT_EQ(outcome.failure.message, "GET http://h:1/p?…: 503 Service Unavailable: model is");
  EXPECT_EQ(
      outcome.result,
      R"({"status":503,"headers":{"content-type":"application/problem+json"},"body":{"detail":"model is\nloading"}})");
  const std::pair<net::Response, const char*> table[] = {
      {response(404, "text/plain", "no such thing\nmore"), "404 Not Found: no such thing"},
      {response(500, "text/html", "<h1>Oops</h1>"), "500 Internal Server Error"},
      {response(400, "application/json", R"({"error":{"message":"bad \u001b[31m"}})"),
       "400 Bad Request: bad \\x1b[31m"},
      {response(400, "application/json", R"({"error":"e","message":"m"})"), "400 Bad Request: m"},
      {response(400, "application/json", "{broken"), "400 Bad Request"},
      {response(301, "", ""), "301 Moved Permanently"},
  };
  for (const auto& [refusal, message] : table) {
    const auto refused = outcome_of(request(), refusal, kNow);
    EXPECT_EQ(refused.failure.message, "GET http://h:1/p?…: " + std::string(message));
    EXPECT_EQ(json_problem(refused.result), std::nullopt) << refused.result;
  }
  const auto large = outcome_of(request(), response(500, "text/plain", std::string(1 << 20, 'x')), kNow);
  EXPECT_LT(large.failure.message.size(), 400u);
  EXPECT_LT(large.result.size(), 70'000u);
  EXPECT_EQ(outcome_of(request(R"(,"expect":[404])"), response(404, "", "x"), kNow).kind, Kind::completed);
  EXPECT_EQ(outcome_of(request(R"(,"expect":[404])"), response(200, "", "x"), kNow).failure.status, 200);
}

TEST(HttpResponse, RetryAfter) {
  const auto wish = [](const char* value) {
    return outcome_of(request(), response(429, "", "", {{"Retry-After", value}}), kNow).failure.retry_after;
  };
  EXPECT_EQ(wish("120"), Duration::seconds(120));
  EXPECT_EQ(wish(" 0 "), Duration{});
  EXPECT_EQ(wish("999999999999"), Duration::hours(24));
  EXPECT_EQ(wish("Sun, 06 Nov 1994 08:50:37 GMT"), Duration::seconds(60));
  EXPECT_EQ(wish("Sunday, 06-Nov-94 08:50:37 GMT"), Duration::seconds(60));
  EXPECT_EQ(wish("Sun, 06 Nov 1994 08:00:00 GMT"), Duration{});
  for (const char* nonsense : {"", "soon", "-5", "1.5", "12x", "99999999999999999999999"}) {
    EXPECT_EQ(wish(nonsense), std::nullopt) << nonsense;
  }
}

}  // namespace
}  // namespace baton::executors::http
