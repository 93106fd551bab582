// Plays a workflow many times with assumed durations and failures, and says how long it takes and why.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "engine/moment.hpp"
#include "model/definition.hpp"
#include "model/states.hpp"

namespace baton::simulate {

// How long something takes: always `low`, evenly between `low` and `high`, (skewed) as a log-normal
// distribution whose median is `low` and whose 95th percentile is `high`, or one of those that were `seen`.
struct Spread {
  enum class Kind : std::uint8_t { fixed, even, skewed, seen };
  Kind kind = Kind::fixed;
  Duration low;
  Duration high;
  std::vector<Duration> seen;  // of kind seen: not empty

  Duration draw(engine::Random& random) const;
};

// Of a step that waits for a signal or an answer: `takes` is how long until it comes; those that fail are
// rejected, or do not come; `result` is the signal's data, or the value that goes with a yes. Of a poll all
// of it is about each poll.
struct Assumption {
  Spread takes;
  std::uint32_t failures_ppm = 0;  // of a million attempts
  std::string error = "exit";      // type of those failures
  std::string result;              // JSON; "" = what the step's kind gives without one
};

struct StudyOptions {
  std::shared_ptr<const model::Workflow> workflow;
  std::string input = "{}";                     // complete and checked
  std::map<std::string, Assumption> steps;      // others take nothing and do not fail
  std::uint32_t workers = 4;                    // tasks at a time
  std::map<std::string, std::uint32_t> limits;  // that operators set, by name; of others there is enough
  std::uint32_t runs = 100;
  std::uint64_t seed = 1;  // of the first run; each further one has the next
};

struct TaskTrace {
  std::string name;  // "fetch", "label[2]"
  Ordinal step = 0;
  model::TaskStatus status = model::TaskStatus::pending;
  Duration ready;  // when it was first queued
  Duration ended;
  std::vector<std::pair<Duration, Duration>> attempts;  // from, to; of a wait: all of it, as one
  bool waits = false;                                   // it is of kind wait
  Duration begun;                                       // of its last attempt, or poll
  bool critical = false;

  bool started() const { return !attempts.empty(); }
};

// Where the time of a run goes, along its critical path: the tasks that each made the next one wait.
struct Shares {
  Duration work;     // last attempts
  Duration retries;  // failed attempts and the delays after them
  Duration workers;  // queued, no worker was free
  Duration limits;   // ready, but over a limit of the definition (max_parallel)
  Duration waits;    // for what steps of kind wait are for

  Duration total() const { return work + retries + workers + limits + waits; }
};

struct RunTrace {
  std::uint64_t seed = 0;
  model::RunStatus status = model::RunStatus::pending;
  std::string error;  // "type: message"
  Duration took;
  Duration busy;                 // of all workers together
  Duration wasted;               // of that, in attempts that did not complete
  bool failed_attempts = false;  // there were some
  Shares shares;
  std::vector<TaskTrace> tasks;  // that were ready, in the order in which they were
};

struct StepFigures {
  std::string step;
  std::uint64_t tasks = 0;     // that were started
  std::uint64_t attempts = 0;  // of them
  Duration took;               // from first start to end, all tasks together
  Duration waited;             // for a worker
  std::uint64_t critical = 0;  // runs whose critical path it is on
};

struct Study {
  std::vector<Duration> took;  // ascending
  std::map<std::string, std::uint64_t> outcomes;
  std::string first_error;
  std::vector<StepFigures> steps;  // in file order
  Shares shares;                   // of all runs together
  Duration busy;                   // of all workers and runs
  Duration wasted;                 // of that, in attempts that did not complete
  std::uint64_t saved = 0;         // runs that completed although an attempt had failed
  Duration total;                  // of all runs
  RunTrace example;                // the run in the middle

  // The time that a share `percent` of the runs did not exceed.
  Duration percentile(std::uint32_t percent) const;
  // What makes the runs longer than their work: "the work itself", "workers", "limits", "retries" or "waits".
  std::string_view binding() const;
};

// The same options give the same study. Fails if a run cannot be played.
Result<Study> study(const StudyOptions& options);

}  // namespace baton::simulate
