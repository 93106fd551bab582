#include "telemetry/supervisor.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstring>

#include "base/fd.hpp"

namespace baton::telemetry {
namespace {

std::optional<std::int64_t> number(const char* text) {
  if (text == nullptr) return std::nullopt;
  const std::string_view digits(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// A status is one line.
std::string line_of(std::string_view name, std::string_view text) {
  return std::string(name) + '=' + std::string(text.substr(0, text.find('\n')));
}

}  // namespace

Supervisor::Supervisor(const std::function<const char*(const char*)>& environment) {
  const char* socket = environment("NOTIFY_SOCKET");
  if (socket == nullptr || (socket[0] != '/' && socket[0] != '@')) return;
  if (std::strlen(socket) >= sizeof(sockaddr_un::sun_path)) return;
  socket_ = socket;
  const auto patience = number(environment("WATCHDOG_USEC"));
  const auto pid = number(environment("WATCHDOG_PID"));
  if (patience && *patience > 0 && (!pid || *pid == ::getpid())) watchdog_ = Duration{*patience / 2};
}

void Supervisor::ready(std::string_view status) const {
  send("READY=1\n" + line_of("STATUS", status));
}

void Supervisor::reloading(Duration now) const {
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.us));
}

void Supervisor::stopping(std::string_view status) const {
  send("STOPPING=1\n" + line_of("STATUS", status));
}

void Supervisor::alive() const {
  send("WATCHDOG=1");
}

void Supervisor::send(std::string_view message) const {
  if (socket_.empty()) return;
  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // of the abstract namespace
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  (void)::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL,
                 reinterpret_cast<sockaddr*>(&address), length);
}

}  // namespace baton::telemetry
