// How another thread wakes a command that waits for signals.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace baton::cli {

// Readable from when it was rung until it is cleared. Thread-safe.
class Bell {
 public:
  Bell() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  void ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);
  }
  void clear() const {
    std::uint64_t rung = 0;
    [[maybe_unused]] const auto read = ::read(fd_.get(), &rung, sizeof rung);
  }
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
};

}  // namespace baton::cli
