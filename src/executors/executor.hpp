// What carries out attempts. One folder per kind; the runtime's table names them.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/outcome.hpp"

namespace baton::secrets {
class Redactor;
}

namespace baton::executors {

// One attempt, ready to start: every expression is evaluated.
struct Attempt {
  Token token;
  TaskId task;
  std::string space;         // the namespace that it belongs to; "" = not said
  std::string step;          // name of the step, for messages
  std::uint32_t number = 1;  // 1 for the first attempt of the task's generation
  std::string log_path;      // where its log goes, beneath the log directory
  std::string spec;          // JSON: the rendered step, in the form that the kind's executor documents
  // Masks what the attempt prints, returns and says, before any of it is cut or kept; null = nothing to mask.
  std::shared_ptr<const secrets::Redactor> redactor = {};
  bool has_secrets =
      false;  // `spec` has values of secrets: what is written to disk of it must not outlive us
  // When it is asked to end, and ended, as far as timeouts and deadlines say so now. For it to know; whoever
  // gave it out sees to that.
  std::optional<std::chrono::steady_clock::time_point> soft_end = {}, hard_end = {};
};

enum class StopMode : std::uint8_t {
  soft,  // ask (SIGTERM to the process group); the attempt may still end in its own way
  hard   // end it now (SIGKILL to the process group)
};

enum class Reattached : std::uint8_t { running, gone, unknown };

// Called on the executor's own thread; must not block. After stop() returned, nothing is called any more.
struct Listener {
  std::function<void(const Token&)> started;
  std::function<void(const Token&, model::Outcome)>
      finished;  // exactly once per attempt that start() accepted
};

class Executor {
 public:
  virtual ~Executor() = default;
  // Takes the attempt over; whatever goes wrong afterwards is an Outcome. Thread-safe.
  virtual void start(Attempt attempt) = 0;
  // Of an attempt that is not running (any more): no effect. Thread-safe.
  virtual void stop(const Token& token, StopMode mode) = 0;
  virtual Reattached reattach(const Token& token) = 0;
  // Kills what runs, waits for it; every accepted attempt has been reported (as interrupted) on return. Twice
  // is fine.
  virtual void shutdown() = 0;
};

}  // namespace baton::executors
