#include "logs/writer.hpp"

#include <sys/mount.h>
#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "logs/test_support.hpp"

namespace baton::logs {
namespace {

using test::bytes_of;
using test::disk_usage;
using test::frames_of;
using test::kNow;

class WriterTest : public test::LogTest {
 protected:
  std::string path_ = directory_ + "/2026-11-21/run/5.1";
};

TEST_F(WriterTest, CreatesTheFileAtTheFirstByte) {
  Writer writer(path_);
  writer.flush(kNow);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/2026-11-21"));
  writer.write(Stream::out, "a\n", kNow);
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat((directory_ + "/2026-11-21").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST_F(WriterTest, KeepsStreamsApartAndLinesWhole) {
  Writer writer(path_);
  writer.write(Stream::out, "one\ntwo\nthr", kNow);
  writer.write(Stream::err, "err", kNow);
  writer.write(Stream::out, "ee\nfour", kNow);
  writer.flush(kNow);
  const auto frames = frames_of(path_);
  ASSERT_EQ(frames.size(), 4U);
  EXPECT_EQ(frames[0].bytes, "one\ntwo\n");
  EXPECT_EQ(frames[1].bytes, "three\n");
  EXPECT_EQ(frames[2].bytes, "four");
  EXPECT_EQ(frames[3].bytes, "err");
  EXPECT_EQ(frames[3].stream, Stream::err);
}

TEST_F(WriterTest, EveryByteValueSurvives) {
  std::string all;
  for (int round = 0; round < 1000; ++round) {
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  }
  Writer writer(path_);
  for (std::size_t at = 0; at < all.size(); at += 777) writer.write(Stream::out, all.substr(at, 777), kNow);
  writer.flush(kNow);
  EXPECT_EQ(bytes_of(path_, Stream::out), all);
}

TEST_F(WriterTest, ARedrawnLineIsVisibleBeforeItsNewline) {
  Writer writer(path_);
  writer.write(Stream::out, "10%\r20%\r30", kNow);
  EXPECT_EQ(bytes_of(path_, Stream::out), "10%\r20%\r");
  writer.write(Stream::out, "%\r", kNow);  // its newline may still come
  EXPECT_EQ(bytes_of(path_, Stream::out), "10%\r20%\r");
  writer.write(Stream::out, "\n", kNow);
  EXPECT_EQ(bytes_of(path_, Stream::out), "10%\r20%\r30%\r\n");
}

TEST_F(WriterTest, TheLineLimitHoldsOnBothSides) {
  for (const std::size_t length : {9UL, 10UL, 11UL, 25UL}) {
    Writer writer(path_, {.line = 10});
    const std::string line(length, 'x');
    for (const char byte : line) writer.write(Stream::out, std::string(1, byte), kNow);
    writer.write(Stream::out, "\nnext\n", kNow);
    writer.flush(kNow);
    std::string joined;
    for (const auto& frame : frames_of(path_)) {
      joined += frame.bytes;
      EXPECT_LE(frame.bytes.find('\n') + 1, 11U);
      EXPECT_EQ(frame.broken, frame.bytes.find('\n') == std::string::npos);
    }
    EXPECT_EQ(joined, line + "\nnext\n");
    EXPECT_EQ(frames_of(path_)[0].broken, length > 10);
  }
}

TEST_F(WriterTest, KeepsHeadAndTailWithinTheLimit) {
  const Limits limits{.head = 256 << 10, .tail = 256 << 10, .line = 1 << 10};
  Writer writer(path_, limits);
  std::string expected;
  std::uint64_t number = 0;
  while (expected.size() < (8 << 20)) {
    std::string chunk;
    for (int i = 0; i < 50; ++i) chunk += "line " + std::to_string(number++) + "\n";
    writer.write(Stream::out, chunk, kNow);
    expected += chunk;
  }
  writer.flush(kNow);
  const auto frames = frames_of(path_);
  std::string head;
  std::string tail;
  std::uint64_t dropped = 0;
  for (const auto& frame : frames) {
    if (frame.stream == Stream::gap) {
      EXPECT_EQ(dropped, 0U);
      dropped = frame.dropped;
    } else {
      (dropped == 0 ? head : tail) += frame.bytes;
    }
  }
  EXPECT_TRUE(expected.starts_with(head));
  EXPECT_TRUE(expected.ends_with(tail));
  EXPECT_EQ(head.size() + dropped + tail.size(), expected.size());
  EXPECT_EQ(writer.dropped_bytes(), dropped);
  EXPECT_GT(head.size(), limits.head * 9 / 10);
  EXPECT_GT(tail.size(), limits.tail * 8 / 10);
  EXPECT_LE(head.size() + tail.size(), limits.head + limits.tail);
  // Blocks at the edges of the hole stay.
  EXPECT_LE(disk_usage(path_), limits.head + limits.tail + (64 << 10));
}

TEST_F(WriterTest, NothingIsDroppedWithinTheLimit) {
  Writer writer(path_, {.head = 1 << 10, .tail = 1 << 10});
  std::string all;
  for (int i = 0; i < 15; ++i) {
    const std::string line = std::string(80, static_cast<char>('a' + i)) + "\n";
    writer.write(Stream::out, line, kNow);
    all += line;
  }
  EXPECT_EQ(bytes_of(path_, Stream::out), all);
  EXPECT_EQ(writer.dropped_bytes(), 0U);
  for (const auto& frame : frames_of(path_)) EXPECT_NE(frame.stream, Stream::gap);
}

TEST_F(WriterTest, TinyLimitsStillWork) {
  Writer writer(path_, {.head = 0, .tail = 0});
  for (int i = 0; i < 100; ++i) writer.write(Stream::out, std::to_string(i) + "\n", kNow);
  const auto frames = frames_of(path_);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].dropped, 10U * 2 + 89 * 3);
  EXPECT_EQ(frames[1].bytes, "99\n");
}

TEST_F(WriterTest, AReplacedLogHasNothingOfTheOldOne) {
  Writer(path_).write(Stream::out, "an old and long line\n", kNow);
  Writer(path_).write(Stream::out, "new\n", kNow);
  EXPECT_EQ(bytes_of(path_, Stream::out), "new\n");
}

TEST_F(WriterTest, AnUnwritablePlaceIsCountedAndFailsNothing) {
  std::filesystem::create_directories(path_);  // a directory stands where the file should be
  Writer writer(path_);
  writer.write(Stream::out, "lost\n", kNow);
  writer.write(Stream::err, "more", kNow);
  writer.flush(kNow);
  EXPECT_EQ(writer.lost_bytes(), 9U);
  EXPECT_EQ(writer.last_error(), EISDIR);
}

// RLIMIT_FSIZE makes writes fail part of the way, like a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_{};
};

TEST_F(WriterTest, AFullDiskLeavesWholeFramesAndANoteLater) {
  Writer writer(path_);
  writer.write(Stream::out, "first\n", kNow);
  {
    const FileSizeLimit full(100);
    writer.write(Stream::out, std::string(200, 'x') + "\n", kNow);
    writer.write(Stream::out, std::string(300, 'y') + "\n", kNow);
    EXPECT_EQ(writer.lost_bytes(), 502U);
    EXPECT_EQ(writer.last_error(), EFBIG);
    EXPECT_EQ(frames_of(path_).size(), 1U);
  }
  writer.write(Stream::out, "last\n", kNow);
  const auto frames = frames_of(path_);
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[1].stream, Stream::note);
  EXPECT_NE(frames[1].bytes.find("502 bytes of output could not be logged: "), std::string::npos);
  EXPECT_EQ(frames[2].bytes, "last\n");
}

TEST_F(WriterTest, WithEveryPossibleLimitTheLogStaysReadable) {
  for (rlim_t limit = 0; limit < 200; ++limit) {
    std::filesystem::remove_all(path_);
    Writer writer(path_, {.head = 90, .tail = 64});
    {
      const FileSizeLimit full(limit);
      for (int i = 0; i < 6; ++i) writer.write(Stream::out, "line " + std::to_string(i) + "\n", kNow);
    }
    writer.write(Stream::out, "after\n", kNow);
    std::uint64_t seen = 0;
    bool after = false;
    for (const auto& frame : frames_of(path_)) {
      if (frame.stream == Stream::out) seen += frame.bytes.size();
      after = frame.bytes == "after\n";
    }
    EXPECT_TRUE(after) << limit;
    EXPECT_EQ(seen + writer.lost_bytes() + writer.dropped_bytes(), 6U * 7 + 6) << limit;
  }
}

TEST_F(WriterTest, AnotherWriterGoesOnWhereTheFirstEnded) {
  for (int round = 0; round < 3; ++round) {
    Writer writer(path_, {}, Existing::continued);
    EXPECT_EQ(writer.taken_bytes(), static_cast<std::uint64_t>(round) * 10);
    writer.write(Stream::out, "line " + std::to_string(round) + "\n", kNow);
    writer.write(Stream::err, "no\n", kNow);
    EXPECT_EQ(writer.taken_bytes(), static_cast<std::uint64_t>(round + 1) * 10);
  }
  EXPECT_EQ(bytes_of(path_, Stream::out), "line 0\nline 1\nline 2\n");
  EXPECT_EQ(bytes_of(path_, Stream::err), "no\nno\nno\n");
}

TEST_F(WriterTest, OneThatRestedGoesOn) {
  for (const Existing existing : {Existing::replaced, Existing::continued}) {
    std::filesystem::remove(path_);
    Writer writer(path_, {}, existing);
    writer.rest();
    writer.write(Stream::out, "one\ntw", kNow);
    writer.rest();
    EXPECT_EQ(writer.taken_bytes(), 4U);
    writer.write(Stream::out, "o\n", kNow);
    EXPECT_EQ(writer.taken_bytes(), 8U);
    EXPECT_EQ(bytes_of(path_, Stream::out), "one\ntwo\n");
  }
}

TEST_F(WriterTest, ALogThatWasChangedWhileItRestedIsReadAgain) {
  Writer writer(path_, {}, Existing::continued);
  writer.write(Stream::out, "one\n", kNow);
  writer.rest();
  Writer(path_, {}, Existing::continued).write(Stream::out, "two\n", kNow);
  writer.write(Stream::out, "three\n", kNow);
  EXPECT_EQ(bytes_of(path_, Stream::out), "one\ntwo\nthree\n");
  EXPECT_EQ(writer.taken_bytes(), 14U);
}

TEST_F(WriterTest, WhatWasHalfWrittenIsCutOffBeforeGoingOn) {
  Writer(path_).write(Stream::out, "whole\n", kNow);
  const auto whole = std::filesystem::file_size(path_);
  Writer(path_, {}, Existing::continued).write(Stream::out, "half of it\n", kNow);
  std::filesystem::resize_file(path_, whole + 20);
  Writer writer(path_, {}, Existing::continued);
  EXPECT_EQ(writer.taken_bytes(), 6U);
  writer.write(Stream::out, "next\n", kNow);
  EXPECT_EQ(bytes_of(path_, Stream::out), "whole\nnext\n");
}

TEST_F(WriterTest, GoingOnKeepsHeadAndTail) {
  const Limits limits{.head = 2000, .tail = 4000};
  const auto line = [](int i) {
    std::string text = "line " + std::to_string(i) + ' ';
    return text + std::string(99 - text.size(), 'x') + '\n';
  };
  Writer whole(directory_ + "/whole", limits);
  for (int i = 0; i < 600; ++i) {
    whole.write(Stream::out, line(i), kNow);
    Writer piece(path_, limits, Existing::continued);
    ASSERT_EQ(piece.taken_bytes(), static_cast<std::uint64_t>(i) * 100);
    piece.write(Stream::out, line(i), kNow);
  }
  const auto one = frames_of(directory_ + "/whole");
  const auto many = frames_of(path_);
  ASSERT_EQ(many.size(), one.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(many[i].bytes, one[i].bytes);
    EXPECT_EQ(many[i].dropped, one[i].dropped);
  }
}

TEST_F(WriterTest, WhatIsNoLogIsReplaced) {
  std::filesystem::create_directories(directory_ + "/2026-11-21/run");
  std::ofstream(path_) << "something else altogether, and long enough for a header";
  Writer writer(path_, {}, Existing::continued);
  EXPECT_EQ(writer.taken_bytes(), 0U);
  writer.write(Stream::out, "a\n", kNow);
  EXPECT_EQ(bytes_of(path_, Stream::out), "a\n");
}

}  // namespace
}  // namespace baton::logs
