#include "net/url.hpp"

#include <gtest/gtest.h>

namespace baton::net {
namespace {

TEST(PercentTest, RoundTripsEveryByte) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const auto encoded = percent_encode(all);
  EXPECT_EQ(encoded.find_first_of(" /?&=+#\n"), encoded.npos);
  EXPECT_EQ(percent_decode(encoded), all);
}

TEST(PercentTest, RefusesWhatIsCutOrNotHex) {
  for (const auto* bad : {"%", "%4", "a%", "%g0", "%0g", "%-1", "%%41"}) {
    EXPECT_FALSE(percent_decode(bad)) << bad;
  }
  EXPECT_EQ(percent_decode("%41%7a%7A"), "Azz");
}

TEST(QueryTest, SplitsAndDecodes) {
  const auto pairs = parse_query("a=1&b=x%20y+z&&flag&c==&a=2");
  ASSERT_TRUE(pairs);
  EXPECT_EQ(*pairs, (QueryPairs{{"a", "1"}, {"b", "x y z"}, {"flag", ""}, {"c", "="}, {"a", "2"}}));
  EXPECT_EQ(find_query(*pairs, "a"), "1");
  EXPECT_FALSE(find_query(*pairs, "d"));
}

TEST(QueryTest, BuildIsReadBack) {
  const QueryPairs pairs{{"name", "ä&b=c"}, {"", ""}, {"plus", "1+1 %"}};
  EXPECT_EQ(*parse_query(build_query(pairs)), pairs);
}

TEST(QueryTest, RefusesBadEncodingControlsAndInvalidUtf8) {
  for (const auto* bad : {"a=%", "a=%00", "a=%0a", "%ff=1", "a=%C3%28"}) {
    EXPECT_EQ(parse_query(bad).error().code, ErrorCode::invalid_request) << bad;
  }
}

TEST(QueryTest, LimitsTheNumberOfPairs) {
  EXPECT_TRUE(parse_query("a&b&c", 3));
  EXPECT_FALSE(parse_query("a&b&c&d", 3));
}

TEST(TargetTest, DecodesPathAndQuery) {
  const auto target = parse_target("/api/v1/runs/a%20b?limit=10");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/api/v1/runs/a b");
  EXPECT_EQ(find_query(target->query, "limit"), "10");
  EXPECT_EQ(parse_target("/")->path, "/");
  EXPECT_EQ(parse_target("/a/")->path, "/a/");
  EXPECT_EQ(parse_target("//a")->path, "//a");
  EXPECT_EQ(parse_target("/?")->path, "/");
}

TEST(TargetTest, RefusesPathTricks) {
  for (const auto* bad : {"", "*", "a", "http://h/", "/a/../b", "/a/%2e%2e/b", "/.", "/%2E", "/a%2fb",
                          "/a%5Cb", "/a\\b", "/a%00", "/%zz", "/a#b", "/a%7F", "/%ff"}) {
    EXPECT_FALSE(parse_target(bad)) << bad;
  }
  EXPECT_TRUE(parse_target("/a..b/.c"));
}

TEST(EndpointTest, ReadsTheKnownForms) {
  EXPECT_EQ(parse_endpoint("unix:/run/x.sock")->path, "/run/x.sock");
  EXPECT_EQ(parse_endpoint("http://localhost:7711/")->text(), "http://localhost:7711");
  EXPECT_EQ(parse_endpoint("http://h")->port, 80);
  EXPECT_EQ(parse_endpoint("127.0.0.1:1")->port, 1);
  const auto ipv6 = parse_endpoint("http://[::1]:7711");
  ASSERT_TRUE(ipv6);
  EXPECT_EQ(ipv6->host, "::1");
  EXPECT_EQ(ipv6->authority(), "[::1]:7711");
}

TEST(EndpointTest, RefusesTheRest) {
  for (const auto* bad :
       {"", "unix:", "localhost", "http://", "http://:80", "http://h:0", "http://h:65536", "http://h:1x",
        "http://h:", "http://h/path", "http://u@h:1", "[::1", "[::1]x", "https://", "ftp://h:1"}) {
    EXPECT_EQ(parse_endpoint(bad).error().code, ErrorCode::usage) << bad;
  }
}

}  // namespace
}  // namespace baton::net
