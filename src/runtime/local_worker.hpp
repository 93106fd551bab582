// The worker in the owner's process: claims tasks as it has room, gives them to their executor, reports how
// they end.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.hpp"
#include "executors/executor.hpp"
#include "model/command.hpp"
#include "runtime/handle.hpp"
#include "secrets/vault.hpp"

namespace baton::runtime {

struct LocalWorkerOptions {
  std::string name = "local";
  std::string space;                // the namespace that it works for
  std::vector<std::string> queues;  // empty: all, since nobody else works for an embedded store
  std::uint32_t concurrency = 4;
  // Steps of kind `task` that it takes, asked at each claim; null = none.
  std::function<std::vector<std::string>()> functions;
  // Where the attempts' secrets come from; null = there are none. Outlives the worker.
  const secrets::Vault* vault = nullptr;
  // Runs a task after a while, on any thread; for reports that the store could not take.
  std::function<void(Duration, std::function<void()>)> later;
};

// What carries out which kinds of steps.
struct Executors {
  executors::Executor& processes;            // run, exec
  executors::Executor& requests;             // http
  executors::Executor* functions = nullptr;  // task; only if functions are claimed

  executors::Executor& of(model::StepKind kind) const;
};

// Thread-safe. Its executors tell finished() of every attempt, by listener() or by somebody who knows whose
// attempt it is, and outlive it.
class LocalWorker : public std::enable_shared_from_this<LocalWorker> {
 public:
  LocalWorker(Handle& loop, LocalWorkerOptions options) : loop_(loop), options_(std::move(options)) {}

  executors::Listener listener();
  void finished(const Token& token, model::Outcome outcome);  // of an attempt that is not its own: nothing
  void start(const Executors& executors);
  // Takes tasks of functions that it did not have when it claimed last.
  void functions_changed() { claim(Newest::replaced); }
  // What the engine asks for; on the loop's thread.
  void act(const model::StopAttempt& action);
  // Claims nothing more. What runs goes on; the executor's shutdown reports the rest.
  void drain();
  // Waits until the end of every attempt is stored; false: `patience` was over first. Not on the loop's
  // thread.
  bool wait_reported(Duration patience);

 private:
  struct Held {
    TaskId task;
    executors::Executor* executor = nullptr;
  };
  struct Shared {
    std::mutex mutex;
    std::condition_variable all_reported;
    std::unordered_map<Token, Held> attempts;  // that are running
    std::size_t reporting = 0;                 // that have ended, but are not stored as ended
    std::uint64_t claim = 0;                   // number of the newest; it takes the place of one that waits
    // How many tasks each claim may bring that was not answered yet. The newest may wait; one before it was
    // given something, which is on its way behind a commit, or will be answered with nothing.
    std::map<std::uint64_t, std::uint32_t> asked;
    bool draining = false;
  };

  // What becomes of the newest claim, if it was not answered yet. It counts as what it may bring, or is
  // replaced by one for its room, too.
  enum class Newest : std::uint8_t { counted, widened, replaced };
  void claim(Newest newest = Newest::counted);
  bool hold(const model::Assignment& assignment);
  // What became of it, if it could not begin.
  std::optional<model::Outcome> begin(model::Assignment assignment);
  void take(std::uint64_t claim, model::ReplyBody reply);
  void report(const Token& token, const TaskId& task, std::shared_ptr<const model::Outcome> outcome);

  Handle& loop_;
  LocalWorkerOptions options_;
  std::optional<Executors> executors_;
  Shared shared_;
};

}  // namespace baton::runtime
