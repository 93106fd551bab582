// What a scenario file says (docs/reference/scenarios.md): a workflow, what its steps pretend to do, what
// people do meanwhile, and what is expected to come of it.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/definition.hpp"
#include "simulate/worker.hpp"
#include "spec/diagnostic.hpp"

namespace baton::scenario {

// Where something stands in the file: a diagnostic without a message yet.
using Place = spec::Diagnostic;

// What one start of a step's task does; see simulate::Behaviour.
struct Mock {
  simulate::Behaviour behaviour;
  // The result was not said: the step's kind decides what it is.
  bool default_result = true;
  // Steps that it adds to its run, JSON with `steps`.
  struct Addition {
    std::string steps;
    bool detach = false;
  };
  std::vector<Addition> adds;
};
// One entry per start; the last one also for all further ones. Never empty.
using Mocks = std::vector<Mock>;

// "3s attempt.ended fetch 1 failed": a time or a range of times ("3s..5s"; optional), then words. An event
// matches if it has its first word (and, of a task, its second) and the others in the same order.
struct EventPattern {
  std::optional<Duration> from;
  std::optional<Duration> to;
  std::vector<std::string> words;
  std::string text;
  Place place;
};

// A field of the API's object with the value that it shall have.
struct FieldExpectation {
  std::string name;
  boost::json::value value;
  Place place;
};

struct TaskExpectation {
  std::string task;  // "fetch", "label[2]"
  std::vector<FieldExpectation> fields;
  Place place;
};

struct Expectation {
  std::string run;  // its name in the scenario
  std::vector<FieldExpectation> fields;
  std::vector<TaskExpectation> tasks;
  std::vector<EventPattern> events;                  // these, in this order, perhaps with others between them
  std::optional<std::vector<EventPattern>> history;  // these and no others
  std::vector<EventPattern> never;
  Place place;

  bool is_empty() const {
    return fields.empty() && tasks.empty() && events.empty() && !history && never.empty();
  }
};

// Something that is done at a certain time.
struct Action {
  Duration at;
  std::string verb;
  boost::json::value argument;                      // what stands behind the verb; null if there is nothing
  boost::json::object options;                      // what stands beside it
  std::string run;                                  // that it is about
  std::optional<std::string> refused;               // it is expected to fail with an error of this code
  std::shared_ptr<const model::Workflow> workflow;  // of `start`
  std::vector<Expectation> expect;                  // of `expect`
  Place place;
};

struct Scenario {
  std::string name;
  std::vector<std::int64_t> covers;       // lines of a specification that it is about
  WallTime begin{1'893'456'000'000'000};  // 2030-01-01T00:00:00Z
  std::uint64_t seed = 1;
  std::optional<Duration> until;
  std::map<std::string, Mocks, std::less<>> steps;
  std::vector<simulate::WorkerOptions> workers;  // empty: one in the owner's process, for all queues
  std::vector<Action> actions;  // the first one starts the run; of equal times, in this order
  std::vector<Expectation> expect;
  Place place;
};

// The run that the scenario starts at the beginning.
inline constexpr const char* kMainRun = "main";

}  // namespace baton::scenario
