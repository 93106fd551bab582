// Sends the log of one attempt to the server while the attempt runs.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "executors/functions/function_executor.hpp"
#include "logs/frame.hpp"
#include "worker/server_calls.hpp"

namespace baton::worker {

// One thread at a time.
class LogSender {
 public:
  virtual ~LogSender() = default;
  // What is new, at most a few MiB. True: there is more. Bytes that are no UTF-8 arrive as U+FFFD. Fails with
  // stale_token if the attempt does not hold its task any more.
  virtual Result<bool> send(ServerCalls& server, const Task& task) = 0;
  // It was sent, or never will be.
  virtual void forget() = 0;
};

// A frame of that file as the server gets it: what is said about the log itself is a line of standard error.
Output output_of(const logs::Frame& frame);

// What an executor writes into a file of this machine first, so that a server that is away for a while costs
// no output.
class FileLogSender final : public LogSender {
 public:
  explicit FileLogSender(std::string path) : path_(std::move(path)) {}
  Result<bool> send(ServerCalls& server, const Task& task) override;
  void forget() override;

 private:
  std::string path_;
  std::uint64_t read_ = 0;  // place in the file
  std::uint64_t sent_ = 0;  // bytes of text
};

// What a function says, which stays in memory until it is sent: at most kMost bytes, and what would be more
// is dropped and counted.
class MemoryLogSender final : public LogSender {
 public:
  static constexpr std::size_t kMost = 8 << 20;

  // Any thread, whole lines; a line end is added where it is missing.
  void add(std::string_view text);
  Result<bool> send(ServerCalls& server, const Task& task) override;
  void forget() override {}

 private:
  std::mutex mutex_;
  std::string pending_;        // guarded by mutex_: not yet taken for sending
  std::uint64_t dropped_ = 0;  // guarded by mutex_: bytes after these
  std::string taken_;          // being sent, perhaps again
  std::uint64_t sent_ = 0;     // bytes of text
};

}  // namespace baton::worker
