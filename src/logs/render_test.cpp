#include "logs/render.hpp"

#include "logs/test_support.hpp"

namespace baton::logs {
namespace {

using test::kNow;

class RenderTest : public test::LogTest {
 protected:
  std::string text(RenderOptions options = {}) {
    const auto part = read_part(path_, 0, SIZE_MAX, options);
    EXPECT_TRUE(part) << part.error().message;
    EXPECT_TRUE(part->at_end);
    return part->text;
  }

  std::string path_ = directory_ + "/log";
};

TEST_F(RenderTest, NoLogIsAnEmptyText) {
  EXPECT_EQ(text(), "");
  EXPECT_EQ(read_part(path_, 0, 10)->next, 0U);
}

TEST_F(RenderTest, PlainAndWithTimesAndStreams) {
  Writer writer(path_);
  writer.write(Stream::out, "one\ntwo\n\n", kNow);
  writer.write(Stream::err, "bad\n", kNow);
  EXPECT_EQ(text(), "one\ntwo\n\nbad\n");
  EXPECT_EQ(text({.timestamps = true, .streams = true}),
            "2026-11-21T01:46:00.123Z stdout one\n"
            "2026-11-21T01:46:00.123Z stdout two\n"
            "2026-11-21T01:46:00.123Z stdout \n"
            "2026-11-21T01:46:00.123Z stderr bad\n");
  EXPECT_EQ(text({.only = Stream::err}), "bad\n");
  EXPECT_EQ(text({.only = Stream::out}), "one\ntwo\n\n");
}

TEST_F(RenderTest, LinesOfTwoStreamsAreNotGluedTogether) {
  Writer writer(path_);
  writer.write(Stream::out, "no newline", kNow);
  writer.write(Stream::err, "none here either", kNow);
  writer.flush(kNow);
  EXPECT_EQ(text(), "no newline\nnone here either");
}

TEST_F(RenderTest, ForeignBytesCannotSteerATerminal) {
  Writer writer(path_);
  writer.write(Stream::out, "\x1b[2Jgone\ttab \xFF ok\r\n10%\r20%\r30%\n", kNow);
  EXPECT_EQ(text(), "\\x1b[2Jgone\ttab \\xff ok\n10%\n20%\n30%\n");
  EXPECT_EQ(text({.raw = true}), "\x1b[2Jgone\ttab \xFF ok\r\n10%\r20%\r30%\n");
}

TEST_F(RenderTest, BrokenLinesGapsAndNotesShow) {
  Writer writer(path_, {.head = 24, .tail = 60, .line = 4});
  writer.write(Stream::out, "abcdef\n", kNow);
  EXPECT_EQ(text(), "abcd\nef\n");
  for (int i = 0; i < 9; ++i) writer.write(Stream::out, "end\n", kNow);
  EXPECT_EQ(text(), "[" + std::to_string(writer.dropped_bytes()) + " bytes dropped]\nend\nend\nend\n");
  Renderer renderer;
  std::string out;
  renderer.add({.stream = Stream::note, .bytes = "a \x1b note"}, out);
  EXPECT_EQ(out, "[a \\x1b note]\n");
}

TEST_F(RenderTest, PartsJoinToTheWhole) {
  Writer writer(path_);
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    writer.write(i % 3 == 0 ? Stream::err : Stream::out, line, kNow);
    all += line;
  }
  std::string joined;
  std::uint64_t at = 0;
  for (;;) {
    const auto part = read_part(path_, at, 100);
    ASSERT_TRUE(part);
    joined += part->text;
    at = part->next;
    EXPECT_LE(part->text.size(), 120U);
    if (part->at_end) break;
  }
  EXPECT_EQ(joined, all);
}

}  // namespace
}  // namespace baton::logs
