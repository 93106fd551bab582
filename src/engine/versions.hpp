// Versions of workflows: their numbers, and runs that go on with another one (SEMANTICS 45).
#pragma once

#include <string>
#include <vector>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// The number of this content among its workflow's versions; 0 = it has none.
std::uint32_t version_of(const State& state, const model::Workflow& workflow);
// The same; a content that the workflow did not have yet becomes its next version.
std::uint32_t define_version(State& state, const model::Workflow& workflow, const Moment& moment,
                             Effects& effects);

// The workflow's retention is that of this version from now on.
void note_retention(State& state, const model::Workflow& workflow, const Moment& moment, Effects& effects);

// Why the run cannot go on with another version, a line for each step that does not fit; empty = it can.
//
// A task's place in the definition is a part of its id, of its log's name and of its history, so every step
// keeps its place and its name; new steps come last, and only while no mapped step has items behind the
// steps. What has begun stays mapped or not mapped, a switch that has chosen keeps its branches, and a
// cleanup that has begun is still there. All else may change: what steps do, what they need, their policies.
// Results that a recovery keeps stay as they are.
std::vector<std::string> misfits(const Run& run, const model::Workflow& workflow);

// Puts the run onto another version, which fits.
void change_version(Run& run, std::shared_ptr<const Program> program, std::uint32_t version,
                    const Moment& moment, Effects& effects);

}  // namespace baton::engine
