#include "scenario/run.hpp"

#include <algorithm>

#include "scenario/performance.hpp"

namespace baton::scenario {
namespace {

constexpr Duration kPatience = Duration::hours(40 * 24);

// Whether the scenario says itself what dies when.
bool is_about_restarts(const Scenario& scenario) {
  const auto kills = [](const Action& action) { return action.verb == "kill owner"; };
  const bool lives_with_owner =
      scenario.workers.empty() || std::ranges::any_of(scenario.workers, &simulate::WorkerOptions::in_process);
  const auto dies = [](const auto& step) {
    return std::ranges::any_of(step.second, [](const Mock& mock) { return mock.behaviour.kills_worker; });
  };
  return std::ranges::any_of(scenario.actions, kills) ||
         (lives_with_owner && std::ranges::any_of(scenario.steps, dies));
}

}  // namespace

Report run(const Scenario& scenario, const RunOptions& options) {
  Report report;
  if (options.restart_every > 0 && is_about_restarts(scenario)) {
    report.ran = false;
    return report;
  }
  Performance performance(scenario, options);
  Duration last;
  for (const Action& action : scenario.actions) last = std::max(last, action.at);
  const Duration end = scenario.until.value_or(last + kPatience);
  performance.play(end);
  report.took = performance.now();
  report.failures = performance.take_failures();
  performance.look_back(report);
  for (const EventLine& line : performance.history()) report.history.push_back(line.text());
  return report;
}

}  // namespace baton::scenario
