// What a worker says to the server: the calls of docs/reference/worker-protocol.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "client/client.hpp"
#include "executors/process/usage.hpp"
#include "logs/frame.hpp"
#include "model/definition.hpp"
#include "model/outcome.hpp"
#include "net/http_client.hpp"

namespace baton::worker {

struct Task {
  Token token;
  TaskId id;
  std::string step;
  std::uint32_t attempt = 1;
  model::StepKind kind = model::StepKind::run;
  std::string spec;                  // JSON for the kind's executor
  std::vector<std::string> secrets;  // values in it that are not to be shown
  std::optional<std::chrono::steady_clock::time_point> soft_end = {}, hard_end = {};  // executors::Attempt's
};

// What the worker takes.
struct Offer {
  std::vector<std::string> queues;  // empty: all
  std::vector<std::string> functions;
  bool steps = true;  // those that are no functions: processes, requests
};

struct Report {
  Token token;
  TaskId task;
  model::Outcome outcome;
  bool unbegun = false;  // it is given back: no outcome, and nothing counts
};

struct Stop {
  Token token;
  bool hard = false;
};
struct Heartbeat {
  Duration lease;
  std::vector<Stop> stop;
  bool paused = false;  // nothing is handed out to it for now
  bool drain = false;   // it is to end in good order
};

// A run that has ended, or that the server does not know.
struct RunEnd {
  RunId run;
  std::optional<Duration> ago;  // since when; none: it is not known
};

// What it says of itself, for people to look at.
struct About {
  std::vector<std::string> tags;
  std::uint32_t concurrency = 1;
};

struct Exchange {
  std::vector<Task> tasks;
  std::vector<Status> reports;  // one for each that was sent: taken, or stale_token, or why not
};

struct Output {
  logs::Stream stream = logs::Stream::out;
  std::string text;
};

// Over a connection of its own; one thread at a time. Every call fails with `unavailable`, `io` or
// `timed_out` when the server is not there or does not answer, and with the server's own errors. All may be
// repeated; a claim then names what the worker has.
class ServerCalls {
 public:
  static constexpr Duration kPatience = Duration::seconds(20);  // beyond what a call may wait for

  // `cancel`: ends what waits, with `interrupted`; must outlive the calls.
  ServerCalls(client::Server server, std::string worker, const net::Cancellation* cancel = nullptr);

  // The process is new: what one of its name had before is lost.
  Result<Heartbeat> register_worker(const Offer& offer, const About& about);
  // With reports it does not wait. `running`: of a claim whose answer was lost, when it is repeated: all that
  // the worker has; what was in that answer comes again. No other claim may be on its way meanwhile.
  Result<Exchange> claim(const Offer& offer, std::uint32_t max, Duration wait,
                         const std::vector<Report>& reports,
                         const std::optional<std::vector<Token>>& running = {});
  // Only that; a claim that waits goes on.
  Result<Exchange> report(const std::vector<Report>& reports);
  // An answer that takes longer than `patience` is none.
  Result<Heartbeat> heartbeat(const std::vector<Token>& running, const About& about,
                              const executors::process::Usage& usage, Duration patience = kPatience);
  // They were not begun. At most as many as a claim brings.
  Result<Exchange> release(const std::vector<Task>& tasks);
  // `offset`: bytes that were sent before. Returns how many the server has.
  Result<std::uint64_t> append_log(const Task& task, std::uint64_t offset, const std::vector<Output>& output);
  // Those of them that are over.
  Result<std::vector<RunEnd>> ended_runs(const std::vector<RunId>& runs);
  Status leave();

  // How long the last call is not to be repeated, as the server has said; 0 = it has not.
  Duration asked_pause() const { return asked_pause_; }

 private:
  Result<Exchange> exchange(std::string_view call, std::string body, Duration wait,
                            const std::vector<Report>& reports);
  // `idempotent`: http_client.hpp.
  Result<std::string> send(net::Method method, std::string target, std::string body, Duration timeout,
                           bool idempotent = true);

  client::Server server_;
  std::string path_;  // of the worker
  net::HttpClient http_;
  const net::Cancellation* cancel_;
  Duration asked_pause_;
};

}  // namespace baton::worker
