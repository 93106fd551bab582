#include "net/http_parser.hpp"

#include <gtest/gtest.h>

namespace baton::net {
namespace {

// Feeds `text` in pieces of `step` bytes as a connection would: what is not taken is presented again.
HttpParser parse(HttpParser::Kind kind, std::string_view text, std::size_t step, ParserLimits limits = {}) {
  HttpParser parser(kind, limits);
  std::string held;
  for (std::size_t at = 0; at < text.size() && !parser.failed() && !parser.done(); at += step) {
    held += text.substr(at, step);
    for (;;) {
      const auto taken = parser.feed(held);
      held.erase(0, taken);
      if (taken == 0 || parser.failed() || parser.done()) break;
    }
  }
  return parser;
}

int status_of(std::string_view text, ParserLimits limits = {}) {
  int status = -1;
  for (std::size_t step : {std::size_t{1}, std::size_t{5}, text.size()}) {
    const auto parser = parse(HttpParser::Kind::request, text, step, limits);
    const int now = parser.failed() ? parser.failure().status : parser.done() ? 200 : 0;
    if (status != -1) {
      EXPECT_EQ(now, status) << "step " << step << ": " << text;
    }
    status = now;
  }
  return status;
}

TEST(RequestParserTest, HeadAndBodyInPiecesOfAnySize) {
  constexpr std::string_view kText =
      "\r\nPOST /a?b=c HTTP/1.1\r\nHost: h\r\nX-Two:  padded \t\r\nContent-Length: 5\r\n\r\nhello";
  for (std::size_t step = 1; step <= kText.size(); ++step) {
    auto parser = parse(HttpParser::Kind::request, kText, step);
    ASSERT_TRUE(parser.done()) << step << parser.failure().detail;
    EXPECT_EQ(parser.head().method, "POST");
    EXPECT_EQ(parser.head().target, "/a?b=c");
    EXPECT_EQ(parser.head().headers.find("x-two"), "padded");
    EXPECT_TRUE(parser.head().keep_alive);
    EXPECT_EQ(parser.body(), "hello");
  }
}

TEST(RequestParserTest, ChunkedBodyWithExtensionAndTrailer) {
  constexpr std::string_view kText =
      "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "5;x=\"y\"\r\nhello\r\n1\r\n!\r\n0\r\nAuthorization: evil\r\n\r\n";
  for (std::size_t step = 1; step <= kText.size(); ++step) {
    auto parser = parse(HttpParser::Kind::request, kText, step);
    ASSERT_TRUE(parser.done()) << step << parser.failure().detail;
    EXPECT_EQ(parser.body(), "hello!");
    EXPECT_FALSE(parser.head().headers.find("Authorization")) << "a trailer must not become a header";
  }
}

TEST(RequestParserTest, StopsAtTheEndOfTheMessage) {
  HttpParser parser(HttpParser::Kind::request, {});
  constexpr std::string_view kOne = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  EXPECT_EQ(parser.feed(std::string(kOne) + "GET /two"), kOne.size());
  EXPECT_TRUE(parser.done());
  parser.reset();
  EXPECT_FALSE(parser.started());
}

TEST(RequestParserTest, KeepAliveFollowsVersionAndConnection) {
  const auto keeps = [](std::string_view text) {
    return parse(HttpParser::Kind::request, text, 1000).head().keep_alive;
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: h\r\nConnection: foo, Close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
}

struct Refused {
  const char* text;
  int status;
};

TEST(RequestParserTest, RefusesSmugglingAndMalformedMessages) {
  constexpr Refused kRefused[] = {
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\nhello", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\nhello", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\ng\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1ffffffffffffffff\r\na\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\tb\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: h\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\n: novalue\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nB\x01"
       "ad: x\r\n\r\n",
       400},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: \x01\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nauthorization: y\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET / x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"\x16\x03\x01", 400},
      {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nExpect: 200-maybe\r\n\r\n", 417},
  };
  for (const auto& [text, status] : kRefused) EXPECT_EQ(status_of(text), status) << text;
  using std::string_literals::operator""s;
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n"s), 400);
}

TEST(RequestParserTest, LimitsOnBothSides) {
  const ParserLimits limits{.target = 10, .header = 60, .body = 8};
  EXPECT_EQ(status_of("GET /234567890 HTTP/1.1\r\nHost: h\r\n\r\n", limits), 200);
  EXPECT_EQ(status_of("GET /2345678901 HTTP/1.1\r\nHost: h\r\n\r\n", limits), 414);
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";  // 28 bytes
  EXPECT_EQ(status_of(start + std::string(60 - 28 - 4, 'x') + "\r\n\r\n", limits), 200);
  EXPECT_EQ(status_of(start + std::string(60 - 28 - 3, 'x') + "\r\n\r\n", limits), 431);
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ";
  EXPECT_EQ(status_of(post + "8\r\n\r\n12345678", limits), 200);
  EXPECT_EQ(status_of(post + "9\r\n\r\n", limits), 413);
  const std::string chunked = "PUT / HTTP/1.1\r\nTransfer-Encoding:chunked\r\nHost:h\r\n\r\n";
  EXPECT_EQ(status_of(chunked + "4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n", limits), 200);
  EXPECT_EQ(status_of(chunked + "4\r\n1234\r\n5\r\n56789\r\n0\r\n\r\n", limits), 413);
}

TEST(RequestParserTest, ManyFieldsAndEndlessChunkLines) {
  std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 127; ++i) text += "A: b\r\n";
  EXPECT_EQ(status_of(text + "\r\n"), 200);
  EXPECT_EQ(status_of(text + "A: b\r\n\r\n"), 431);
  const std::string chunked = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(status_of(chunked + "1;" + std::string(5000, 'x')), 400);
  EXPECT_EQ(status_of(chunked + "0\r\nX: " + std::string(5000, 'x')), 400);
}

TEST(ResponseParserTest, DelimitedByTheEndOfTheConnection) {
  auto parser = parse(HttpParser::Kind::response, "HTTP/1.1 200 OK\r\nX: y\r\n\r\nsome", 3);
  EXPECT_FALSE(parser.done());
  parser.feed_end();
  EXPECT_TRUE(parser.done());
  EXPECT_EQ(parser.body(), "some");
}

TEST(ResponseParserTest, CutAnswerIsAFailure) {
  for (const auto* text : {"HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    auto parser = parse(HttpParser::Kind::response, text, 1000);
    EXPECT_FALSE(parser.failed());
    parser.feed_end();
    EXPECT_TRUE(parser.failed()) << text;
  }
}

TEST(ResponseParserTest, AnswersWithoutBody) {
  EXPECT_TRUE(parse(HttpParser::Kind::response, "HTTP/1.1 204 No Content\r\n\r\n", 1).done());
  EXPECT_TRUE(
      parse(HttpParser::Kind::response, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 1).done());
  HttpParser head(HttpParser::Kind::response, {});
  head.reset(true);
  head.feed("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
  EXPECT_TRUE(head.done());
}

}  // namespace
}  // namespace baton::net
