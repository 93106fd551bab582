#include "stop_signals.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace baton::v0 {
namespace {

// A signal handler is given nothing else than the signal.
std::atomic<int> signal_event = -1;

extern "C" void on_stop_signal(int) {
  const int before = errno;
  const std::uint64_t one = 1;
  if (const int event = signal_event.load(); event >= 0) {
    const auto written = ::write(event, &one, sizeof one);
    (void)written;
  }
  errno = before;
}

}  // namespace

StopBell::StopBell() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

StopBell::~StopBell() {
  release_signals();
  if (event_ >= 0) ::close(event_);
}

void StopBell::catch_signals() {
  int none = -1;
  if (!signal_event.compare_exchange_strong(none, event_)) return;
  struct sigaction action{};
  action.sa_handler = on_stop_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, &before_int_);
  ::sigaction(SIGTERM, &action, &before_term_);
  catching_ = true;
}

void StopBell::release_signals() {
  if (!catching_) return;
  catching_ = false;
  ::sigaction(SIGINT, &before_int_, nullptr);
  ::sigaction(SIGTERM, &before_term_, nullptr);
  signal_event = -1;
}

void StopBell::ring() noexcept {
  const std::uint64_t one = 1;
  const auto written = ::write(event_, &one, sizeof one);
  (void)written;
}

unsigned StopBell::wait(int patience_ms) {
  pollfd waited{event_, POLLIN, 0};
  std::uint64_t rung = 0;
  for (;;) {
    const int ready = ::poll(&waited, 1, patience_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return 0;
    if (::read(event_, &rung, sizeof rung) == sizeof rung) return static_cast<unsigned>(rung);
  }
}

}  // namespace baton::v0
