// SIGINT and SIGTERM as something to wait for, while an object of this type is there.
#pragma once

#include <signal.h>

namespace baton::v0 {

// An eventfd that is written by a signal, or by ring(). One object at a time catches signals; others only
// ring.
class StopBell {
 public:
  StopBell();
  ~StopBell();
  StopBell(const StopBell&) = delete;
  StopBell& operator=(const StopBell&) = delete;

  // From here to the end of this object SIGINT and SIGTERM ring instead of ending the process.
  void catch_signals();
  void release_signals();
  void ring() noexcept;  // async-signal-safe
  // How often it has rung since it was heard last; 0: `patience_ms` were over first (-1: for ever).
  unsigned wait(int patience_ms);

 private:
  int event_;
  bool catching_ = false;
  struct sigaction before_int_{};
  struct sigaction before_term_{};
};

}  // namespace baton::v0
