// Bytes that were received and not consumed, in one piece. While a read into space() is under way only
// view(), consume() and at last commit() may be called: they leave the space where it is. Internal to net.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace baton::net {

class InputBuffer {
 public:
  static constexpr std::size_t kSmall = 4 * 1024;  // what an idle connection holds

  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  std::size_t capacity() const { return capacity_; }

  void consume(std::size_t n) { begin_ += n; }
  // Behind the received bytes; empty if the buffer is full. Moves them to the front first where that helps.
  std::span<char> space() {
    if (begin_ == end_) {
      begin_ = end_ = 0;
    } else if (end_ == capacity_ && begin_ > 0) {
      std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    return {data_.get() + end_, capacity_ - end_};
  }
  // `n` bytes of space() were filled.
  void commit(std::size_t n) { end_ += n; }
  // Changes the capacity; never below what is held.
  void resize(std::size_t capacity) {
    capacity = std::max(capacity, end_ - begin_);
    if (capacity == capacity_) return;
    auto data = std::make_unique_for_overwrite<char[]>(capacity);
    if (!empty()) std::memcpy(data.get(), data_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    data_ = std::move(data);
    capacity_ = capacity;
  }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace baton::net
