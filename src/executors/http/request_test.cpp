#include "executors/http/request.hpp"

#include <gtest/gtest.h>

#include "base/trace_context.hpp"

namespace baton::executors::http {
namespace {

const RunId kRun = *RunId::parse("0190a3b2-7c11-7000-8000-000000000007");

Attempt attempt_of(std::string spec) {
  Attempt attempt;
  attempt.token = {3, 1042};
  attempt.task = {kRun, 7};
  attempt.spec = std::move(spec);
  return attempt;
}

Request parsed(const std::string& members, const std::string& rest = "") {
  const auto request = parse_request(attempt_of("{\"request\":{" + members + "}" + rest + "}"));
  EXPECT_TRUE(request) << members << ": " << request.error().message;
  return request ? *request : Request{};
}

std::string header(const Request& request, const char* name) {
  return std::string(request.headers.find(name).value_or("(none)"));
}

TEST(HttpRequest, WhatIsUsual) {
  const Request request = parsed(R"("url":"http://h/x")");
  EXPECT_EQ(request.method, net::Method::get);
  EXPECT_EQ(request.url.text(), "http://h/x");
  EXPECT_EQ(header(request, "Accept"), "application/json, */*;q=0.8");
  EXPECT_EQ(header(request, "User-Agent"), "baton");
  EXPECT_EQ(header(request, "Accept-Encoding"), "identity");
  EXPECT_EQ(header(request, "Idempotency-Key"), "(none)") << "a GET changes nothing";
  EXPECT_EQ(header(request, "Content-Type"), "(none)");
  EXPECT_TRUE(request.expects(200));
  EXPECT_TRUE(request.expects(299));
  EXPECT_FALSE(request.expects(300));
  EXPECT_FALSE(request.expects(199));
  EXPECT_EQ(request.follow, 10u);
  EXPECT_EQ(request.connect_timeout, Duration::seconds(10));
  EXPECT_TRUE(request.verify);
  EXPECT_FALSE(request.response_schema);
}

TEST(HttpRequest, BodiesAndTheirMethod) {
  const Request as_json = parsed(R"("url":"http://h/","json":{"q":["ä",1,null]})");
  EXPECT_EQ(as_json.method, net::Method::post);
  EXPECT_EQ(as_json.body, R"({"q":["ä",1,null]})");
  EXPECT_EQ(header(as_json, "content-type"), "application/json");
  EXPECT_EQ(header(as_json, "idempotency-key"), kRun.text() + ".7");

  EXPECT_EQ(header(parsed(R"("url":"http://h/","json":1)", R"(,"generation":3)"), "Idempotency-Key"),
            kRun.text() + ".7-3");

  const Request null_json = parsed(R"("url":"http://h/","json":null)");
  EXPECT_EQ(null_json.body, "null");
  EXPECT_EQ(null_json.method, net::Method::post);

  const Request form =
      parsed(R"("url":"http://h/","method":"PUT","form":{"a b":"1&2","l":["x","y"],"n":null})");
  EXPECT_EQ(form.method, net::Method::put);
  EXPECT_EQ(form.body, "a%20b=1%262&l=x&l=y");
  EXPECT_EQ(header(form, "Content-Type"), "application/x-www-form-urlencoded");

  const Request text =
      parsed(R"("url":"http://h/","body":"<x/>","headers":{"content-type":"text/xml"},"method":"GET")");
  EXPECT_EQ(text.method, net::Method::get);
  EXPECT_EQ(text.body, "<x/>");
  EXPECT_EQ(header(text, "Content-Type"), "text/xml");
  EXPECT_EQ(header(text, "Idempotency-Key"), "(none)");
}

TEST(HttpRequest, WhatIsGivenWins) {
  const Request request = parsed(
      R"("url":"http://h/?a=1","method":"DELETE","query":{"b":["2","3"],"c":null,"d":"x y"},)"
      R"("headers":{"ACCEPT":"text/html","idempotency-key":"mine","User-Agent":"me","Traceparent":"own"},)"
      R"("expect":["2xx",404,"500"],"follow":false,"connect_timeout":"2s","tls":{"verify":false,"ca":"/ca.pem"})",
      R"(,"traceparent":"00-1-2-01","response_schema":{"type":"object"})");
  EXPECT_EQ(request.url.text(), "http://h/?a=1&b=2&b=3&d=x%20y");
  EXPECT_EQ(header(request, "Accept"), "text/html");
  EXPECT_EQ(header(request, "Idempotency-Key"), "mine");
  EXPECT_EQ(header(request, "User-Agent"), "me");
  EXPECT_EQ(header(request, "traceparent"), "own");
  for (const int status : {200, 404, 500}) EXPECT_TRUE(request.expects(status)) << status;
  for (const int status : {300, 403, 501}) EXPECT_FALSE(request.expects(status)) << status;
  EXPECT_EQ(request.follow, 0u);
  EXPECT_EQ(request.connect_timeout, Duration::seconds(2));
  EXPECT_FALSE(request.verify);
  EXPECT_EQ(request.ca_file, "/ca.pem");
  EXPECT_TRUE(request.response_schema);
  EXPECT_EQ(parsed(R"("url":"http://h/","follow":true)").follow, 10u);
  EXPECT_EQ(parsed(R"("url":"http://h/","follow":3)").follow, 3u);
}

TEST(HttpRequest, IsASpanOfTheRunsTrace) {
  const std::string own = trace_of_attempt("", kRun, {3, 1042}).text();
  EXPECT_EQ(header(parsed(R"("url":"http://h/")"), "traceparent"), own);
  EXPECT_EQ(header(parsed(R"("url":"http://h/")", R"(,"traceparent":"nonsense")"), "traceparent"), own);
  const std::string given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
  const std::string sent =
      header(parsed(R"("url":"http://h/")", ",\"traceparent\":\"" + given + '"'), "traceparent");
  EXPECT_EQ(sent, trace_of_attempt(given, kRun, {3, 1042}).text());
  EXPECT_EQ(sent.substr(0, 36), given.substr(0, 36));
  EXPECT_NE(sent, given);
}

TEST(HttpRequest, ValuesThatCameOutWrong) {
  const std::pair<const char*, const char*> table[] = {
      {R"("url":"")", "must begin with http"},
      {R"("method":"GET")", "`url` is missing"},
      {R"("url":"http://u:p@h/")", "Authorization"},
      {R"("url":"http://h/","headers":{"X":"a\r\nHost: evil"})", "the header field X has a value"},
      {R"("url":"http://h/","headers":{"X":" a"})", "the header field X has a value"},
      {R"("url":"http://h/","headers":{"a b":"c"})", "is not a name of a header field"},
      {R"("url":"http://h/","headers":{"X":1})", "`headers.X` must be a string"},
      {R"("url":"http://h/","headers":[1])", "`headers` must be a map"},
      {R"("url":"http://h/","query":{"q":[["x"]]})", "`query.q` must be a string"},
      {R"("url":"http://h/","method":"BREW")", "`method`"},
      {R"("url":"http://h/","expect":["9xx"])", "no HTTP status"},
      {R"("url":"http://h/","expect":99)", "no HTTP status"},
      {R"("url":"http://h/","expect":"2x")", "no HTTP status"},
      {R"("url":"http://h/","follow":51)", "`follow`"},
      {R"("url":"http://h/","connect_timeout":"0s")", "`connect_timeout`"},
      {R"("url":"http://h/","connect_timeout":"soon")", "`connect_timeout`"},
      {R"("url":"http://h/","connect_timeout":[])", "`connect_timeout`"},
      {R"("url":"http://h/","tls":{"verify":"no"})", "`tls`"},
      {R"("url":"http://h/","colour":"red")", "unknown field \"colour\""},
  };
  for (const auto& [members, why] : table) {
    const auto request = parse_request(attempt_of("{\"request\":{" + std::string(members) + "}}"));
    ASSERT_FALSE(request) << members;
    EXPECT_NE(request.error().message.find(why), std::string::npos)
        << members << ": " << request.error().message;
    EXPECT_EQ(request.error().message.find("evil"), std::string::npos) << "values of headers may be secret";
  }
  for (const char* spec :
       {"", "{}", "[]", "{\"request\":1}", "{\"request\":{\"url\":\"http://h/\"},\"more\":1}",
        "{\"request\":{\"url\":\"http://h/\"},\"response_schema\":{\"type\":\"x\"}}"}) {
    EXPECT_FALSE(parse_request(attempt_of(spec))) << spec;
  }
}

}  // namespace
}  // namespace baton::executors::http
