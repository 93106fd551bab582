// Shows a run until it has ended, whoever executes it: `baton run`.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "cli/console.hpp"
#include "cli/follower.hpp"
#include "cli/session.hpp"
#include "cli/signals.hpp"
#include "cli/view/live.hpp"
#include "cli/view/run_model.hpp"

namespace baton::cli {

class Watcher {
 public:
  Watcher(Session& session, Signals& signals, Console& console, std::string run, RunModel model);

  // Until the run has ended. A broken connection is made anew: if its owner has gone, this process becomes
  // the owner and the run goes on. A first signal cancels the run, a second one terminates it, a third one
  // ends this process. `interrupted`: by a signal before it was sure that there is such a run.
  Status watch();
  const RunModel& model() const { return model_; }

 private:
  void take_events();
  void take_signals();
  Status reconnect();
  void draw();
  void say(const std::string& line);

  Session& session_;
  Signals& signals_;
  Console& console_;
  std::string run_;
  RunModel model_;
  LiveBlock block_;
  const bool live_;
  std::optional<Follower> follower_;
  std::string last_event_;
  int signals_taken_ = 0;
};

}  // namespace baton::cli
