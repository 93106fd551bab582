// Reads the log of one attempt, also while it is being written.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "logs/frame.hpp"

namespace baton::logs {

class Reader {
 public:
  // not_found: there is no such file, which is how an attempt without output looks. corrupt: not a log.
  static Result<Reader> open(const std::string& path);

  // The next frame; false at the end, where more may follow later. The frame's bytes are valid until the next
  // call. What is damaged or only half written ends the log. Output that was dropped (also while this reader
  // was behind) appears as one frame of Stream::gap.
  Result<bool> next(Frame& frame);

  // Where next() goes on: 0 at the beginning, otherwise what offset() said. Any other value is safe, but what
  // is read there is probably nothing.
  void seek(std::uint64_t offset);
  std::uint64_t offset() const { return at_; }

 private:
  explicit Reader(Fd file) : file_(std::move(file)) {}
  Result<bool> fill(std::size_t needed, std::uint64_t& skipped);
  Status refresh_gap();
  std::string_view here() const { return std::string_view(buffer_).substr(at_ - buffer_at_); }

  Fd file_;
  std::uint64_t at_ = format::kFileHeader;
  std::uint64_t buffer_at_ = 0;  // offset in the file of the buffer's first byte
  std::string buffer_;
  std::uint64_t gap_at_ = 0;
  format::Gap gap_;
};

// The last `lines` lines (pieces that end with a newline, their frame or a break), each as a frame of its
// own, and where to go on from. Reads the whole log (10 MiB at most by default) once.
struct Tail {
  struct Line {
    Frame frame;       // its `bytes` are not set
    std::string text;  // with its newline
  };
  std::deque<Line> lines;
  std::uint64_t next = 0;
};
Result<Tail> read_tail(const std::string& path, std::size_t lines);

}  // namespace baton::logs
