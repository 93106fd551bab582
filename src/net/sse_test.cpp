#include "net/sse.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace baton::net {
namespace {

std::vector<SseEvent> parse(std::string_view text, std::size_t step) {
  SseParser parser;
  std::vector<SseEvent> events;
  for (std::size_t at = 0; at < text.size(); at += step) {
    EXPECT_TRUE(parser.feed(text.substr(at, step), [&](SseEvent event) {
      events.push_back(std::move(event));
      return true;
    }));
  }
  return events;
}

TEST(SseTest, WritesWhatItReads) {
  const auto text =
      sse_event("1:7:0", "run", "{\"a\":1}") + sse_comment("still here") + sse_event("", "", "two\nlines\n");
  const std::vector<SseEvent> expected{{"1:7:0", "run", "{\"a\":1}"}, {"1:7:0", "message", "two\nlines\n"}};
  for (std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, text.size()}) {
    EXPECT_EQ(parse(text, step), expected) << "pieces of " << step;
  }
}

TEST(SseTest, FieldsCannotBreakOutOfTheirLine) {
  EXPECT_EQ(parse(sse_event("1\n\ndata: evil", "a\rdata: evil", "x\rdata: y"), 100),
            (std::vector<SseEvent>{{"1data: evil", "adata: evil", "x\ndata: y"}}));
}

TEST(SseTest, UnderstandsAllLineEndsAndOddFields) {
  const std::string text =
      "\xEF\xBB\xBF"
      "data: a\r\rdata:b\r\ndata: c\r\n\r\n:comment\nunknown: x\ndata\n\nid: 5\n\nevent: e\n\ndata: d\n\n";
  for (std::size_t step : {1u, 3u, 1000u}) {
    EXPECT_EQ(parse(text, step),
              (std::vector<SseEvent>{
                  {"", "message", "a"}, {"", "message", "b\nc"}, {"", "message", ""}, {"5", "message", "d"}}))
        << step;
  }
}

TEST(SseTest, UnfinishedEventIsNotDelivered) {
  EXPECT_TRUE(parse("data: a\n", 100).empty());
}

TEST(SseTest, IdAndRetry) {
  SseParser parser;
  const auto nothing = [](SseEvent) { return true; };
  ASSERT_TRUE(parser.feed("id: 9\nretry: 1500\n", nothing));
  EXPECT_EQ(parser.last_id(), "");
  ASSERT_TRUE(parser.feed("\n", nothing));
  EXPECT_EQ(parser.last_id(), "9");
  EXPECT_EQ(parser.retry(), Duration::millis(1500));
  ASSERT_TRUE(parser.feed("retry: -1\nretry: 1x\nretry:\nid: a\0b\n\n", nothing));
  EXPECT_EQ(parser.retry(), Duration::millis(1500));
}

TEST(SseTest, LimitOnBothSides) {
  SseParser parser(20);
  int events = 0;
  const auto count = [&](SseEvent) { return ++events > 0; };
  ASSERT_TRUE(parser.feed("data: 45678901234567\n\n", count));
  EXPECT_EQ(events, 1);
  EXPECT_EQ(parser.feed("data: 456789012345678", count).error().code, ErrorCode::too_large);
  SseParser many_lines(20);
  EXPECT_EQ(many_lines.feed("data: a\ndata: b\ndata: c\ndata: d\ndata: e\ndata: f\ndata: g\ndata: h\n", count)
                .error()
                .code,
            ErrorCode::too_large);
}

TEST(SseTest, CallbackCanStop) {
  SseParser parser;
  int events = 0;
  ASSERT_TRUE(parser.feed("data: 1\n\ndata: 2\n\n", [&](SseEvent) { return ++events < 1; }));
  EXPECT_EQ(events, 1);
}

}  // namespace
}  // namespace baton::net
