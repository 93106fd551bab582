// How another thread wakes a command that waits for signals.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace baton::cli {

// Readable once it was rung. Thread-safe.
class Bell {
 public:
  Bell() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  void ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);
  }
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
};

}  // namespace baton::cli
