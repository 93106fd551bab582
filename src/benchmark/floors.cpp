#include "benchmark/floors.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>
#include <vector>

#include "base/fd.hpp"
#include "net/loop.hpp"
#include "net/socket.hpp"

namespace baton::benchmark {
namespace {

constexpr int kAppends = 300;
constexpr int kRoundTrips = 3000;
constexpr int kSpawns = 200;

template <typename Act>
Result<double> median_of(int times, Act act) {
  std::vector<std::int64_t> took;
  for (int i = 0; i < times; ++i) {
    const net::MonoTime begun = net::Loop::now();
    TRY_VOID(act());
    took.push_back((net::Loop::now() - begun).us);
  }
  std::ranges::nth_element(took, took.begin() + times / 2);
  return static_cast<double>(took[static_cast<std::size_t>(times) / 2]);
}

Status failed(std::string_view what) {
  return fail(ErrorCode::io, "cannot " + std::string(what) + ": " + errno_text(errno));
}

Status transfer(int fd, std::span<char> bytes, bool out) {
  while (!bytes.empty()) {
    const ssize_t n = out ? ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL)
                          : ::recv(fd, bytes.data(), bytes.size(), 0);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
      pollfd wait{fd, static_cast<short>(out ? POLLOUT : POLLIN), 0};
      ::poll(&wait, 1, -1);
      continue;
    }
    if (n <= 0) return fail(ErrorCode::io, "the connection to itself broke");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

void no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

Result<double> durable_append(const std::string& directory) {
  const std::string path = directory + "/floor";
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (!file) return fail(failed("make " + path).error());
  std::array<char, 4096> page{};
  const auto result = median_of(kAppends, [&]() -> Status {
    if (::write(file.get(), page.data(), page.size()) != static_cast<ssize_t>(page.size()) ||
        ::fdatasync(file.get()) != 0) {
      return failed("write " + path);
    }
    return {};
  });
  ::unlink(path.c_str());
  return result;
}

Result<double> tcp_round_trip() {
  TRY(const net::TcpListener listener, net::listen_tcp("127.0.0.1", 0));
  const Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(listener.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail(failed("connect to itself").error());
  pollfd waits{listener.fd.get(), POLLIN, 0};
  ::poll(&waits, 1, -1);
  Fd server(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!server) return fail(failed("accept a connection from itself").error());
  no_delay(client.get());
  no_delay(server.get());
  std::thread echo([&] {
    std::array<char, 64> bytes{};
    while (transfer(server.get(), bytes, false) && transfer(server.get(), bytes, true)) {
    }
  });
  std::array<char, 64> bytes{};
  const auto result = median_of(kRoundTrips, [&]() -> Status {
    TRY_VOID(transfer(client.get(), bytes, true));
    return transfer(client.get(), bytes, false);
  });
  ::shutdown(client.get(), SHUT_RDWR);
  echo.join();
  return result;
}

Result<double> spawn() {
  return median_of(kSpawns, []() -> Status {
    char program[] = "/bin/true";
    char* argv[] = {program, nullptr};
    char* env[] = {nullptr};
    pid_t child = -1;
    errno = ::posix_spawn(&child, program, nullptr, nullptr, argv, env);
    if (errno != 0) return failed("start /bin/true");
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return {};
  });
}

}  // namespace baton::benchmark
