#include "engine/load.hpp"

#include <algorithm>
#include <iterator>

#include "engine/branches.hpp"
#include "engine/endings.hpp"
#include "engine/flow.hpp"
#include "engine/items.hpp"
#include "engine/phases.hpp"
#include "engine/residency.hpp"
#include "engine/waiting.hpp"

namespace baton::engine {
namespace {

using model::TaskStatus;

// Programs without runs that are kept for the next one.
constexpr std::size_t kIdlePrograms = 64;  // looking for them is paid by as many new ones
// No setting allows a run more tasks than this: a larger number is damage, not an order for memory.
constexpr std::uint64_t kMaxTasksEver = 2'000'000;

// Of the steps from this one on.
void lay_out_tasks(Run& run, Ordinal first = 0) {
  const RunProgram& program = run.program;
  run.tasks.resize(std::max<std::size_t>(program.end(), run.row.next_ordinal));
  const auto lay_out = [&](Ordinal i) {
    model::TaskRow& row = run.tasks[i].row;
    row.key = {run.row.key, i};
    row.step = i;
    row.priority = priority_of(run, i);
  };
  for (const Ordinal i : program.steps()) {
    if (i >= first) lay_out(i);
  }
}

// Whether tasks can have been added as it says; those before it are laid out.
bool can_add(const Run& run, const AddedPart& addition) {
  const model::Addition& is = addition.is;
  const Ordinal behind = run.program->end();
  return addition.program && is.first >= behind &&
         std::uint64_t{is.first} + is.count <= run.row.next_ordinal && is.parent < is.first &&
         run.program->is_step(is.parent_step) && addition.program->size() == is.outside.size() + is.count &&
         std::ranges::all_of(is.outside, [&](Ordinal step) { return run.program->is_step(step); });
}

// Whether a task that serves another one can be what its row says.
bool can_serve(const Run& run, const model::TaskRow& row) {
  if (run.program->is_step(row.key.ordinal) || row.parent >= run.tasks.size() || row.index >= 0) return false;
  const model::TaskRow& parent = run.tasks[row.parent].row;
  if (parent.role != model::TaskRole::main || parent.step != row.step || !run.program->is_step(row.step)) {
    return false;
  }
  const model::Endings* endings = run.program->step(row.step).endings.get();
  if (row.role == model::TaskRole::cleanup) return endings != nullptr && endings->cleanup;
  if (row.role == model::TaskRole::compensate) return endings != nullptr && endings->compensate;
  return true;
}

// False: an item's place is taken.
bool lay_out_items(Run& run, const model::TaskRow& group) {
  for (std::uint32_t i = 0; i < group.item_count; ++i) {
    model::TaskRow& row = run.tasks[group.first_item + i].row;
    if (row.index >= 0) return false;
    row.key = {run.row.key, group.first_item + i};
    row.step = group.step;
    row.index = static_cast<std::int32_t>(i);
    row.priority = group.priority;
  }
  return true;
}

void derive_group(Run& run, Task& group) {
  std::uint64_t ended = 0;
  for (std::uint32_t i = 0; i < group.row.item_count; ++i) {
    const Task& item = run.tasks[group.row.first_item + i];
    if (model::is_terminal(item.row.status)) ++ended;
    if (item.row.status == TaskStatus::failed && !item.row.ignored) ++group.items_failed;
    if (item.row.status == TaskStatus::cancelled || item.row.skip_reason == model::SkipReason::fail_fast) {
      ++group.items_cancelled;
    }
    if (item.row.status == TaskStatus::queued) ++group.items_waiting;
    if (model::is_active(item.row.status)) ++group.items_active;
  }
  // Items are made ready in order, from the first that is pending: it never was, was parked, or was reset.
  while (group.next_item < group.row.item_count &&
         run.tasks[group.row.first_item + group.next_item].row.status != TaskStatus::pending) {
    ++group.next_item;
  }
  group.items_open = static_cast<std::uint32_t>(group.row.item_count - ended);
  if (group.row.item_count > 0) {
    run.done_weight += run.program->weight(group.row.step) * ended / group.row.item_count;
  }
}

// Whether a mapped step has failed already: what is open of it is swept. Failures that a recovery has kept
// close nothing.
bool is_failing(const Run& run, const Task& group) {
  const auto& rules = run.program->step(group.row.step).failure;
  const model::MaxFailures allowed = rules ? rules->max_failures : model::MaxFailures{};
  const std::uint32_t kept = std::min(group.items_failed, group.row.kept_failures);
  return group.row.stop_reason == model::StopReason::deadline ||
         allowed.exceeded_by(group.items_failed - kept, group.row.item_count);
}

// What was added by a generation that is over counts no more. Parents stand before what they have added.
void retire_additions(Run& run) {
  for (const Part& part : run.program->parts()) {
    if (part.old) continue;
    const Task& parent = run.tasks[part.is.parent];
    if (parent.old) {
      retire_additions(run, part.is.parent, UINT32_MAX);
    } else if (part.is.generation < parent.row.generation) {
      retire_additions(run, part.is.parent, parent.row.generation);
    }
  }
}

void derive(Run& run) {
  const RunProgram& program = run.program;
  for (const Ordinal i : program.steps()) {
    Task& task = run.tasks[i];
    const model::Step& step = program.step(i);
    const bool ended = model::is_terminal(task.row.status);
    if (task.row.expanded) derive_group(run, task);
    if (ended && (!task.row.expanded || task.row.item_count == 0)) run.done_weight += program.weight(i);
    if (!ended) ++(step.finally ? run.open_finally : run.open_main);
    if (has_failed(task.row, step)) {
      (step.finally ? run.finally_failed : run.any_failed) = true;
    }
    count_upstream(run, i);
  }
  for (const Task& task : run.tasks) {
    if (is_helper(task)) count_helper(run, task);
    run.partial_weight += partial_weight(run, task);
    run.last_end_order = std::max(run.last_end_order, task.row.end_order);
    if (model::is_active(task.row.status) && is_wait(run, task.row)) join_waiters(run, task);
  }
}

// Who holds the places under max_parallel: whoever runs, then those that are tried again, then who is queued.
void give_places(Run& run) {
  const std::uint32_t limit = run.program->workflow().max_parallel;
  for (const TaskStatus status : {TaskStatus::running, TaskStatus::retrying, TaskStatus::queued}) {
    for (Task& task : run.tasks) {
      if (task.row.status != status || is_helper(task) || is_wait(run, task.row)) continue;
      if (limit > 0 && run.active >= limit) continue;
      task.slot = true;
      ++run.active;
    }
  }
}

// False: they are none of this run's items.
bool lay_out_old_items(Run& run, const model::TaskRow& group) {
  for (const model::ItemRange& range : *group.old_items) {
    for (std::uint32_t i = 0; i < range.count; ++i) {
      Task& task = run.tasks[range.first + i];
      if (task.row.index >= 0) return false;
      task.old = true;
      task.row.key = {run.row.key, range.first + i};
      task.row.step = group.step;
      task.row.index = static_cast<std::int32_t>(i);
    }
  }
  return true;
}

model::TaskCounts count(const Run& run) {
  model::TaskCounts counts;
  for (const Task& task : run.tasks) {
    if (task.old || is_helper(task) || (task.row.expanded && task.row.item_count > 0)) continue;
    ++counts.total;
    counts.completed += task.row.status == TaskStatus::completed;
    counts.failed += task.row.status == TaskStatus::failed;
    counts.skipped += task.row.status == TaskStatus::skipped;
    counts.cancelled += task.row.status == TaskStatus::cancelled;
    counts.running += task.row.status == TaskStatus::running;
  }
  return counts;
}

}  // namespace

std::uint8_t priority_of(const Run& run, Ordinal step) {
  std::int8_t own = run.program->step(step).priority;
  // An added step has that of the one that added it.
  for (const Part* part = run.program->part_of(step); own < 0 && part != nullptr;
       part = run.program->part_of(part->is.parent_step)) {
    own = run.program->step(part->is.parent_step).priority;
  }
  return own >= 0 ? static_cast<std::uint8_t>(own) : run.row.priority;
}

void add_new_steps(Run& run) {
  const auto first = static_cast<Ordinal>(run.tasks.size());
  if (run.program->size() <= first) return;
  run.row.next_ordinal = run.program->size();
  lay_out_tasks(run, first);
}

void derive_again(Run& run) {
  run.open_main = run.open_finally = run.active = 0;
  run.done_weight = run.partial_weight = 0;
  run.waiters.clear();
  run.any_failed = run.finally_failed = false;
  run.open_helpers = run.open_compensations = run.last_end_order = 0;
  run.open_cleanups.clear();
  for (auto* helpers : {&run.cleanups, &run.compensations, &run.returns}) helpers->clear();
  for (Task& task : run.tasks) {
    task.upstream = {};
    task.helpers = 0;
    task.next_item = task.items_open = task.items_failed = task.items_cancelled = 0;
    task.items_waiting = task.items_active = 0;
  }
  derive(run);
  for (Task& task : run.tasks) {
    task.slot = task.slot && model::is_active(task.row.status);
    run.active += task.slot ? 1 : 0;
    if (!task.parked || task.row.index < 0) continue;
    ++run.tasks[task.row.step].items_waiting;
    ++run.tasks[task.row.step].items_active;
  }
  run.row.counts = count(run);
  update_progress(run);
}

bool is_ready(const Run& run, Ordinal step) {
  const model::Step& definition = run.program->step(step);
  return (trigger(definition.trigger_rule, run.tasks[step].upstream).kind != Trigger::Kind::wait ||
          is_off_branch(run, step)) &&
         run.row.stage == (definition.finally ? model::RunStage::finally : model::RunStage::main);
}

void take_up(State& state, Run& run) {
  for (const Ordinal i : run.program->steps()) {
    Task& task = run.tasks[i];
    if (task.row.status != TaskStatus::pending) continue;
    if (task.row.expanded) {
      if (is_failing(run, task)) {
        task.sweeping = true;
        state.work.push_back({WorkKind::sweep, task.row.key, 0});
      } else {
        refill(state, run, task);
      }
    } else if (is_ready(run, i)) {
      state.work.push_back({WorkKind::ready, task.row.key, 0});
    }
  }
}

std::shared_ptr<const Program> program_for(State& state, std::shared_ptr<const model::Workflow> workflow) {
  if (const auto found = state.programs.find(workflow->hash); found != state.programs.end())
    return found->second;
  if (state.programs.size() >= state.programs_at_most) {
    std::erase_if(state.programs, [](const auto& entry) { return entry.second.use_count() == 1; });
    state.programs_at_most = std::max(kIdlePrograms, 2 * state.programs.size());
  }
  const Hash256 hash = workflow->hash;
  auto program = std::make_shared<const Program>(std::move(workflow));
  state.programs.emplace(hash, program);
  return program;
}

Run& add_run(State& state, model::RunRow row, std::shared_ptr<const Program> program) {
  auto run = std::make_unique<Run>();
  run->row = std::move(row);
  run->program = std::move(program);
  lay_out_tasks(*run);
  derive(*run);
  return *(state.runs[run->row.key] = std::move(run));
}

std::vector<Ordinal> retire_additions(Run& run, Ordinal parent, std::uint32_t generation) {
  std::vector<Ordinal> gone = run.program.retire(parent, generation);
  // Grows while it is walked through: items are void with their steps, and so is what they have added.
  for (std::size_t at = 0; at < gone.size(); ++at) {
    Task& task = run.tasks[gone[at]];
    task.old = true;
    for (std::uint32_t i = 0; i < task.row.item_count; ++i) {
      const Ordinal item = task.row.first_item + i;
      gone.push_back(item);
      std::ranges::copy(run.program.retire(item, UINT32_MAX), std::back_inserter(gone));
    }
  }
  return gone;
}

Status admit(State& state, model::RunRow row, std::vector<model::TaskRow> tasks,
             std::shared_ptr<const Program> program, std::vector<AddedPart> additions) {
  auto run = std::make_unique<Run>();
  const RunId id = row.id;
  const auto damaged = [&](std::string_view what) {
    return fail(ErrorCode::corrupt, "run " + id.text() + " is damaged: " + std::string(what));
  };
  run->row = std::move(row);
  run->program = std::move(program);
  run->stored = true;
  if (additions.size() != run->row.additions) return damaged("tasks that were added to it are missing");
  std::uint64_t count = run->program->size();
  for (const AddedPart& addition : additions) count += addition.is.count;
  for (const model::TaskRow& task : tasks) {
    if (task.expanded) count += task.item_count;
    for (const model::ItemRange& range : *task.old_items) {
      count += range.count;
      if (std::uint64_t{range.first} + range.count > run->row.next_ordinal) {
        return damaged("a mapped step's earlier items are wrong");
      }
    }
    if (task.role != model::TaskRole::main) ++count;
  }
  if (run->row.next_ordinal != count || count > kMaxTasksEver) return damaged("its number of tasks is wrong");
  for (AddedPart& addition : additions) {
    if (!can_add(*run, addition)) return damaged("tasks that were added to it are wrong");
    run->program.add(std::move(addition.is), std::move(addition.program));
  }
  lay_out_tasks(*run);
  for (const model::TaskRow& task : tasks) {
    if (!lay_out_old_items(*run, task)) return damaged("two mapped steps share items");
    if (!task.expanded) continue;
    const std::uint64_t end = std::uint64_t{task.first_item} + task.item_count;
    if (!run->program->is_step(task.key.ordinal) || task.step != task.key.ordinal ||
        (task.item_count > 0 && run->program->is_step(task.first_item)) || end > run->row.next_ordinal) {
      return damaged("a mapped step's items are wrong");
    }
    if (!lay_out_items(*run, task)) return damaged("two mapped steps share items");
  }
  for (model::TaskRow& task : tasks) {
    if (task.key.run != run->row.key || task.key.ordinal >= run->tasks.size())
      return damaged("it has a task that the definition does not have");
    Task& place = run->tasks[task.key.ordinal];
    if (task.role != model::TaskRole::main) {
      if (place.row.key != TaskKey{} || !can_serve(*run, task)) {
        return damaged("a task that serves another one is wrong");
      }
    } else if (place.row.step != task.step || place.row.index != task.index) {
      return damaged("a task is of another step");
    }
    place.row = std::move(task);
    place.stored = true;
  }
  retire_additions(*run);
  derive(*run);
  give_places(*run);
  run->counted_open = !model::is_terminal(run->row.status);
  const RunKey key = run->row.key;
  // One that is over was loaded for a single answer.
  if (model::is_terminal(run->row.status)) state.ended.push_back(key);
  warm(state, *(state.runs[key] = std::move(run)));
  return {};
}

}  // namespace baton::engine
