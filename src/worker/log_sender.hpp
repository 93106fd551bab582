// Sends the log of one attempt to the server while the attempt runs. The executor writes it into a file of
// this machine first, so that a server that is away for a while costs no output.
#pragma once

#include <cstdint>
#include <string>

#include "worker/server_calls.hpp"

namespace baton::worker {

// One thread at a time.
class LogSender {
 public:
  explicit LogSender(std::string path) : path_(std::move(path)) {}

  // What is new, at most a few MiB. True: there is more. Bytes that are no UTF-8 arrive as U+FFFD. Fails with
  // stale_token if the attempt does not hold its task any more.
  Result<bool> send(ServerCalls& server, const Task& task);

 private:
  std::string path_;
  std::uint64_t read_ = 0;  // place in the file
  std::uint64_t sent_ = 0;  // bytes of text
};

}  // namespace baton::worker
