// What happened, as lines, and patterns of lines.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/run_steps.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/definition.hpp"
#include "model/fact.hpp"
#include "scenario/scenario.hpp"

namespace baton::scenario {

struct EventLine {
  Duration at;                     // since the scenario's beginning
  std::vector<std::string> words;  // "attempt.ended", "label[2]", "attempt=1", "outcome=failed"

  std::string text() const;  // "3s  attempt.ended label[2] attempt=1 outcome=failed"
};

// Tells the facts of one run, from its first one on: what serves a task is called after it, "deploy.cleanup".
class Narrator {
 public:
  Narrator(const RunId& run, std::shared_ptr<const api::RunSteps> steps)
      : run_(run), steps_(std::move(steps)) {}
  EventLine tell(Duration at, const model::Fact& fact);

 private:
  const RunId run_;
  const std::shared_ptr<const api::RunSteps> steps_;
  std::map<Ordinal, std::string> helpers_;  // names
};

bool matches(const EventPattern& pattern, const EventLine& line);

// The first pattern that cannot be found in order, and what was there instead; nullopt if all are there.
// `exact`: no other lines may stand between them.
struct Mismatch {
  std::size_t pattern = 0;  // == number of patterns: all are there, but more happened
  std::string details;
};
std::optional<Mismatch> compare(const std::vector<EventPattern>& patterns,
                                const std::vector<EventLine>& lines, bool exact);

}  // namespace baton::scenario
