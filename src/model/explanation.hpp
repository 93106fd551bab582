// Why something is not running: the answer to Explain. Every reason is what the dispatcher's own predicate, a
// row or a timer says at that moment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/queue.hpp"

namespace baton::model {

struct Reason {
  std::string code;     // "queue_paused", "needs", "retry_delay", … (docs/guide/steering-runs.md lists them)
  std::string message;  // a sentence for people
  std::string subject;  // what it hangs on: a queue, a step, a worker; may be empty
  std::optional<WallTime> until;  // when it ends by itself
  std::vector<Ordinal> tasks;     // of the run, that it concerns or waits for; the first few
  std::uint32_t count = 0;        // of such tasks in all
};

// What the dispatcher knows of queues, workers and targets: the answer to AskSurvey.
struct QueueView {
  std::string name;
  std::uint32_t queued = 0;                 // tasks in its line
  std::uint32_t held = 0;                   // queued tasks that something else than the queue blocks
  std::uint32_t workers = 0;                // that asked for its tasks
  std::uint32_t running = 0;                // attempts of its tasks
  std::optional<std::uint8_t> most_urgent;  // priority of the first task
  std::uint64_t pending = 0;                // tasks that are ready, but for which it has no room
  QueueRow set;                             // what people have set for it, if `set.at` is not 0
};
struct WorkerView {
  std::string name;
  bool in_process = false;
  bool waiting = false;                // asks for tasks at the moment
  std::vector<std::string> queues;     // that it asked for; empty = all
  bool steps = true;                   // whether it takes steps that are no functions
  std::vector<std::string> functions;  // that it has, "*" = all
  std::vector<TaskKey> running;        // the first few
  std::uint32_t attempts = 0;          // that it holds
};
// A downstream service that workflows of this shard name.
struct TargetView {
  std::string name;
  std::uint32_t running = 0;  // attempts that use it
  std::uint32_t held = 0;     // queued tasks that wait for it: it is paused, or its breaker is open
  std::string breaker;        // through which its steps go; "" = none
};
struct LimitView {
  struct Holder {
    TaskId task;
    std::string step;
    std::uint32_t amount = 0;
  };
  std::string name;
  std::optional<std::uint32_t> limit;  // as somebody has set it
  std::string by, why;                 // who and why, if so
  WallTime at;                         // when, if so
  std::uint64_t in_use = 0;
  std::uint64_t waiting = 0;    // tasks that stand before it
  std::vector<Holder> holders;  // the first few
};
struct Survey {
  std::vector<QueueView> queues;
  std::vector<TargetView> targets;
  std::vector<WorkerView> workers;
  std::vector<LimitView> limits;  // that are set or in use, by name
  std::vector<RouteRow> routes;   // by pattern
};

struct Explanation {
  RunId run;
  std::optional<Ordinal> task;
  std::string status;
  std::vector<Reason> reasons;  // the nearest first
};

}  // namespace baton::model
