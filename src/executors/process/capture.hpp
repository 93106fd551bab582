// What is kept in memory of a process's output besides its log.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace baton::executors::process {

inline constexpr std::size_t kMaxStdout = 64 << 10;  // of stdout in a result that is not JSON
// What is kept for it: the 3 bytes more tell whether the cut goes through a UTF-8 sequence.
inline constexpr std::size_t kStdoutHead = kMaxStdout + 3;
inline constexpr std::size_t kMaxErrorText = 2 << 10;  // of stderr in a failure's message

// The first `limit` bytes.
class Head {
 public:
  explicit Head(std::size_t limit = 0) : limit_(limit) {}
  void add(std::string_view bytes) {
    const std::size_t room = limit_ - text_.size();
    overflow_ = overflow_ || bytes.size() > room;
    text_ += bytes.substr(0, room);
  }
  const std::string& text() const { return text_; }
  bool overflow() const { return overflow_; }

 private:
  std::size_t limit_;
  std::string text_;
  bool overflow_ = false;
};

// The last `limit` bytes.
class Tail {
 public:
  explicit Tail(std::size_t limit = 0) : limit_(limit) {}
  void add(std::string_view bytes) {
    cut_ = cut_ || text_.size() + bytes.size() > limit_;
    if (bytes.size() >= limit_) {
      text_ = bytes.substr(bytes.size() - limit_);
    } else {
      if (text_.size() + bytes.size() > limit_) text_.erase(0, text_.size() + bytes.size() - limit_);
      text_ += bytes;
    }
  }
  const std::string& text() const { return text_; }
  bool cut() const { return cut_; }  // something came before

 private:
  std::size_t limit_;
  std::string text_;
  bool cut_ = false;
};

}  // namespace baton::executors::process
