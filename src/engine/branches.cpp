#include "engine/branches.hpp"

#include <algorithm>

#include "engine/flow.hpp"

namespace baton::engine {
namespace {

bool has_chosen(const Run& run, Ordinal choosing, Ordinal step) {
  const model::TaskRow& row = run.tasks[choosing].row;
  if (row.status != model::TaskStatus::completed || row.branch < 0) return false;
  const auto& branches = *run.program->step(choosing).branches;
  const auto branch = static_cast<std::size_t>(row.branch);
  return branch < branches.size() &&
         std::ranges::any_of(
             branches[branch].go_to,
             [&](Ordinal target) { return run.program->place(choosing, target) == step; });
}

}  // namespace

bool is_off_branch(const Run& run, Ordinal step) {
  if (const auto switches = run.program->switches_to(step); !switches.empty()) {
    return std::ranges::all_of(switches, [&](Ordinal choosing) {
      const model::TaskRow& row = run.tasks[choosing].row;
      return model::is_terminal(row.status) && !is_bad(row, run.program->step(choosing)) &&
             !has_chosen(run, choosing, step);
    });
  }
  // These rules ask for a step that runs whatever was skipped before it.
  const model::TriggerRule rule = run.program->step(step).trigger_rule;
  if (rule == model::TriggerRule::always || rule == model::TriggerRule::all_done ||
      rule == model::TriggerRule::all_skipped) {
    return false;
  }
  bool any = false;
  bool all = true;
  run.program->each_need(step, [&](Ordinal before) {
    const model::TaskRow& row = run.tasks[before].row;
    any = true;
    all &= row.status == model::TaskStatus::skipped && row.skip_reason == model::SkipReason::branch;
  });
  return any && all;
}

}  // namespace baton::engine
