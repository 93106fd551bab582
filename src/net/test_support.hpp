// What the tests of sockets share.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "net/http_server.hpp"
#include "net/socket.hpp"

namespace baton::net::test {

// Long enough for a loaded machine under a sanitizer; no passing test waits for it.
inline constexpr Duration kPatience = Duration::seconds(60);

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "baton-net-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

// A flag that one thread raises and another waits for.
class Event {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    const bool in_time = changed_.wait_for(lock, kPatience.chrono(), [&] { return set_; });
    ASSERT_TRUE(in_time) << "the awaited event did not come";
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

// A client that writes and reads bytes, so that tests can send what no proper client would.
class RawClient {
 public:
  explicit RawClient(const Endpoint& endpoint) {
    auto fd = connect_to(endpoint, Loop::now() + kPatience, -1);
    EXPECT_TRUE(fd) << fd.error().message;
    if (fd) fd_ = std::move(*fd);
  }

  // False once the server has gone.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const auto n = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (n >= 0) {
        text.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno == EAGAIN) {
        wait(POLLOUT);
      } else if (errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  // Everything up to and with the next occurrence of `mark`, or all there is when the connection ends.
  std::string read_until(std::string_view mark) {
    for (;;) {
      if (const auto at = received_.find(mark); at != std::string::npos) {
        const auto text = received_.substr(0, at + mark.size());
        received_.erase(0, at + mark.size());
        return text;
      }
      if (!receive()) return std::exchange(received_, {});
    }
  }
  // Everything until the server closes.
  std::string read_all() {
    while (receive()) {
    }
    return std::exchange(received_, {});
  }
  void end_sending() { ::shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_.reset(); }
  int fd() const { return fd_.get(); }

 private:
  void wait(short events) {
    pollfd state{fd_.get(), events, 0};
    ASSERT_GT(::poll(&state, 1, static_cast<int>(kPatience.us / 1000)), 0) << "the server does not move";
  }
  bool receive() {
    char buffer[16 * 1024];
    for (;;) {
      const auto n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (n > 0) {
        received_.append(buffer, static_cast<std::size_t>(n));
        return true;
      }
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) {
        wait(POLLIN);
        if (::testing::Test::HasFatalFailure()) return false;
        continue;
      }
      return false;
    }
  }

  Fd fd_;
  std::string received_;
};

// A server on a Unix socket, with its loop on a thread.
class TestServer {
 public:
  explicit TestServer(Handler handler, ServerOptions options = {})
      : server(loop, std::move(options), std::move(handler)) {
    loop.start();
    const auto listening = server.listen_unix(dir.file("s"));
    EXPECT_TRUE(listening) << listening.error().message;
    endpoint = {.unix_socket = true, .path = dir.file("s"), .host = {}, .port = 0};
  }
  ~TestServer() { server.close(); }

  RawClient connect() const { return RawClient(endpoint); }

  TempDir dir;
  Loop loop;
  HttpServer server;
  Endpoint endpoint;
};

}  // namespace baton::net::test
