#include "executors/http/test_support.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>

#include "logs/render.hpp"

namespace baton::executors::http::test {

using net::test::kPatience;

bool Conversation::receive() {
  char buffer[16 * 1024];
  const auto n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
  if (n <= 0) return false;
  received_.append(buffer, static_cast<std::size_t>(n));
  return true;
}

std::string Conversation::read_request() {
  std::size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive()) return {};
  }
  std::size_t length = 0;
  if (const auto at = received_.find("Content-Length: "); at < end) {
    std::from_chars(received_.data() + at + 16, received_.data() + end, length);
  }
  while (received_.size() < end + 4 + length) {
    if (!receive()) return {};
  }
  std::string request = received_.substr(0, end + 4 + length);
  received_.erase(0, request.size());
  return request;
}

bool Conversation::write(std::string_view text) {
  while (!text.empty()) {
    const auto n = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void Conversation::wait_closed() {
  while (receive()) {
  }
}

void Conversation::end_sending() {
  ::shutdown(fd_.get(), SHUT_WR);
}

void Conversation::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd_.reset();
}

std::string answer(std::string_view body, std::string_view type, std::string_view status) {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: " + std::string(type) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

Server::Server(Serve serve) : serve_(std::move(serve)), stop_(::eventfd(0, EFD_CLOEXEC)) {
  auto listening = net::listen_tcp("127.0.0.1", 0);
  EXPECT_TRUE(listening) << listening.error().message;
  listener_ = std::move(listening->fd);
  port_ = listening->port;
  acceptor_ = std::thread([this] { accept_all(); });
}

Server::~Server() {
  const std::uint64_t one = 1;
  EXPECT_EQ(::write(stop_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
}

void Server::accept_all() {
  for (;;) {
    pollfd fds[2] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0) continue;
    if (fds[1].revents != 0) return;
    net::Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) continue;
    const timeval patience{.tv_sec = kPatience.us / 1'000'000, .tv_usec = 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    threads_.emplace_back([this, number = connections_++, fd = std::move(fd)]() mutable {
      Conversation conversation(std::move(fd));
      serve_(conversation, number);
    });
  }
}

Harness::Harness(std::shared_ptr<const net::AddressPolicy> addresses, std::size_t threads) {
  Options options;
  options.logs = directory_.file("logs");
  options.now = [] { return WallTime{1'795'000'000'000'000}; };
  options.addresses = std::move(addresses);
  options.threads = threads;
  Listener listener;
  listener.started = [this](const Token& token) {
    const std::lock_guard lock(mutex_);
    ++started_[token];
    changed_.notify_all();
  };
  listener.finished = [this](const Token& token, model::Outcome outcome) {
    const std::lock_guard lock(mutex_);
    twice_ = !finished_.emplace(token, std::move(outcome)).second || twice_;
    changed_.notify_all();
  };
  executor_ = std::make_unique<HttpExecutor>(std::move(options), std::move(listener));
}

Harness::~Harness() {
  executor_->shutdown();
  EXPECT_FALSE(twice_);
  EXPECT_EQ(finished_.size(), last_);
}

Token Harness::start(const std::string& request, const std::string& more) {
  Token token;
  {
    const std::lock_guard lock(mutex_);
    token = {1, ++last_};
  }
  Attempt attempt;
  attempt.token = token;
  attempt.step = "step";
  attempt.log_path = token.text() + ".log";
  attempt.spec = "{\"request\":{" + request + "}" + more + "}";
  executor_->start(std::move(attempt));
  return token;
}

void Harness::wait_started(const Token& token) {
  std::unique_lock lock(mutex_);
  ASSERT_TRUE(changed_.wait_for(lock, kPatience.chrono(), [&] { return started_.contains(token); }));
}

model::Outcome Harness::wait(const Token& token) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience.chrono(), [&] { return finished_.contains(token); })) {
    ADD_FAILURE() << "the attempt does not end";
    return {};
  }
  return finished_.at(token);
}

std::string Harness::log(const Token& token) const {
  const auto part =
      logs::read_part(directory_.file("logs") + "/" + token.text() + ".log", 0, SIZE_MAX, {.streams = true});
  return part ? part->text : "";
}

}  // namespace baton::executors::http::test
