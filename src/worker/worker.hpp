// A worker: takes tasks from a server and carries them out here: steps (processes and requests) on this
// machine, functions in this process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "executors/functions/function_table.hpp"
#include "executors/http/egress.hpp"
#include "worker/server_calls.hpp"

namespace baton::worker {

// For steps that are no functions.
struct StepOptions {
  std::string data_dir;            // absolute; scratch folders and logs on their way; made if it is missing
  executors::http::Egress egress;  // where requests may go
  bool temporary = false;  // nobody comes back to data_dir: it goes when the worker ends, or has been killed
  Duration keep = Duration::hours(24);      // how long folders of ended runs stay
  std::optional<std::uint64_t> min_free{};  // bytes of disk below which it takes no tasks; none: the usual
  std::string spawner = "/proc/self/exe";   // executors/process/spawner.hpp
};

struct WorkerOptions {
  client::Server server;
  std::string name;
  std::vector<std::string> queues;   // empty: all
  std::uint32_t concurrency = 4;     // attempts at a time
  std::uint32_t prefetch = 0;        // tasks beyond these that are held ready
  std::vector<std::string> tags;     // words that are shown with it
  std::uint32_t sharing = 1;         // workers of this process: each says its part of what that uses
  std::optional<StepOptions> steps;  // none: it takes functions only
  std::shared_ptr<const executors::functions::FunctionTable> functions;  // null: it takes steps only
  std::function<void()> failed;               // fatal() has something to say; on any thread
  std::function<void()> drain_asked;          // the server wants it to end: it drains; on any thread, once
  std::function<void(std::string_view)> log;  // one line for operators at a time, on any thread
};

// Thread-safe.
class Worker {
 public:
  // Starts the threads and, for steps, the spawner. A server that is not there is waited for. Fails with
  // `owned` if another worker uses the data directory, `io`, `usage`.
  static Result<std::unique_ptr<Worker>> start(WorkerOptions options);

  virtual ~Worker() = default;  // as stop()

  // The table has functions that it did not have: tells the server, and waits for that as long as it takes.
  virtual void functions_changed() = 0;
  // Whether the server knows of it; waits at most so long, and no longer than until fatal().
  virtual bool registered(Duration patience) = 0;
  // Why it cannot go on: the server refuses it (not_allowed, unsupported), or its spawner was killed.
  virtual std::optional<Error> fatal() const = 0;
  // Whether the server wants it to end (`baton workers drain`).
  virtual bool asked_to_drain() const = 0;
  // Takes no more tasks and gives back those that have not begun; what runs goes on. Twice is fine.
  virtual void drain() = 0;
  // After drain(): waits until all that ran has been reported; false: `patience` was over first.
  virtual bool drained(Duration patience) = 0;
  // Interrupts what runs, reports that, says farewell; waits for functions to return. Twice is fine.
  virtual void stop() = 0;
};

}  // namespace baton::worker
