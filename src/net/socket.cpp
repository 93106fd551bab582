#include "net/socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "net/poll.hpp"
#include "net/resolver.hpp"

namespace baton::net {
namespace {

constexpr int kBacklog = 4096;  // the system may allow less
constexpr int kSocketFlags = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

// The address of a Unix socket. A long path is reached through the descriptor of its folder.
struct UnixAddress {
  sockaddr_un address{};
  Fd folder;  // must stay open while the address is in use
};

Result<UnixAddress> unix_address(const std::string& path) {
  UnixAddress out;
  out.address.sun_family = AF_UNIX;
  std::string name = path;
  if (path.empty() || path.find('\0') != path.npos) {
    return fail(ErrorCode::usage, "the path of a Unix socket must not be empty or contain a NUL byte");
  }
  if (name.size() >= sizeof out.address.sun_path) {
    const auto slash = path.rfind('/');
    const auto folder = slash == path.npos ? "." : path.substr(0, slash + 1);
    out.folder = Fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!out.folder)
      return fail(ErrorCode::io, "cannot open the folder " + folder + ": " + errno_text(errno));
    name = "/proc/self/fd/" + std::to_string(out.folder.get()) + "/" + path.substr(slash + 1);
    if (name.size() >= sizeof out.address.sun_path) {
      return fail(ErrorCode::usage, "the name of the Unix socket " + path + " is too long");
    }
  }
  std::memcpy(out.address.sun_path, name.data(), name.size());
  return out;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Waits for a connect() that has begun.
Status finish_connect(int fd, MonoTime deadline, int cancel_fd) {
  TRY(const auto ready, poll_for(fd, POLLOUT, deadline, cancel_fd));
  (void)ready;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return fail(ErrorCode::unavailable, errno_text(error));
  return {};
}

// A peer that vanished without a word (its machine lost power, a firewall forgot the connection) is noticed
// after two minutes, also by who only waits for it.
void keep_alive(int fd) {
  constexpr int kOn = 1;
  constexpr int kIdle = 60;  // seconds without a byte, then a probe
  constexpr int kBetween = 15;
  constexpr int kProbes = 4;
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &kOn, sizeof kOn);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &kIdle, sizeof kIdle);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &kBetween, sizeof kBetween);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &kProbes, sizeof kProbes);
}

Result<Fd> connect_tcp(const addrinfo& to, MonoTime deadline, int cancel_fd) {
  Fd fd(::socket(to.ai_family, kSocketFlags, 0));
  if (!fd) return fail(ErrorCode::io, "cannot make a socket: " + errno_text(errno));
  keep_alive(fd.get());
  if (::connect(fd.get(), to.ai_addr, to.ai_addrlen) != 0) {
    // After EINTR as well the connection is being made in the background.
    if (errno != EINPROGRESS && errno != EINTR) return fail(ErrorCode::unavailable, errno_text(errno));
    TRY_VOID(finish_connect(fd.get(), deadline, cancel_fd));
  }
  return fd;
}

// A Unix socket connects at once or not at all, except that the listener's queue may be full. There is
// nothing to poll for then: connect() has to block, in slices, between which the deadline and cancel_fd are
// looked at.
Result<Fd> connect_unix(const sockaddr_un& to, MonoTime deadline, int cancel_fd) {
  constexpr timeval kSlice{.tv_sec = 0, .tv_usec = 50'000};
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail(ErrorCode::io, "cannot make a socket: " + errno_text(errno));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kSlice, sizeof kSlice);
  while (::connect(fd.get(), generic(to), sizeof to) != 0) {
    if (errno != EAGAIN && errno != EINTR) return fail(ErrorCode::unavailable, errno_text(errno));
    if (Loop::now() >= deadline) return fail(ErrorCode::timed_out, "its queue of new connections stays full");
    pollfd cancel{cancel_fd, POLLIN, 0};
    if (::poll(&cancel, 1, 0) > 0) return fail(ErrorCode::interrupted, "the wait was cancelled");
  }
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) return fail(ErrorCode::io, errno_text(errno));
  return fd;
}

Error with_target(Error error, const Endpoint& endpoint) {
  error.message = "cannot connect to " + endpoint.text() + ": " + error.message;
  return error;
}

}  // namespace

void Fd::reset() {
  if (value_ >= 0) ::close(value_);
  value_ = -1;
}

Result<Fd> listen_unix(const std::string& path, std::uint32_t mode, IfExists if_exists) {
  const auto failed = [&](const char* what) {
    return fail(ErrorCode::io,
                "cannot " + std::string(what) + " the socket " + path + ": " + errno_text(errno));
  };
  // Made under a temporary name, which then takes the real one's place in one step.
  const std::string temporary = path + "." + std::to_string(::getpid()) + ".new";
  TRY(const auto target, unix_address(temporary));
  Fd fd(::socket(AF_UNIX, kSocketFlags, 0));
  if (!fd) return failed("make");
  ::unlink(temporary.c_str());  // left by a process that died here and had our number
  if (::bind(fd.get(), generic(target.address), sizeof target.address) != 0) return failed("bind");

  const auto publish = [&]() -> Status {
    // Until listen() nobody can connect, so the mode is in force before the first connection.
    if (::chmod(temporary.c_str(), mode) != 0) return failed("set the mode of");
    if (::listen(fd.get(), kBacklog) != 0) return failed("listen on");
    if (if_exists == IfExists::replace) {
      struct stat existing{};
      if (::lstat(path.c_str(), &existing) == 0 && !S_ISSOCK(existing.st_mode)) {
        return fail(ErrorCode::owned, path + " exists and is not a socket");
      }
      if (::rename(temporary.c_str(), path.c_str()) != 0) return failed("name");
      return {};
    }
    if (::link(temporary.c_str(), path.c_str()) != 0) {
      if (errno == EEXIST) return fail(ErrorCode::owned, "the socket " + path + " exists already");
      return failed("name");
    }
    ::unlink(temporary.c_str());
    return {};
  };
  if (auto published = publish(); !published) {
    ::unlink(temporary.c_str());
    return fail(std::move(published).error());
  }
  return fd;
}

Result<TcpListener> listen_tcp(const std::string& address, std::uint16_t port) {
  const auto list = resolve_number(address, port, AI_PASSIVE);
  if (address.empty() || !list) {
    return fail(ErrorCode::usage, "\"" + address + "\" is not an IP address to listen on");
  }
  const addrinfo& info = **list;
  const auto failed = [&] {
    const auto code = errno == EADDRINUSE      ? ErrorCode::owned
                      : errno == EACCES        ? ErrorCode::not_allowed
                      : errno == EADDRNOTAVAIL ? ErrorCode::usage
                                               : ErrorCode::io;
    return fail(code,
                "cannot listen on " + address + " port " + std::to_string(port) + ": " + errno_text(errno));
  };
  TcpListener out;
  out.fd = Fd(::socket(info.ai_family, kSocketFlags, 0));
  if (!out.fd) return failed();
  const int on = 1;
  keep_alive(out.fd.get());  // what is accepted inherits it
  // A restart must not wait for the old connections' TIME_WAIT.
  ::setsockopt(out.fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (info.ai_family == AF_INET6) ::setsockopt(out.fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(out.fd.get(), info.ai_addr, info.ai_addrlen) != 0) return failed();
  if (::listen(out.fd.get(), kBacklog) != 0) return failed();
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(out.fd.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) return failed();
  out.port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                               : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
  return out;
}

Result<Fd> connect_to(const Endpoint& endpoint, MonoTime deadline, int cancel_fd,
                      const AddressPolicy* policy) {
  if (endpoint.unix_socket) {
    const auto address = unix_address(endpoint.path);
    if (!address) return fail(with_target({ErrorCode::unavailable, address.error().message, {}}, endpoint));
    auto fd = connect_unix(address->address, deadline, cancel_fd);
    if (!fd) return fail(with_target(std::move(fd).error(), endpoint));
    return fd;
  }
  const auto list = resolve(endpoint.host, endpoint.port, deadline, cancel_fd);
  if (!list) return fail(with_target(list.error(), endpoint));
  std::int64_t left = 0;
  for (const addrinfo* info = list->get(); info != nullptr; info = info->ai_next) ++left;
  std::optional<Error> first_error;
  for (const addrinfo* info = list->get(); info != nullptr; info = info->ai_next) {
    if (policy != nullptr) {
      if (const auto range = policy->denied_by(info->ai_addr)) {
        // Not the next address either: a name that leads there at times is not to be trusted.
        return fail(with_target(
            {ErrorCode::not_allowed, address_text(info->ai_addr) + " is denied (" + *range + ")", {}},
            endpoint));
      }
    }
    const MonoTime now = Loop::now();
    auto fd = connect_tcp(*info, now + Duration::micros((deadline - now).us / left--), cancel_fd);
    if (fd) {
      const int on = 1;
      ::setsockopt(fd->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return fd;
    }
    if (!first_error) first_error = fd.error();
    if (fd.error().code == ErrorCode::interrupted) {
      first_error = fd.error();
      break;
    }
  }
  return fail(with_target(first_error.value_or(Error{ErrorCode::unavailable, "no address", {}}), endpoint));
}

Peer peer_of(int fd) {
  Peer peer;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return peer;
  if (address.ss_family == AF_UNIX) {
    ucred credentials{};
    socklen_t length = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0) {
      peer.local = true;
      peer.uid = credentials.uid;
      peer.pid = credentials.pid;
    }
    peer.address = "unix";
    return peer;
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &in6.sin6_addr, text.data(), text.size());
    peer.address = "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(in6.sin6_port));
  } else {
    const auto& in4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &in4.sin_addr, text.data(), text.size());
    peer.address = std::string(text.data()) + ":" + std::to_string(ntohs(in4.sin_port));
  }
  return peer;
}

}  // namespace baton::net
