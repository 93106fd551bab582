// Ctrl-C and friends as something to wait for.
#pragma once

#include <optional>

#include "base/fd.hpp"
#include "base/time.hpp"

namespace baton::cli {

// While it lives, SIGINT, SIGTERM, SIGHUP (and SIGWINCH; SIGUSR1, if that is asked for) do nothing by
// themselves but are read from here. It blocks them for the calling thread: make it before the process has
// other threads, which inherit that. Programs that are started get the usual effects back by whoever starts
// them.
class Signals {
 public:
  enum class Users : std::uint8_t { ignored, read };  // what becomes of SIGUSR1
  explicit Signals(Users users = Users::ignored);

  int fd() const { return fd_.get(); }  // readable when there is one
  // The next signal that asks the process to end, if one came; never blocks. Changes of the terminal's size
  // are swallowed.
  std::optional<int> take();
  // Waits until a signal came (true; not taken), `other` is readable, or `timeout` is over.
  bool wait(Duration timeout, int other = -1);

 private:
  Fd fd_;
};

// What a shell sees of a process that a signal ended.
constexpr int exit_code_of_signal(int number) {
  return 128 + number;
}

}  // namespace baton::cli
