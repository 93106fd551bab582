#include "engine/endings.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>

#include "base/seeded_bug.hpp"
#include "base/text.hpp"
#include "engine/commands/commands.hpp"
#include "engine/deadlines.hpp"
#include "engine/dispatch.hpp"
#include "engine/flow.hpp"
#include "engine/phases.hpp"
#include "engine/places.hpp"
#include "engine/rendering.hpp"
#include "engine/resources.hpp"
#include "engine/trigger.hpp"
#include "engine/waiting.hpp"

namespace baton::engine {
namespace {

using model::FactKind;
using model::Resource;
using model::ResourceOrigin;
using model::ResourceStatus;
using model::RunStage;
using model::RunStatus;
using model::TaskRole;
using model::TaskStatus;

// Why a resource leaked: the run was terminated so.
constexpr const char* kNoCleanup = "terminated without cleanup";

constexpr std::array kStages = {RunStage::main, RunStage::compensate, RunStage::cleanup, RunStage::leftovers,
                                RunStage::finally};

TaskId id_of(const Run& run, Ordinal ordinal) {
  return {run.row.id, ordinal};
}

const model::Endings* endings_of(const Run& run, Ordinal step) {
  return run.program->step(step).endings.get();
}

// The newest helper of this role that serves the task in its present generation.
const Task* latest(const Run& run, const std::unordered_map<Ordinal, Ordinal>& helpers, const Task& task) {
  const auto found = helpers.find(task.row.key.ordinal);
  if (found == helpers.end()) return nullptr;
  const Task& helper = run.tasks[found->second];
  return helper.row.generation == task.row.generation ? &helper : nullptr;
}

// Whether an attempt after that one may have made something: a preflight only looks.
bool has_done_something(const model::TaskRow& row, std::uint32_t after) {
  if (row.starts <= after) return false;
  if (row.history.empty() || row.history.front().number > after + 1) return true;  // older ones are forgotten
  return std::ranges::any_of(row.history, [&](const model::AttemptRecord& attempt) {
    return attempt.number > after && attempt.phase != model::Phase::preflight;
  });
}

bool needs_cleanup(const Run& run, const Task& task) {
  if (task.row.expanded) return false;
  // Attempts are numbered through all generations of a task.
  const auto newest = run.cleanups.find(task.row.key.ordinal);
  return has_done_something(task.row,
                            newest == run.cleanups.end() ? 0 : run.tasks[newest->second].row.covers);
}

bool needs_undoing(const Run& run, const Task& task) {
  return task.row.status == TaskStatus::completed && task.row.end_order > 0 &&
         latest(run, run.compensations, task) == nullptr;
}

Task& add_helper(State& state, Run& run, Ordinal parent, TaskRole role, std::string_view resource,
                 const Moment& moment, Effects& effects) {
  const Ordinal ordinal = run.row.next_ordinal++;
  run.tasks.resize(run.row.next_ordinal);
  Task& served = run.tasks[parent];
  Task& helper = run.tasks[ordinal];
  helper.row.key = {run.row.key, ordinal};
  helper.row.step = served.row.step;
  helper.row.role = role;
  helper.row.parent = parent;
  helper.row.covers = served.row.starts;
  helper.row.generation = served.row.generation;
  helper.row.priority = served.row.priority;
  if (!served.row.flow->queue.empty()) helper.row.flow.edit().queue = served.row.flow->queue;
  count_helper(run, helper);
  effects.touch(run, ordinal);
  effects.record(run, {.kind = FactKind::task_added,
                       .at = moment.wall,
                       .task = ordinal,
                       .step = helper.row.step,
                       .index = served.row.index,
                       .number = parent,
                       .text = std::string(name(role)),
                       .other = std::string(resource)});
  state.work.push_back({WorkKind::ready, helper.row.key, 0});
  return helper;
}

// To be given back or on the way. (One of a task that does not exist is damage, and no reason to wait.)
bool is_open(const Run& run, const Resource& resource) {
  return resource.status != ResourceStatus::leaked && resource.task.ordinal < run.tasks.size();
}

void push(State& state, const Run& run, WorkKind kind, Ordinal ordinal = kWholeRun) {
  state.work.push_back({kind, {run.row.key, ordinal}, 0});
}

// ---- compensate: one after the other

void list_undoing(Run& run) {
  run.to_undo.clear();
  if (!run.program->has_compensate() || run.row.outcome == RunStatus::completed) return;
  for (const Task& task : run.tasks) {
    if (!is_helper(task) && needs_undoing(run, task)) run.to_undo.push_back(task.row.key.ordinal);
  }
  std::ranges::sort(run.to_undo, {}, [&](Ordinal ordinal) { return run.tasks[ordinal].row.end_order; });
  if (seeded_bug(Bug::compensate_in_order)) std::ranges::reverse(run.to_undo);
}

// What a declared cleanup or compensation has not done is a leaked resource of the task that it is about.
void leak_declared(const State& state, Run& run, const Task& task, ResourceOrigin origin, Resource resource,
                   std::string why, const Moment& moment, Effects& effects) {
  resource.task = id_of(run, task.row.key.ordinal);
  resource.name = model::declared_name(origin);
  resource.origin = origin;
  resource.at = moment.wall;
  // A new owner may come here again.
  const auto known = find_resource(state, resource.task, resource.name);
  if (known && known->attempt == resource.attempt && known->cleaner == resource.cleaner) return;
  leak_resource(run, std::move(resource), std::move(why), moment.wall, effects);
}

// The run was terminated without cleanup: what would be done stays on the list of resources.
void leave_undone(const State& state, Run& run, Ordinal ordinal, ResourceOrigin origin, const Moment& moment,
                  Effects& effects) {
  const Task& task = run.tasks[ordinal];
  leak_declared(state, run, task, origin, {.attempt = task.row.starts}, kNoCleanup, moment, effects);
}

void undo_next(State& state, Run& run, const Moment& moment, Effects& effects) {
  if (run.row.stage != RunStage::compensate || run.open_compensations > 0) return;
  if (run.to_undo.empty()) return next_stage(state, run, moment, effects);
  const Ordinal ordinal = run.to_undo.back();
  run.to_undo.pop_back();
  if (run.row.no_cleanup) {
    leave_undone(state, run, ordinal, ResourceOrigin::compensate, moment, effects);
    return push(state, run, WorkKind::undo);
  }
  add_helper(state, run, ordinal, TaskRole::compensate, "", moment, effects);
}

// ---- cleanup: a step's begin when those of all steps that needed it have ended

bool has_cleaning(const Run& run) {
  if (!run.program->has_cleanup()) return false;
  return std::ranges::any_of(run.tasks, [&](const Task& task) {
    if (task.row.role == TaskRole::cleanup) return !model::is_terminal(task.row.status);
    const model::Endings* endings = endings_of(run, task.row.step);
    return !is_helper(task) && endings != nullptr && endings->cleanup && needs_cleanup(run, task);
  });
}

// Walks from steps that are cleaned up to those that they needed, until it comes to some that have to be.
void walk(State& state, Run& run, std::vector<Ordinal> cleaned, const Moment& moment, Effects& effects) {
  CleanupWalk& walk = run.cleanup_walk;
  const auto visit = [&](Ordinal step) {
    const model::Endings* endings = endings_of(run, step);
    if (endings == nullptr || !endings->cleanup) {
      cleaned.push_back(step);
      return;
    }
    walk.places[step] = CleanupWalk::Place::making;
    push(state, run, WorkKind::cleanup, step);
  };
  if (!walk.begun) {
    walk.begun = true;
    for (const Ordinal step : run.program->steps()) {
      if (!run.program->step(step).finally && walk.waits_for[step] == 0) visit(step);
    }
  }
  while (!cleaned.empty()) {
    const Ordinal step = cleaned.back();
    cleaned.pop_back();
    walk.places[step] = CleanupWalk::Place::cleaned;
    --walk.left;
    run.program->each_need(step, [&](Ordinal before) {
      if (--walk.waits_for[before] == 0) visit(before);
    });
  }
  if (walk.left == 0) next_stage(state, run, moment, effects);
}

void begin_walk(State& state, Run& run, const Moment& moment, Effects& effects) {
  CleanupWalk& walk_state = run.cleanup_walk;
  walk_state = {};
  walk_state.left = run.program->main_steps();
  walk_state.waits_for.assign(run.program->end(), 0);
  walk_state.places.assign(run.program->end(), CleanupWalk::Place::waits);
  for (const Ordinal step : run.program->steps()) {
    if (!run.program->step(step).finally) {
      run.program->each_successor(step, [&](Ordinal) { ++walk_state.waits_for[step]; });
    }
  }
  walk(state, run, {}, moment, effects);
}

std::uint32_t open_cleanups(const Run& run, Ordinal step) {
  const auto found = run.open_cleanups.find(step);
  return found == run.open_cleanups.end() ? 0 : found->second;
}

// The tasks of a step that may have something to clean up: its own, or its items, those of lists that were
// made again included, the last one first.
std::vector<model::ItemRange> ranges_of(const model::TaskRow& step) {
  std::vector<model::ItemRange> ranges = *step.old_items;
  if (step.expanded) {
    if (step.item_count > 0) ranges.push_back({step.first_item, step.item_count});
  } else {
    ranges.push_back({step.key.ordinal, 1});
  }
  return ranges;
}

bool clean_step(State& state, Run& run, Work& work, const Moment& moment, Effects& effects,
                std::size_t row_limit) {
  const Ordinal step = work.task.ordinal;
  std::uint32_t passed = 0;
  const std::vector<model::ItemRange> ranges = ranges_of(run.tasks[step].row);
  for (auto range = ranges.rbegin(); range != ranges.rend(); passed += range->count, ++range) {
    for (; work.cursor < passed + range->count; ++work.cursor) {
      if (effects.rows() >= row_limit) return true;
      const Ordinal ordinal = range->first + (range->count - 1 - (work.cursor - passed));
      if (!needs_cleanup(run, run.tasks[ordinal])) continue;
      if (seeded_bug(Bug::cleanup_of_failed_forgotten) && run.tasks[ordinal].row.status == TaskStatus::failed)
        continue;
      if (run.row.no_cleanup) {
        leave_undone(state, run, ordinal, ResourceOrigin::cleanup, moment, effects);
        continue;
      }
      add_helper(state, run, ordinal, TaskRole::cleanup, "", moment, effects);
    }
  }
  if (run.row.stage != RunStage::cleanup || !run.cleanup_walk.begun ||
      run.cleanup_walk.places[step] != CleanupWalk::Place::making) {
    return false;
  }
  run.cleanup_walk.places[step] = CleanupWalk::Place::running;
  if (open_cleanups(run, step) == 0) walk(state, run, {step}, moment, effects);
  return false;
}

// ---- Resources

// The server stopped under the task, and its step's cleanup is for that too.
bool cleans_on_shutdown(const Run& run, const Task& task, model::AttemptEnd end) {
  const model::Endings* endings = endings_of(run, task.row.step);
  return end == model::AttemptEnd::interrupted && endings != nullptr && endings->cleanup &&
         endings->cleanup_on_shutdown;
}

void give_back_next(State& state, Run& run, Ordinal ordinal, const Moment& moment, Effects& effects) {
  if (run.tasks[ordinal].helpers == 0) {
    Task& task = run.tasks[ordinal];
    if (task.row.giving_back && needs_cleanup(run, task) && !task.row.history.empty() &&
        cleans_on_shutdown(run, task, task.row.history.back().end)) {
      add_helper(state, run, ordinal, TaskRole::cleanup, "", moment, effects);
      return;
    }
    if (auto resource = newest_open(state, id_of(run, ordinal)); resource && run.row.no_cleanup) {
      leak_resource(run, std::move(*resource), kNoCleanup, moment.wall, effects);
      return push(state, run, WorkKind::give_back, ordinal);
    } else if (resource) {
      return clean_resource(state, run, std::move(*resource), moment, effects);
    }
    if (task.row.giving_back && is_wait(run, task.row)) {
      poll_again(state, run, task, moment, effects);
    } else if (task.row.giving_back) {
      task.row.giving_back = false;
      enqueue(state, run, task, moment, effects);
    }
  }
  if (run.row.stage != RunStage::leftovers || !run.leftovers_listed || run.tasks[ordinal].helpers > 0) return;
  run.leftovers.erase(ordinal);
  if (run.leftovers.empty()) next_stage(state, run, moment, effects);
}

void give_back_leftovers(State& state, Run& run, const Moment& moment, Effects& effects) {
  if (run.row.stage != RunStage::leftovers) return;
  run.leftovers.clear();
  run.leftovers_listed = true;
  for (const Resource& resource : resources_of(state, run.row.id)) {
    if (!is_open(run, resource) || !run.leftovers.insert(resource.task.ordinal).second) continue;
    push(state, run, WorkKind::give_back, resource.task.ordinal);
  }
  if (run.leftovers.empty()) next_stage(state, run, moment, effects);
}

// Resources whose run is over, gone or damaged. Each run gives back what it has before it ends: this is for
// what a person asked for afterwards, and a second net.
void give_back_orphans(State& state, RunKey key, Run* run, const Moment& moment, Effects& effects) {
  if (run != nullptr && !model::is_terminal(run->row.status)) return;
  if (run != nullptr) commands::take_up_helpers(state, *run, moment, effects);
  for (Resource& resource : orphans_of(state, key)) {
    if (run == nullptr || run->row.id != resource.task.run || resource.task.ordinal >= run->tasks.size()) {
      const auto known = state.absent.find(key);
      resource.status = ResourceStatus::leaked;
      resource.error =
          known == state.absent.end()
              ? "its run is gone"
              : utf8_prefix("its run cannot be loaded: " + known->second.message, model::kMessageLimit);
      effects.put(model::record_of(resource));
    } else if (resource.cleaner == 0 || resource.cleaner >= run->tasks.size() ||
               model::is_terminal(run->tasks[resource.cleaner].row.status)) {
      clean_resource(state, *run, std::move(resource), moment, effects);
    }
  }
  state.absent.erase(key);
}

// ---- Stages

// Whether there is something to do in it.
bool has_work(const State& state, Run& run, RunStage stage) {
  switch (stage) {
    case RunStage::main:
      return run.open_main > 0;
    case RunStage::compensate:
      list_undoing(run);
      return !run.to_undo.empty();
    case RunStage::cleanup:
      return has_cleaning(run);
    case RunStage::leftovers:
      return has_open_resources(state, run);
    case RunStage::finally:
      if (run.row.cancel_requested && seeded_bug(Bug::finally_dropped_after_cancel)) return false;
      return run.open_finally > 0;
  }
  return false;
}

void begin_work(State& state, Run& run) {
  switch (run.row.stage) {
    case RunStage::main:
      break;
    case RunStage::compensate:
      push(state, run, WorkKind::undo);
      break;
    case RunStage::cleanup:
      push(state, run, WorkKind::cleanup);
      break;
    case RunStage::leftovers:
      push(state, run, WorkKind::leftovers);
      break;
    case RunStage::finally:
      for (const Ordinal i : run.program->steps()) {
        if (!run.program->step(i).finally) continue;
        const Trigger by = trigger(run.program->step(i).trigger_rule, run.tasks[i].upstream);
        if (by.kind != Trigger::Kind::wait) push(state, run, WorkKind::ready, i);
      }
      break;
  }
}

void begin_stage(State& state, Run& run, RunStage stage, const Moment& moment, Effects& effects) {
  effects.touch(run);
  run.row.stage = stage;
  run.cleanup_walk = {};
  run.leftovers.clear();
  run.leftovers_listed = false;
  effects.record(run, {.kind = FactKind::run_finalizing,
                       .at = moment.wall,
                       .status = static_cast<std::uint8_t>(run.row.outcome),
                       .text = std::string(name(stage))});
  begin_work(state, run);
}

// Whether the resource stands for what the helper has been made to do: by the ledger, or, of a declared
// action that was left undone, by the attempts that it is about.
bool is_about(const Resource& resource, const Task& helper) {
  if (resource.cleaner == helper.row.key.ordinal) return true;
  const TaskRole role = helper.row.role;
  return role != TaskRole::resource && resource.cleaner == 0 && resource.attempt == helper.row.covers &&
         resource.origin ==
             (role == TaskRole::cleanup ? ResourceOrigin::cleanup : ResourceOrigin::compensate);
}

// What became of the resource that a helper was to give back. What could not be given back concerns a person,
// unless one has said so.
void settle_resource(State& state, Run& run, const Task& helper, const Moment& moment, Effects& effects) {
  std::optional<Resource> its;
  for (Resource& resource : resources_of(state, id_of(run, helper.row.parent))) {
    if (is_about(resource, helper)) its = std::move(resource);
  }
  if (helper.row.status == TaskStatus::completed) {
    if (its) close_resource(run, *its, FactKind::resource_cleaned, moment.wall, effects);
    return;
  }
  const bool dropped = helper.row.status == TaskStatus::cancelled;
  const std::string why = dropped ? kNoCleanup : helper.row.error_message;
  const bool cleanup = helper.row.role == TaskRole::cleanup;
  if (its) {
    leak_resource(run, std::move(*its), why, moment.wall, effects);
  } else if (helper.row.role != TaskRole::resource) {
    leak_declared(state, run, run.tasks[helper.row.parent],
                  cleanup ? ResourceOrigin::cleanup : ResourceOrigin::compensate,
                  {.attempt = helper.row.covers, .cleaner = helper.row.key.ordinal}, why, moment, effects);
  } else {
    return;  // released meanwhile
  }
  if (dropped) return;
  raise_alert(run, helper, model::Severity::critical,
              {.type = "leaked", .message = "not given back: " + helper.row.error_message}, moment, effects);
}

// A run that was cancelled, or failed fast, and of which one task was tried again (SEMANTICS 36) may still
// have steps that were not done: it has not completed. True if so; the first of them is then the run's error,
// if it has none.
bool note_what_was_not_done(Run& run) {
  for (const Ordinal i : run.program->steps()) {
    const model::TaskRow& row = run.tasks[i].row;
    const bool undone =
        row.status == TaskStatus::cancelled ||
        (row.status == TaskStatus::skipped && row.skip_reason == model::SkipReason::fail_fast);
    if (!undone || run.program->step(i).finally) continue;
    if (run.row.error_type.empty() && !run.row.cancel_requested) {
      run.row.error_type = model::error_type::kCancelled;
      run.row.error_message = utf8_prefix(
          "step " + run.program->name(i) + " was not done when the run ended before; recover the run",
          model::kMessageLimit);
    }
    return true;
  }
  return false;
}

}  // namespace

void end_main_phase(State& state, Run& run, const Moment& moment, Effects& effects) {
  effects.touch(run);
  const bool undone = note_what_was_not_done(run);
  run.row.outcome = run.row.given_up                                ? RunStatus::failed
                    : run.row.cancel_requested                      ? RunStatus::cancelled
                    : run.any_failed || run.row.timed_out || undone ? RunStatus::failed
                                                                    : RunStatus::completed;
  arm_run_clock(state, run);
  next_stage(state, run, moment, effects);
}

void next_stage(State& state, Run& run, const Moment& moment, Effects& effects) {
  if (run.row.status == RunStatus::paused) return;  // resume comes back to it
  auto at = std::ranges::find(kStages, run.row.stage);
  while (++at != kStages.end()) {
    if (has_work(state, run, *at)) return begin_stage(state, run, *at, moment, effects);
  }
  if (has_open_resources(state, run)) {
    return begin_stage(state, run, RunStage::leftovers, moment, effects);
  }
  end_run(state, run, moment, effects);
}

void go_on_with_stage(State& state, Run& run) {
  begin_work(state, run);
}

void begin_early_cleanups(State& state, Run& run, Ordinal ended) {
  const auto begin = [&](Ordinal step) {
    const Ordinal after = run.program->place(step, *endings_of(run, step)->cleanup_after);
    if (model::is_terminal(run.tasks[step].row.status) && model::is_terminal(run.tasks[after].row.status)) {
      push(state, run, WorkKind::cleanup, step);
    }
  };
  for (const Ordinal step : run.program->cleaned_after(ended)) begin(step);
  const model::Endings* own = endings_of(run, ended);
  if (own != nullptr && own->cleanup_after) begin(ended);
}

void advance_helper(State& state, Run& run, Task& helper, const Moment& moment, Effects& effects) {
  if (helper.row.has_input) return activate(state, run, helper, moment, effects);
  const auto failed = [&](const Error& error) {
    fail_task(state, run, helper, {.type = model::error_type::kExpression, .message = error.message}, moment,
              effects);
  };
  const auto code = run.program->code(helper.row.step, run.program->action(helper.row));
  if (!code) return failed(code.error());
  if (!(*code)->body.is_constant()) {
    const auto body = render_body(state, run, helper);
    if (!body) return failed(body.error());
    effects.touch(run, helper.row.key.ordinal);
    effects.put(input_of(helper.row.key), boost::json::serialize(*body));
    helper.row.has_input = true;
  }
  activate(state, run, helper, moment, effects);
}

void end_helper(State& state, Run& run, Task& helper, const Moment& moment, Effects& effects) {
  const Ordinal parent = helper.row.parent;
  --run.open_helpers;
  --run.tasks[parent].helpers;
  settle_resource(state, run, helper, moment, effects);
  // Its next generation waits for that.
  if (run.tasks[parent].helpers == 0 && run.tasks[parent].row.status == TaskStatus::pending &&
      run.row.recovery.scope == model::Recovery::Scope::none) {
    push(state, run, WorkKind::ready, parent);
  }
  if (helper.row.role == TaskRole::compensate) {
    --run.open_compensations;
    push(state, run, WorkKind::undo);
  } else if (helper.row.role == TaskRole::cleanup) {
    const Ordinal step = helper.row.step;
    const std::uint32_t left = --run.open_cleanups[step];
    if (run.row.stage == RunStage::cleanup && run.cleanup_walk.begun && left == 0 &&
        run.cleanup_walk.places[step] == CleanupWalk::Place::running) {
      return walk(state, run, {step}, moment, effects);
    }
  }
  if (run.row.stage == RunStage::leftovers || run.tasks[parent].row.giving_back) {
    push(state, run, WorkKind::give_back, parent);
  }
}

bool has_to_give_back(const State& state, const Run& run, const Task& task) {
  if (is_helper(task) || task.row.history.empty() || seeded_bug(Bug::next_attempt_before_giving_back))
    return false;
  const model::AttemptEnd end = task.row.history.back().end;
  if (cleans_on_shutdown(run, task, end) && needs_cleanup(run, task)) return true;
  return end == model::AttemptEnd::lost &&
         (task.helpers > 0 || newest_open(state, id_of(run, task.row.key.ordinal)));
}

void give_back_first(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (task.row.giving_back) return;  // somebody said that it goes on: so it does, as soon as it can
  const Ordinal ordinal = task.row.key.ordinal;
  effects.touch(run, ordinal);
  task.row.giving_back = true;
  task.row.held = false;
  if (!is_wait(run, task.row)) {
    task.row.status = TaskStatus::retrying;
    effects.record(run, {.kind = FactKind::task_retrying,
                         .at = moment.wall,
                         .task = ordinal,
                         .step = task.row.step,
                         .index = task.row.index,
                         .attempt = task.row.starts,
                         .other = "gives its resources back first"});
  }
  arm_clock(state, run, task);
  push(state, run, WorkKind::give_back, ordinal);
}

bool was_given_back(const Run& run, const Task& task) {
  // What an attempt before the last one had made, and was given back, is no part of its result.
  const auto covers_last = [&](const std::unordered_map<Ordinal, Ordinal>& helpers) {
    const Task* helper = latest(run, helpers, task);
    return helper != nullptr && helper->row.covers == task.row.starts;
  };
  return covers_last(run.cleanups) || covers_last(run.compensations) || covers_last(run.returns);
}

void count_helper(Run& run, const Task& helper) {
  const auto [key, parent] = std::pair(helper.row.key.ordinal, helper.row.parent);
  const bool open = !model::is_terminal(helper.row.status);
  run.open_helpers += open;
  run.tasks[parent].helpers += open;
  switch (helper.row.role) {
    case TaskRole::main:
      break;
    case TaskRole::cleanup:
      run.cleanups[parent] = key;
      run.open_cleanups[helper.row.step] += open;
      break;
    case TaskRole::compensate:
      run.compensations[parent] = key;
      run.open_compensations += open;
      break;
    case TaskRole::resource:
      run.returns[parent] = key;
      break;
  }
}

bool work_on_endings(State& state, Work& work, const Moment& moment, Effects& effects,
                     std::size_t row_limit) {
  Run* run = state.find(work.task.run);
  if (work.kind == WorkKind::orphans) {
    give_back_orphans(state, work.task.run, run, moment, effects);
    return false;
  }
  if (run == nullptr || model::is_terminal(run->row.status)) return false;
  switch (work.kind) {
    case WorkKind::undo:
      undo_next(state, *run, moment, effects);
      return false;
    case WorkKind::cleanup:
      if (work.task.ordinal != kWholeRun) {
        return clean_step(state, *run, work, moment, effects, row_limit);
      }
      if (run->row.stage != RunStage::cleanup) return false;
      if (!run->cleanup_walk.begun) {
        begin_walk(state, *run, moment, effects);
      } else if (run->cleanup_walk.left == 0) {
        next_stage(state, *run, moment, effects);
      }
      return false;
    case WorkKind::give_back:
      give_back_next(state, *run, work.task.ordinal, moment, effects);
      return false;
    case WorkKind::leftovers:
      give_back_leftovers(state, *run, moment, effects);
      return false;
    default:
      return false;
  }
}

void resume_endings(State& state, Run& run) {
  if (model::is_terminal(run.row.status)) return;
  // A child whose end waited for what its result is made of.
  if (run.row.parent->any() && ((run.row.stage == RunStage::main && run.open_main == 0) ||
                                (run.row.stage == RunStage::finally && run.open_finally == 0))) {
    push(state, run, WorkKind::child);
  }
  if (run.row.stage == RunStage::compensate) list_undoing(run);
  if (run.row.stage != RunStage::finally) begin_work(state, run);  // pending tasks are taken up by themselves
  for (const Task& task : run.tasks) {
    const Ordinal ordinal = task.row.key.ordinal;
    if (task.row.giving_back) push(state, run, WorkKind::give_back, ordinal);
    if (task.row.step == ordinal && !task.old && run.row.stage == RunStage::main) {
      const model::Endings* endings = endings_of(run, ordinal);
      if (endings != nullptr && endings->cleanup_after) begin_early_cleanups(state, run, ordinal);
    }
  }
}

void clean_resource(State& state, Run& run, Resource resource, const Moment& moment, Effects& effects) {
  const Ordinal parent = resource.task.ordinal;
  const TaskRole role = resource.origin == ResourceOrigin::cleanup      ? TaskRole::cleanup
                        : resource.origin == ResourceOrigin::compensate ? TaskRole::compensate
                                                                        : TaskRole::resource;
  Task& helper = add_helper(state, run, parent, role, resource.name, moment, effects);
  if (role == TaskRole::resource) {
    effects.put(input_of(helper.row.key), resource.body);
    helper.row.has_input = true;
  }
  resource.status = ResourceStatus::cleaning;
  resource.cleaner = helper.row.key.ordinal;
  resource.error.clear();
  effects.put(model::record_of(resource));
}

bool has_open_resources(const State& state, const Run& run) {
  return has_open(state, run.row.id, static_cast<Ordinal>(run.tasks.size()));
}

}  // namespace baton::engine
