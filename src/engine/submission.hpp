// How a run comes to be, whoever asks for it.
#pragma once

#include <memory>
#include <string>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"

namespace baton::engine {

struct NewRun {
  std::shared_ptr<const model::Workflow> workflow;
  std::string input;    // JSON object, complete
  std::string context;  // JSON object
  std::string job_id;
  std::uint8_t priority = 5;
  RunId replay_of;
  model::Parent parent;
  std::string limit;  // that it counts under, see run_limit_of(); "" = none
};

// Whether there can be runs of the workflow: too_large, or conflict for one that has no steps yet.
Status can_run(const State& state, const model::Workflow& workflow);

// Makes it, and its first steps ready, unless it has to wait for its turn (run_limits.hpp).
Run& make_run(State& state, NewRun run, const Moment& moment, Effects& effects);

}  // namespace baton::engine
