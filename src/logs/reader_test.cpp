#include "logs/reader.hpp"

#include <fstream>

#include "logs/test_support.hpp"

namespace baton::logs {
namespace {

using test::frames_of;
using test::kNow;

class ReaderTest : public test::LogTest {
 protected:
  std::string content() {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void replace(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  void put(std::size_t at, char byte) {
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at)).put(byte);
  }

  std::string path_ = directory_ + "/log";
};

TEST_F(ReaderTest, SaysWhatIsNotALog) {
  EXPECT_EQ(Reader::open(path_).error().code, ErrorCode::not_found);
  replace("");
  EXPECT_EQ(Reader::open(path_).error().code, ErrorCode::not_found);  // just being created
  replace("BATONLO");
  EXPECT_EQ(Reader::open(path_).error().code, ErrorCode::not_found);
  replace("#!/bin/sh\necho this is something else\n");
  EXPECT_EQ(Reader::open(path_).error().code, ErrorCode::corrupt);
  replace(std::string("BATONLOG\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24));
  EXPECT_EQ(Reader::open(path_).error().code, ErrorCode::unsupported);
  EXPECT_EQ(Reader::open(directory_).error().code, ErrorCode::corrupt);
}

TEST_F(ReaderTest, FollowsAWriter) {
  Writer writer(path_);
  writer.write(Stream::out, "1\n", kNow);
  auto reader = Reader::open(path_);
  ASSERT_TRUE(reader);
  Frame frame;
  ASSERT_TRUE(reader->next(frame).value());
  EXPECT_EQ(frame.bytes, "1\n");
  EXPECT_EQ(frame.time, kNow);
  EXPECT_FALSE(reader->next(frame).value());
  writer.write(Stream::err, "2\n", kNow);
  ASSERT_TRUE(reader->next(frame).value());
  EXPECT_EQ(frame.bytes, "2\n");
  EXPECT_FALSE(reader->next(frame).value());

  auto later = Reader::open(path_);
  ASSERT_TRUE(later);
  later->seek(frame.offset);
  ASSERT_TRUE(later->next(frame).value());
  EXPECT_EQ(frame.bytes, "2\n");
  EXPECT_EQ(later->offset(), reader->offset());
}

TEST_F(ReaderTest, AFollowerThatIsOvertakenSeesTheGapAndThenTheTail) {
  Writer writer(path_, {.head = 100, .tail = 2000});
  writer.write(Stream::out, "0\n", kNow);
  auto reader = Reader::open(path_);
  Frame frame;
  ASSERT_TRUE(reader->next(frame).value());
  int number = 1;
  for (; number < 20; ++number) writer.write(Stream::out, std::to_string(number) + "\n", kNow);
  std::string last;
  while (reader->next(frame).value()) last = frame.bytes;
  EXPECT_EQ(last, "19\n");
  for (; number < 2000; ++number) writer.write(Stream::out, std::to_string(number) + "\n", kNow);
  ASSERT_TRUE(reader->next(frame).value());
  EXPECT_EQ(frame.stream, Stream::gap);
  EXPECT_GT(frame.dropped, 0U);
  last.clear();
  while (reader->next(frame).value()) {
    if (!last.empty()) {
      EXPECT_EQ(std::stoi(std::string(frame.bytes)), std::stoi(last) + 1);
    }
    last = frame.bytes;
  }
  EXPECT_EQ(last, "1999\n");
}

TEST_F(ReaderTest, EveryTruncationEndsCleanly) {
  {
    Writer writer(path_, {.head = 60, .tail = 1000});
    for (int i = 0; i < 5; ++i) writer.write(Stream::out, "line\n", kNow);
  }
  const std::string whole = content();
  for (std::size_t size = whole.size(); size >= 24; --size) {
    std::filesystem::resize_file(path_, size);
    EXPECT_LE(frames_of(path_).size(), 5U);
  }
}

TEST_F(ReaderTest, EveryDamagedByteEndsCleanly) {
  {
    Writer writer(path_, {.head = 60, .tail = 80});
    for (int i = 0; i < 8; ++i) writer.write(Stream::out, "line\n", kNow);
  }
  const std::string whole = content();
  for (std::size_t at = 12; at < whole.size(); ++at) {
    for (const char value : {'\0', '\x01', '\x04', '\xFF'}) {
      put(at, value);
      auto reader = Reader::open(path_);
      ASSERT_TRUE(reader);
      Frame frame;
      int count = 0;
      for (;;) {
        const auto more = reader->next(frame);
        if (!more || !*more) break;
        ASSERT_LT(++count, 100) << "offset " << at;
      }
    }
    put(at, whole[at]);
  }
}

TEST_F(ReaderTest, AnyOffsetIsSafe) {
  {
    Writer writer(path_, {.head = 60, .tail = 80});
    for (int i = 0; i < 20; ++i) writer.write(Stream::out, "line\n", kNow);
  }
  auto reader = Reader::open(path_);
  Frame frame;
  for (std::uint64_t offset = 0; offset < content().size() + 10; ++offset) {
    reader->seek(offset);
    const auto more = reader->next(frame);
    ASSERT_TRUE(more);
    EXPECT_LE(frame.bytes.size(), 5U);
  }
  for (const std::uint64_t offset : {UINT64_MAX, UINT64_MAX / 2, UINT64_MAX / 4 + 1}) {
    reader->seek(offset);
    const auto more = reader->next(frame);
    EXPECT_FALSE(more && *more);
  }
}

TEST_F(ReaderTest, TailGivesTheLastLines) {
  Writer writer(path_);
  writer.write(Stream::out, "1\n2\n3\n", kNow);
  writer.write(Stream::err, "4\n", kNow);
  writer.write(Stream::out, "5\n6", kNow);
  writer.flush(kNow);
  const auto tail = read_tail(path_, 4);
  ASSERT_TRUE(tail);
  std::vector<std::string> lines;
  for (const auto& line : tail->lines) lines.push_back(line.text);
  EXPECT_EQ(lines, (std::vector<std::string>{"3\n", "4\n", "5\n", "6"}));
  EXPECT_EQ(tail->lines[1].frame.stream, Stream::err);
  auto reader = Reader::open(path_);
  reader->seek(tail->next);
  writer.write(Stream::out, "7\n", kNow);
  Frame frame;
  ASSERT_TRUE(reader->next(frame).value());
  EXPECT_EQ(frame.bytes, "7\n");
  EXPECT_TRUE(read_tail(path_, 0)->lines.empty());
}

}  // namespace
}  // namespace baton::logs
