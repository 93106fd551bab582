// For the tests of logs.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "logs/reader.hpp"
#include "logs/writer.hpp"

namespace baton::logs::test {

class LogTest : public testing::Test {
 protected:
  LogTest() {
    if (!::mkdtemp(directory_.data())) std::abort();
  }
  ~LogTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string directory_ = "/tmp/baton-logs-XXXXXX";
};

inline const WallTime kNow = wall_of({2026, 11, 21, 1, 46, 0, 123000});

struct OwnedFrame {
  Stream stream;
  std::string bytes;
  bool broken;
  std::uint64_t dropped;
};

inline std::vector<OwnedFrame> frames_of(const std::string& path) {
  std::vector<OwnedFrame> frames;
  auto reader = Reader::open(path);
  if (!reader) {
    ADD_FAILURE() << reader.error().message;
    return frames;
  }
  Frame frame;
  for (;;) {
    const auto more = reader->next(frame);
    if (!more) ADD_FAILURE() << more.error().message;
    if (!more || !*more) return frames;
    frames.push_back({frame.stream, std::string(frame.bytes), frame.broken, frame.dropped});
  }
}

inline std::string bytes_of(const std::string& path, Stream stream) {
  std::string bytes;
  for (const OwnedFrame& frame : frames_of(path)) {
    if (frame.stream == stream) bytes += frame.bytes;
  }
  return bytes;
}

inline std::uint64_t disk_usage(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * 512 : 0;
}

}  // namespace baton::logs::test
