// What explain says of limits and rates.
#pragma once

#include <string>
#include <vector>

#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/blocker.hpp"
#include "model/explanation.hpp"

namespace baton::engine {

// Whether the blocker is one that limits or rates make.
bool is_of_flow(const model::Blocker& blocker);
// Why the task stands before it: how much is in use and by whom, or when the next start is possible.
model::Reason flow_reason(const State& state, const Run& run, const Task& task, const model::Blocker& blocker,
                          const Moment& moment);

// ", by train of run 0190…, label[3] of run 0190… and 2 others"
std::string held_by(const State& state, const Limit& limit);

// Limits that are set, in use or waited for, by name.
std::vector<model::LimitView> survey_limits(const State& state);

}  // namespace baton::engine
