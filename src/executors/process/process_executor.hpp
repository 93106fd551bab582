// Runs attempts as processes: steps of kind `run` and `exec`. spec.hpp documents Attempt::spec, result.hpp
// how an end becomes an outcome.
//
// One thread serves all processes (epoll); a spawner process starts and reaps them (spawner.hpp). A process
// gets stdin empty, stdout and stderr piped into the attempt's log, a process group of its own, and exactly
// the environment of its spec plus what the executor adds. An attempt is finished when its process has
// exited: what it left behind in its group is killed then, and what it had written is read, but output of a
// process that moved to another group is not waited for.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"
#include "executors/executor.hpp"
#include "logs/writer.hpp"

namespace baton::executors::process {

struct Options {
  std::string scratch;            // absolute; BATON_RUN_DIR is <scratch>/<run id>; created 0700
  std::string logs;               // absolute; Attempt::log_path is relative to it
  std::string socket;             // where the owner serves the API, for BATON_SOCKET; "" = nowhere
  std::function<WallTime()> now;  // for the times in logs; called on the executor's thread
  int lock = -1;                  // the data directory's lock, if there is one: the spawner holds a copy
  // Somebody killed the spawner: called once, on the executor's thread. The owner should end.
  std::function<void()> spawner_died;
  logs::Limits log_limits;
  std::string program = "/proc/self/exe";  // what becomes the spawner, see spawner_main()
};

class ProcessExecutor final : public Executor {
 public:
  // Raises this process's soft limit of open files to the hard one: a running attempt needs four, with output
  // five.
  static Result<std::unique_ptr<ProcessExecutor>> create(Options options, Listener listener);
  ~ProcessExecutor() override;  // shuts down

  // After shutdown() an attempt is not accepted: nothing is reported. A token that is running is ignored.
  // Should the spawner have died (somebody killed it), what ran was reported as interrupted, and further
  // attempts wait for shutdown(): they must not fail because of that.
  void start(Attempt attempt) override;
  // An attempt that has not been started yet ends as failed, `cancelled`.
  void stop(const Token& token, StopMode mode) override;
  // `gone` for everything that is not running here: processes never survive their owner.
  Reattached reattach(const Token& token) override;
  // Not from a callback of the listener.
  void shutdown() override;

 private:
  class Loop;
  explicit ProcessExecutor(std::unique_ptr<Loop> loop);

  std::unique_ptr<Loop> loop_;
};

}  // namespace baton::executors::process
