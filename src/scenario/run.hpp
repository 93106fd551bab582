// Runs a scenario in a world of virtual time and holds what happened against what was expected.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "scenario/scenario.hpp"

namespace baton::scenario {

struct RunOptions {
  // A new owner after that many commits; 0 = never. All workers are remote ones then, since nothing may be
  // interrupted. Scenarios in which the owner dies anyway are not run.
  std::uint32_t restart_every = 0;
};

struct Failure {
  spec::Diagnostic diagnostic;
  std::string details;  // lines behind it: the events that were expected and those that happened
};

struct Report {
  std::vector<Failure> failures;
  std::vector<std::string> history;  // everything that happened, a line each
  Duration took;                     // on the scenario's clock
  bool ran = true;

  bool passed() const { return failures.empty(); }
};

Report run(const Scenario& scenario, const RunOptions& options = {});

}  // namespace baton::scenario
