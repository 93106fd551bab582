// Logs as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "logs/frame.hpp"

namespace baton::logs {

struct RenderOptions {
  bool timestamps = false;     // "2026-11-21T01:46:00.123Z " before each line
  bool streams = false;        // "stdout " or "stderr " before each line, after the time
  std::optional<Stream> only;  // leaves out the other of out and err; notes and gaps stay
  bool raw = false;            // the process's bytes as they are. Otherwise control characters and invalid
                               // UTF-8 are made visible, so that output cannot steer a terminal.
};

// Turns frames into text, one after the other. Lines stay whole: where a frame of another stream comes
// between, a newline is put in.
class Renderer {
 public:
  explicit Renderer(RenderOptions options = {}) : options_(options) {}
  void add(const Frame& frame, std::string& out);

 private:
  void begin_line(const Frame& frame, std::string& out);
  void remark(const Frame& frame, const std::string& text, std::string& out);

  RenderOptions options_;
  Stream last_ = Stream::note;
  bool in_line_ = false;
};

// The part of a log that begins at `offset` (0, or the `next` of the part before), about `max_bytes` of text;
// following a log is asking for its next part again and again. A log that does not exist is empty.
struct Part {
  std::string text;
  std::uint64_t next = 0;
  bool at_end = false;  // nothing more at this moment
};
Result<Part> read_part(const std::string& path, std::uint64_t offset, std::size_t max_bytes,
                       RenderOptions options = {});

}  // namespace baton::logs
