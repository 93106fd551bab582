// Runs a scenario in a world of virtual time and holds what happened against what was expected.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "scenario/scenario.hpp"

namespace baton::scenario {

struct RunOptions {
  // A new owner after that many commits; 0 = never. All workers are remote ones then, since nothing may be
  // interrupted. Scenarios in which the owner dies anyway are not run.
  std::uint32_t restart_every = 0;
  // Carries out the functions (steps of kind `task`) that the scenario says nothing of. Gets the attempt as a
  // worker gets it (docs/reference/worker-protocol.md), with `now`, the date and time of the scenario, and
  // gives what the attempt does, as a map of docs/reference/scenarios.md; both JSON. None: they complete at
  // once. An error fails the scenario.
  std::function<Result<std::string>(const std::string& attempt)> carry_out;
};

struct Failure {
  spec::Diagnostic diagnostic;
  std::string details;  // lines behind it: the events that were expected and those that happened
};

struct Report {
  std::vector<Failure> failures;
  std::vector<std::string> history;  // everything that happened, a line each
  Duration took;                     // on the scenario's clock
  // The run that the scenario starts, its tasks and its definition at the end, as the API shows them; empty
  // if it was not made.
  boost::json::object run;
  boost::json::array tasks;
  boost::json::value definition;
  bool ran = true;

  bool passed() const { return failures.empty(); }
};

Report run(const Scenario& scenario, const RunOptions& options = {});

}  // namespace baton::scenario
