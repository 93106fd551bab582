// An answer that is longer than what may wait for its client: written as fast as the client takes it.
#pragma once

#include <algorithm>
#include <string_view>

#include "base/time.hpp"
#include "net/http_server.hpp"

namespace baton::api {

// One thread at a time.
class PacedStream {
 public:
  static constexpr std::size_t kBuffer = 256 << 10;     // what may wait for a slow reader (RELIABILITY)
  static constexpr std::size_t kHighWater = 128 << 10;  // no more is written while so much waits
  static constexpr std::size_t kPiece = 64 << 10;       // pieces should not be much longer

  explicit PacedStream(net::StreamWriter writer) : writer_(std::move(writer)) {}

  bool open() const { return writer_.open(); }
  bool has_room() {
    if (writer_.buffered() >= kHighWater) return false;
    delay_ = kFirstDelay;
    return true;
  }
  // When to look again if there was no room: soon, and then less and less often for a client that has
  // stalled.
  Duration patience() {
    const Duration now = delay_;
    delay_ = std::min(delay_ * 2, Duration::millis(200));
    return now;
  }
  bool write(std::string_view piece) { return writer_.write(piece); }
  void on_close(net::Task task) { writer_.on_close(std::move(task)); }
  void close() { writer_.close(); }

 private:
  static constexpr Duration kFirstDelay = Duration::millis(1);
  net::StreamWriter writer_;
  Duration delay_ = kFirstDelay;
};

}  // namespace baton::api
