// The ledger of resources: what tasks have made outside and what must be given back (model/resource.hpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/effects.hpp"
#include "engine/state.hpp"
#include "model/resource.hpp"

namespace baton::engine {

// Of one task, or of a whole run, in no particular order; damaged ones are left out.
std::vector<model::Resource> resources_of(const State& state, const TaskId& task);
std::vector<model::Resource> resources_of(const State& state, const RunId& run);
// Those of a run that are open or being cleaned; whether or not the run is in memory.
std::vector<model::Resource> orphans_of(const State& state, RunKey run);
std::optional<model::Resource> find_resource(const State& state, const TaskId& task, std::string_view name);

// Of the task's open ones the one that was registered last: resources go back in reverse order.
std::optional<model::Resource> newest_open(const State& state, const TaskId& task);

// Whether resources of the run's first `tasks` tasks are open or being given back.
bool has_open(const State& state, const RunId& run, Ordinal tasks);
// Whether resources are open or being given back; with no run open, those of runs that are over.
bool has_orphans(const State& state);
// Sees to resources that are open although their run is over or gone: by pieces of work, one for each run.
void scan_orphans(State& state);
// Sees to it that scan_orphans() comes again after a while, as long as there are resources to give back.
void arm_orphan_scan(State& state, ShardTime now);

// Each keeps the record and says so in the run's history; `at` is the wall's time.
void open_resource(Run& run, const model::Resource& resource, WallTime at, Effects& effects);
void leak_resource(Run& run, model::Resource resource, std::string why, WallTime at, Effects& effects);
// Nothing is left to give back: released by its task, or cleaned by its action.
void close_resource(Run& run, const model::Resource& resource, model::FactKind how, WallTime at,
                    Effects& effects);

}  // namespace baton::engine
