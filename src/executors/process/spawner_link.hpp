// The owner's end of its spawner.
#pragma once

#include <sys/types.h>

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "executors/process/protocol.hpp"

namespace baton::executors::process {

enum class Sent { yes, later, no };  // later: the socket is full. no: errno says why
enum class Received { reports, nothing, gone };

// Not thread-safe.
class SpawnerLink {
 public:
  // Starts `program` (normally /proc/self/exe) as spawner. `lock` (or -1) is passed on: the spawner's copy
  // keeps the lock until all tasks are gone.
  static Result<SpawnerLink> launch(const std::string& program, int lock);

  SpawnerLink(SpawnerLink&& other) noexcept;
  SpawnerLink& operator=(SpawnerLink&&) = delete;
  ~SpawnerLink();  // as end() and wait()

  int socket() const { return socket_.get(); }
  pid_t pid() const { return pid_; }

  // Never block. `body` is left out of requests that have none; at most three descriptors.
  Sent send(const protocol::Request& request, std::string_view body, std::span<const int> descriptors);
  // `reports` is set to what was received: valid until the next call.
  Received receive(std::span<const protocol::Report>& reports);

  // Tells the spawner to kill everything and exit; its reports end with `gone` when that is done.
  void end();
  // Waits until the spawner has exited. Call after `gone`. Twice is fine.
  void wait();

 private:
  SpawnerLink(Fd socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}

  Fd socket_;
  pid_t pid_;
  std::array<protocol::Report, protocol::kReportsPerPacket> reports_{};
};

// A file descriptor (memfd) with a body that is too long for a packet.
Result<Fd> body_in_memory(std::string_view body);

}  // namespace baton::executors::process
