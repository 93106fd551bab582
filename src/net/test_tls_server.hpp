// A server for tests that speaks TLS: answers every request with the same bytes, then ends the connection.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "net/socket.hpp"
#include "net/test_certificates.hpp"
#include "net/test_support.hpp"
#include "net/tls.hpp"

namespace baton::net::test {

class TlsServer {
 public:
  struct Options {
    std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    bool says_goodbye = true;  // false: the connection just ends
  };

  TlsServer(const Certificate& certificate, Options options) : options_(std::move(options)) {
    certificate.write(dir_.file("c.pem"), dir_.file("k.pem"));
    auto context =
        TlsContext::server({.certificate_file = dir_.file("c.pem"), .key_file = dir_.file("k.pem")});
    EXPECT_TRUE(context) << context.error().message;
    context_ = *context;
    auto listening = listen_tcp("127.0.0.1", 0);
    EXPECT_TRUE(listening) << listening.error().message;
    listener_ = std::move(listening->fd);
    port_ = listening->port;
    thread_ = std::thread([this] { serve_all(); });
  }
  explicit TlsServer(const Certificate& certificate) : TlsServer(certificate, Options{}) {}
  ~TlsServer() {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(stop_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  std::string certificate_file() const { return dir_.file("c.pem"); }
  Endpoint endpoint(std::string host) const { return {.host = std::move(host), .port = port_, .tls = true}; }

 private:
  void serve_all() {
    for (;;) {
      pollfd fds[2] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
      if (::poll(fds, 2, -1) < 0) continue;
      if (fds[1].revents != 0) return;
      const Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd) continue;
      const timeval patience{.tv_sec = kPatience.us / 1'000'000, .tv_usec = 0};
      ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      serve(fd.get());
    }
  }

  void serve(int fd) {
    auto session = TlsSession::server(context_);
    ASSERT_TRUE(session);
    const auto send = [&] {
      const std::string out = session->take_output();
      return out.empty() ||
             ::send(fd, out.data(), out.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(out.size());
    };
    const auto receive = [&] {
      char bytes[16 * 1024];
      const auto n = ::recv(fd, bytes, sizeof bytes, 0);
      if (n > 0) session->receive({bytes, static_cast<std::size_t>(n)});
      return n > 0;
    };
    for (;;) {
      const auto done = session->handshake();
      if (!send() || !done) return;
      if (*done) break;
      if (!receive()) return;
    }
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos) {
      char text[4096];
      const auto n = session->read(text, sizeof text);
      if (!n || session->ended()) return;
      request.append(text, *n);
      if (*n == 0 && !receive()) return;
    }
    if (!session->write(options_.answer)) return;
    if (options_.says_goodbye) session->end();
    if (!send()) return;
    ::shutdown(fd, SHUT_WR);
    while (receive()) {
    }
  }

  TempDir dir_;
  const Options options_;
  std::shared_ptr<const TlsContext> context_;
  Fd listener_;
  Fd stop_{::eventfd(0, EFD_CLOEXEC)};
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace baton::net::test
