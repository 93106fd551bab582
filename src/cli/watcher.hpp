// Shows a run until it has ended, whoever executes it: `baton run`, `baton watch`.
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

enum class OnSignal : std::uint8_t {
  cancel_run,  // the first cancels the run, the second terminates it, the third ends this process
  leave        // the first ends the watching; the run goes on
};

struct WatchOptions {
  OnSignal on_signal = OnSignal::cancel_run;
  Purpose purpose = Purpose::run;    // of a connection that is made anew
  std::optional<Duration> patience;  // how long at most
};

class Watcher {
 public:
  Watcher(Session& session, Signals& signals, Console& console, std::string run, RunModel model,
          WatchOptions options = {});

  // Until the run has ended. A broken connection is made anew: if its owner has gone, this process becomes
  // the owner and the run goes on, if that is the purpose. `interrupted`: by a signal, see left_by();
  // `timed_out`: the patience is over, the run is not.
  Status watch();
  const RunModel& model() const { return model_; }
  std::optional<int> left_by() const { return left_by_; }

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
  const WatchOptions options_;
  int signals_taken_ = 0;
  std::optional<int> left_by_;  // the signal
};

}  // namespace baton::cli
