#include "net/http.hpp"

#include <gtest/gtest.h>

namespace baton::net {
namespace {

TEST(HeadersTest, FindsWithoutCase) {
  Headers headers{{"Content-Type", "a"}, {"X", "1"}, {"x", "2"}};
  EXPECT_EQ(headers.find("content-TYPE"), "a");
  EXPECT_EQ(headers.find("X"), "1");
  EXPECT_FALSE(headers.find("Content"));
  headers.set("X", "3");
  EXPECT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers.find("x"), "3");
}

TEST(HeadersTest, ValidMeansThatNothingElseCanBeginInThem) {
  EXPECT_TRUE((Headers{{"X-A_b.1", "tab\tand \xc3\xa4"}, {"Empty", ""}}.valid()));
  const Headers::Field bad[] = {
      {"", "v"},     {"a b", "v"}, {"a:", "v"},  {"a\n", "v"},  {"\xc3\xa4", "v"},           {"a", "b\nc"},
      {"a", "b\rc"}, {"a", " b"},  {"a", "b\t"}, {"a", "\x7f"}, {"a", std::string("b\0", 2)}};
  for (const auto& field : bad) EXPECT_FALSE(Headers{field}.valid()) << field.first << ": " << field.second;
}

TEST(MethodTest, NamesAreExact) {
  for (const auto method : {Method::get, Method::head, Method::post, Method::put, Method::patch,
                            Method::delete_, Method::options}) {
    EXPECT_EQ(method_from(to_string(method)), method);
  }
  EXPECT_FALSE(method_from("get"));
  EXPECT_FALSE(method_from("TRACE"));
}

TEST(ProblemTest, QuotesForeignText) {
  const auto response = problem(404, "no \"x\\\n\x01\xff\"");
  EXPECT_EQ(response.headers.find("content-type"), "application/problem+json");
  EXPECT_EQ(response.body,
            "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
            "\"detail\":\"no \\\"x\\\\\\u000a\\u0001\xef\xbf\xbd\\\"\",\"code\":\"invalid_request\"}\n");
}

}  // namespace
}  // namespace baton::net
