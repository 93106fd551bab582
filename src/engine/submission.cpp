#include "engine/submission.hpp"

#include <algorithm>

#include "engine/flow.hpp"
#include "engine/load.hpp"
#include "engine/run_limits.hpp"
#include "engine/versions.hpp"

namespace baton::engine {
Status can_run(const State& state, const model::Workflow& workflow) {
  if (workflow.steps.size() > state.settings.max_tasks_per_run) {
    return fail(ErrorCode::too_large, "the workflow has " + std::to_string(workflow.steps.size()) +
                                          " steps; a run may have " +
                                          std::to_string(state.settings.max_tasks_per_run) + " tasks");
  }
  if (std::ranges::all_of(workflow.steps, &model::Step::finally)) {
    return fail(ErrorCode::conflict,
                "workflow " + workflow.name + " has no steps yet; a run needs at least one");
  }
  return {};
}

Run& make_run(State& state, NewRun made, const Moment& moment, Effects& effects) {
  const model::Workflow& workflow = *made.workflow;
  const RunKey key = RunKey::make(state.shard, ++state.last_run);
  model::RunRow row;
  row.key = key;
  row.id = RunId::make(key, moment.wall, moment.seed);
  row.workflow = workflow.name;
  row.version = define_version(state, workflow, moment, effects);
  row.definition = workflow.hash;
  row.job_id = std::move(made.job_id);
  row.replay_of = made.replay_of;
  row.priority = made.priority;
  row.created_at = moment.wall;
  row.counts.total = static_cast<std::uint32_t>(workflow.steps.size());
  row.next_ordinal = static_cast<Ordinal>(workflow.steps.size());
  std::string begun_by;
  if (made.parent.any()) {
    begun_by = made.parent.task.text();
    row.parent.edit() = made.parent;
  }
  Run& run = add_run(state, std::move(row), program_for(state, made.workflow));
  effects.touch(run);
  effects.put(input_of(key), std::move(made.input));
  effects.put(context_of(key), std::move(made.context));
  effects.record(run, {.kind = model::FactKind::run_submitted,
                       .at = moment.wall,
                       .number = run.row.version,
                       .text = workflow.name,
                       .other = std::move(begun_by)});
  if (enter(state, run, std::move(made.limit))) begin(state, run);
  return run;
}

}  // namespace baton::engine
