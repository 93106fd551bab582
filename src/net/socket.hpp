// Sockets as file descriptors: listening, connecting, who is there. All descriptors are close-on-exec and
// non-blocking. Unix paths may be longer than the 107 bytes that a socket address holds.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "net/address_policy.hpp"
#include "net/http.hpp"
#include "net/loop.hpp"

namespace baton::net {

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int value) : value_(value) {}
  Fd(Fd&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      value_ = std::exchange(other.value_, -1);
    }
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return value_; }
  explicit operator bool() const { return value_ >= 0; }
  int release() { return std::exchange(value_, -1); }
  void reset();

 private:
  int value_ = -1;
};

enum class IfExists : std::uint8_t {
  fail,    // a file of that name is an error
  replace  // a socket of that name is replaced; only for a caller that knows that nobody listens on it
};

// Listens on a Unix socket with that access mode (not lessened by the umask). The name appears, or changes
// its owner, only once the socket accepts connections: a client never meets a half-made one. usage: the path
// is unusable; owned: the name exists (and, with `replace`, is not a socket); io: the rest.
Result<Fd> listen_unix(const std::string& path, std::uint32_t mode, IfExists if_exists);

struct TcpListener {
  Fd fd;
  std::uint16_t port = 0;  // the real one
};
// `address` is an IPv4 or IPv6 address (no name); port 0 = any free one.
// usage: not an address; owned: the port is taken; not_allowed: a privileged port; io: the rest.
Result<TcpListener> listen_tcp(const std::string& address, std::uint16_t port);

// Connects before `deadline`; several addresses of a host share the time. `cancel_fd` (or -1) ends the wait
// when it becomes readable. `policy` (or null) is asked about every address. unavailable: nobody there, the
// message says what was tried; timed_out; not_allowed: by the policy; interrupted: by cancel_fd.
Result<Fd> connect_to(const Endpoint& endpoint, MonoTime deadline, int cancel_fd,
                      const AddressPolicy* policy = nullptr);

// The other end of an accepted connection.
Peer peer_of(int fd);

}  // namespace baton::net
