// A real server and a real worker, each a process of its own, and a way to ask the server.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "benchmark/process.hpp"
#include "client/client.hpp"
#include "net/http_client.hpp"

namespace baton::benchmark {

inline constexpr std::string_view kFunction = "bench.noop";

// One connection; one thread at a time. Fails as net::HttpClient does, and with io if the answer is no
// success.
class Caller {
 public:
  explicit Caller(const client::Server& server);

  Result<std::string> post(std::string_view target, std::string body, std::string_view idempotency_key = {});
  Result<std::string> get(std::string_view target);
  Result<boost::json::object> get_object(std::string_view target);

 private:
  Result<std::string> send(net::Method method, std::string_view target, std::string body,
                           std::string_view idempotency_key);

  net::HttpClient http_;
  std::string key_;
};

Result<boost::json::object> parse_object(std::string_view text);

class Stack {
 public:
  // `program`: the path of baton; `directory`: exists, and is this stack's alone.
  Stack(std::string program, std::string directory)
      : program_(std::move(program)), directory_(std::move(directory)) {}

  // Over the data that there is, at the port that it had. Returns when it serves.
  Status start_server();
  // One that does nothing, as often as it is asked. Returns at once.
  Status start_worker();
  void kill_server() { server_->kill(); }
  void stop();  // both, in good order

  const client::Server& address() const { return address_; }
  pid_t server_pid() const { return server_->pid(); }
  pid_t worker_pid() const { return worker_->pid(); }
  Duration cpu() const;          // of both so far
  std::uint64_t memory() const;  // of both

 private:
  Process::Spec spec(std::vector<std::string> words, const std::string& log) const;

  std::string program_;
  std::string directory_;
  std::optional<Process> server_;
  std::optional<Process> worker_;
  client::Server address_;
};

}  // namespace baton::benchmark
