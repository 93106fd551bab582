// Tells the service manager that started this process how it is: systemd's notification protocol,
// sd_notify(3) and sd_watchdog_enabled(3), a datagram to the socket that NOTIFY_SOCKET names.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"

namespace baton::telemetry {

// Without NOTIFY_SOCKET every function does nothing. Any thread. What cannot be sent is lost: the service
// manager does what it does to a process that is silent.
class Supervisor {
 public:
  // `environment` as std::getenv, null for what is not set.
  explicit Supervisor(const std::function<const char*(const char*)>& environment);

  bool is_there() const { return !socket_.empty(); }
  void ready(std::string_view status) const;
  // SIGHUP was received; ready() follows. `now`: CLOCK_MONOTONIC.
  void reloading(Duration now) const;
  void stopping(std::string_view status) const;
  void alive() const;
  // How often alive() has to be called: half of what the service manager waits. None: it does not watch.
  std::optional<Duration> watchdog() const { return watchdog_; }

 private:
  void send(std::string_view message) const;

  std::string socket_;  // "" = there is nobody
  std::optional<Duration> watchdog_;
};

}  // namespace baton::telemetry
