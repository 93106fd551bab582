// What the owner and its spawner say to each other over a SOCK_SEQPACKET pair: one message per packet, plain
// structs, because both are the same binary. Descriptors travel by SCM_RIGHTS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace baton::executors::process::protocol {

// Descriptors that a spawner is started with.
inline constexpr int kSocket = 3;
inline constexpr int kLock = 4;  // optional: only held, never used

// Owner to spawner. A start is followed by its body and carries the write ends for stdout and stderr; a body
// over kInlineBody travels in a memfd, the third descriptor. The body is a sequence of texts, each ended by a
// NUL: the working directory, `argc` arguments, `envc` variables.
enum class Command : std::uint32_t { start = 1, signal = 2 };
inline constexpr std::uint32_t kInlineBody = 32 << 10;
inline constexpr std::uint32_t kMaxBody = 64 << 20;

struct Request {
  Command command = Command::start;
  std::int32_t signal = 0;  // of Command::signal: sent to the process group
  std::uint64_t id = 0;     // chosen by the owner
  std::uint32_t argc = 0;
  std::uint32_t envc = 0;
  std::uint32_t body_size = 0;
  std::uint32_t in_memfd = 0;
};

// Spawner to owner, up to kReportsPerPacket in a packet. Each start is answered by `started` and later
// `exited`, or by `failed`. `started` may come a millisecond late.
inline constexpr std::size_t kReportsPerPacket = 32;
enum class Event : std::uint32_t { started = 1, failed = 2, exited = 3 };
// What the error number of a failed start is about.
enum class Stage : std::uint32_t { request = 1, fork = 2, workdir = 3, descriptors = 4, exec = 5 };

struct Report {
  Event event = Event::started;
  std::int32_t value = 0;  // started: the process id; failed: errno; exited: the wait status
  std::uint64_t id = 0;
  Stage stage = Stage::request;  // of failed
  std::uint32_t unused = 0;
};

static_assert(std::is_trivially_copyable_v<Request> && std::is_trivially_copyable_v<Report>);

}  // namespace baton::executors::process::protocol
