#include "cli/signals.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace baton::cli {

Signals::Signals(Users users) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) ::sigaddset(&set, number);
  if (users == Users::read) ::sigaddset(&set, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

std::optional<int> Signals::take() {
  signalfd_siginfo info;
  while (::read(fd_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo != SIGWINCH) return static_cast<int>(info.ssi_signo);
  }
  return std::nullopt;
}

bool Signals::wait(Duration timeout, int other) {
  pollfd fds[2] = {{fd_.get(), POLLIN, 0}, {other, POLLIN, 0}};
  const auto milliseconds = std::clamp<std::int64_t>((timeout.us + 999) / 1000, 0, 3'600'000);
  ::poll(fds, 2, static_cast<int>(milliseconds));
  return (fds[0].revents & POLLIN) != 0;
}

}  // namespace baton::cli
