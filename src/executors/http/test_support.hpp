// A server that does what a test says, and an HTTP executor with a directory of its own.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "executors/http/http_executor.hpp"
#include "net/socket.hpp"
#include "net/test_support.hpp"

namespace baton::executors::http::test {

// The server's end of one connection. Blocking; a failed write says that the client has gone.
class Conversation {
 public:
  explicit Conversation(net::Fd fd) : fd_(std::move(fd)) {}

  // Head and body of the next request; "" if the client has gone.
  std::string read_request();
  bool write(std::string_view text);
  // Until the client closes.
  void wait_closed();
  void end_sending();
  // The client gets a reset instead of an end.
  void reset();

 private:
  bool receive();

  net::Fd fd_;
  std::string received_;
};

std::string answer(std::string_view body, std::string_view type = "text/plain",
                   std::string_view status = "200 OK");

// Each connection gets a thread that calls `serve` with its number, from 0. It listens on 127.0.0.1.
class Server {
 public:
  using Serve = std::function<void(Conversation&, int)>;
  explicit Server(Serve serve);
  ~Server();

  std::string url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void accept_all();

  Serve serve_;
  net::Fd listener_;
  net::Fd stop_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

class Harness {
 public:
  explicit Harness(std::shared_ptr<const net::AddressPolicy> addresses = nullptr, std::size_t threads = 1024);
  ~Harness();  // fails the test if an accepted attempt was not reported exactly once

  Executor& executor() { return *executor_; }
  // `request`: the members of the request, as JSON.
  Token start(const std::string& request, const std::string& more = "");
  void wait_started(const Token& token);
  model::Outcome wait(const Token& token);
  model::Outcome run(const std::string& request, const std::string& more = "") {
    return wait(start(request, more));
  }
  // GET of that URL.
  model::Outcome get(const std::string& url) { return run("\"url\":\"" + url + "\""); }
  std::string log(const Token& token) const;

 private:
  net::test::TempDir directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t last_ = 0;
  std::map<Token, int> started_;
  std::map<Token, model::Outcome> finished_;
  bool twice_ = false;
  std::unique_ptr<HttpExecutor> executor_;
};

}  // namespace baton::executors::http::test
