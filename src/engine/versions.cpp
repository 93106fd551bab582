#include "engine/versions.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/load.hpp"
#include "model/applied.hpp"
#include "model/retention.hpp"

namespace baton::engine {
namespace {

using model::TaskStatus;

bool same_branches(const model::Step& a, const model::Step& b) {
  if (!a.branches || !b.branches) return a.branches == b.branches;
  return *a.branches == *b.branches;
}

// What is wrong with one step that stands in its place in both versions.
void compare(const Task& task, const model::Step& before, const model::Step& after,
             std::vector<std::string>& out) {
  const std::string step = "step " + before.name;
  if (before.finally != after.finally) {
    out.push_back(step + " stands under `" + (after.finally ? "finally" : "steps") +
                  "` now: a step keeps its place");
    return;
  }
  if (task.row.status == TaskStatus::pending && !task.row.expanded) return;
  if (before.for_each.is_null() != after.for_each.is_null()) {
    out.push_back(step +
                  (after.for_each.is_null() ? " has no `for_each` any more" : " has a `for_each` now") +
                  ", and has begun without that change");
  }
  if (task.row.status == TaskStatus::completed && !same_branches(before, after)) {
    out.push_back(step + " has chosen a branch already, and its branches are others now");
  }
}

// Tasks that clean up or compensate stay in the run's rows: what they carry out must be there.
void compare_endings(const Run& run, const model::Workflow& workflow, std::vector<std::string>& out) {
  std::set<std::pair<Ordinal, model::TaskRole>> seen;
  for (std::size_t i = run.program->size(); i < run.tasks.size(); ++i) {
    const model::TaskRow& row = run.tasks[i].row;
    if (row.role != model::TaskRole::cleanup && row.role != model::TaskRole::compensate) continue;
    if (row.step >= workflow.steps.size() || !seen.emplace(row.step, row.role).second) continue;
    const model::Endings* endings = workflow.steps[row.step].endings.get();
    const bool cleanup = row.role == model::TaskRole::cleanup;
    if (endings != nullptr && (cleanup ? endings->cleanup : endings->compensate)) continue;
    out.push_back("step " + workflow.steps[row.step].name + " has no `" +
                  (cleanup ? "cleanup" : "compensate") + "` any more, and has begun it in this run");
  }
}

}  // namespace

std::uint32_t version_of(const State& state, const model::Workflow& workflow) {
  const auto known = state.versions.find(workflow.name);
  if (known == state.versions.end()) return 0;
  const auto found = std::ranges::find(known->second, workflow.hash);
  if (found == known->second.end()) return 0;
  return static_cast<std::uint32_t>(found - known->second.begin()) + 1;
}

void note_retention(State& state, const model::Workflow& workflow, const Moment& moment, Effects& effects) {
  const model::RecordKey key = model::retention_key(workflow.name);
  const model::Record* known = state.record(key);
  if (workflow.retention == model::Retention{}) {
    if (known != nullptr) effects.erase(key);
    return;
  }
  model::Record record = model::to_record(workflow.name, workflow.retention, moment.wall);
  if (known == nullptr || known->state != record.state) effects.put(std::move(record));
}

std::uint32_t define_version(State& state, const model::Workflow& workflow, const Moment& moment,
                             Effects& effects) {
  if (const std::uint32_t version = version_of(state, workflow); version > 0) return version;
  std::vector<Hash256>& versions = state.versions[workflow.name];
  versions.push_back(workflow.hash);
  const auto version = static_cast<std::uint32_t>(versions.size());
  effects.define({workflow.name, version, workflow.hash,
                  std::make_shared<const std::string>(workflow.canonical), moment.wall});
  // Of a workflow that is applied, the version that counts says it.
  if (state.record(model::applied_key(workflow.name)) == nullptr)
    note_retention(state, workflow, moment, effects);
  return version;
}

std::vector<std::string> misfits(const Run& run, const model::Workflow& workflow) {
  const std::vector<model::Step>& before = run.program->workflow().steps;
  const std::vector<model::Step>& after = workflow.steps;
  std::vector<std::string> out;
  bool moved = false;
  if (run.program->has_parts())
    out.emplace_back("its tasks have added others, which stand on the steps of its version");
  for (const model::Step& step : before) {
    if (!find_step(workflow, step.name))
      out.push_back("step " + step.name + " is gone: keep it, and skip it by `when: false`");
  }
  for (Ordinal i = 0; i < after.size(); ++i) {
    const auto place = run.program->find(after[i].name);
    if (!place) {
      if (i < before.size()) {
        out.push_back("step " + after[i].name + " is new and stands before others: new steps come last");
      } else if (run.tasks.size() > before.size()) {
        out.push_back("step " + after[i].name +
                      " is new, and the run has tasks behind its steps already, such as items");
      }
    } else if (*place == i) {
      compare(run.tasks[i], before[i], after[i], out);
    } else {
      moved = true;
    }
  }
  compare_endings(run, workflow, out);
  // Said once, and only if nothing else is the reason.
  if (moved && out.empty()) out.emplace_back("the order of its steps is another");
  return out;
}

void change_version(Run& run, std::shared_ptr<const Program> program, std::uint32_t version,
                    const Moment& moment, Effects& effects) {
  effects.touch(run);
  run.row.version = version;
  run.row.definition = program->workflow().hash;
  run.program = std::move(program);
  add_new_steps(run);
  derive_again(run);
  effects.record(run, {.kind = model::FactKind::run_version_changed, .at = moment.wall, .number = version});
}

}  // namespace baton::engine
