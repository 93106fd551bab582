#include "engine/generations.hpp"

#include <algorithm>

#include "base/seeded_bug.hpp"
#include "engine/dead_letters.hpp"
#include "engine/deadlines.hpp"
#include "engine/endings.hpp"
#include "engine/flow.hpp"
#include "engine/gates.hpp"
#include "engine/items.hpp"
#include "engine/load.hpp"
#include "engine/pauses.hpp"
#include "engine/phases.hpp"
#include "engine/timers.hpp"

namespace baton::engine {
namespace {

using model::FactKind;
using model::Recovery;
using model::RunStatus;
using model::SkipReason;
using model::TaskStatus;

// How much of a step is done again.
enum class Extent : std::uint8_t {
  none,
  bad_items,  // of a mapped one, the others keep their results
  all,        // of a mapped one, every item of the list that it has
  anew        // of a mapped one, the list is made again
};

// Whether it has been made ready, though it stands in no queue yet.
bool was_ready(const Task& task) {
  return task.row.status == TaskStatus::pending && !task.row.expanded &&
         (task.parked || task.row.has_input || task.row.when_held);
}

bool is_mapped(const Run& run, Ordinal step) {
  return !run.program->step(step).for_each.is_null();
}

class Plan {
 public:
  explicit Plan(const Run& run)
      : run_(run), recovery_(run.row.recovery), extents_(run.program->end()), below_(run.program->end()) {
    if (recovery_.scope == Recovery::Scope::task) {
      blocked_by_root();
    } else {
      everything_bad();
    }
    if (run.row.status != RunStatus::recovering) return;
    what_lies_between();
    // What the whole run came to is asked by the steps under `finally`: they always run again.
    for (const Ordinal i : run.program->steps()) {
      if (run.program->step(i).finally) extents_[i] = is_mapped(run, i) ? Extent::anew : Extent::all;
    }
  }

  Extent extent(Ordinal step) const { return extents_[step]; }
  Ordinal root_step() const { return run_.tasks[recovery_.root].row.step; }

  // Whether this task is to be reset. Items of a list that is made again are old by then: their step comes
  // first.
  bool includes(const Task& task) const {
    if (task.old || is_helper(task)) return false;
    // The root may be reset already, with what a person gave it.
    if (task.row.status == TaskStatus::pending &&
        (task.row.key.ordinal == recovery_.root || !was_ready(task)))
      return false;
    const Extent extent = extents_[task.row.step];
    if (task.row.index < 0 || extent != Extent::bad_items) return extent != Extent::none;
    if (run_.row.status == RunStatus::recovering && is_gone(task)) return true;
    // A decision about one item leaves its siblings alone.
    if (recovery_.scope == Recovery::Scope::task && task.row.step == root_step() &&
        run_.tasks[recovery_.root].row.index >= 0) {
      return task.row.key.ordinal == recovery_.root;
    }
    return is_to_be_redone(task.row);
  }

 private:
  bool is_kept(Ordinal step) const { return std::ranges::binary_search(recovery_.keep, step); }

  void mark(Ordinal step, Extent extent) {
    if (is_kept(step)) return;
    if (!is_mapped(run_, step) && extent != Extent::none) extent = Extent::all;
    extents_[step] = std::max(extents_[step], extent);
  }

  // What the task made was given back: it is made again (SEMANTICS 35).
  bool is_gone(const Task& task) const {
    return task.row.status == TaskStatus::completed && was_given_back(run_, task);
  }

  bool is_gone(Ordinal step) const {
    const Task& own = run_.tasks[step];
    if (is_gone(own)) return true;
    for (std::uint32_t i = 0; i < own.row.item_count; ++i) {
      if (is_gone(run_.tasks[own.row.first_item + i])) return true;
    }
    return false;
  }

  // Visits every step below `from`, each once over all calls.
  template <typename Visit>
  void each_below(std::vector<Ordinal> open, Visit visit) {
    while (!open.empty()) {
      const Ordinal step = open.back();
      open.pop_back();
      run_.program->each_successor(step, [&](Ordinal next) {
        if (below_[next]) return;
        below_[next] = true;
        if (visit(next)) open.push_back(next);
      });
    }
  }

  void everything_bad() {
    const RunProgram& program = run_.program;
    std::vector<Ordinal> open;
    if (recovery_.scope == Recovery::Scope::step) {
      mark(recovery_.root, recovery_.failed_only ? Extent::bad_items : Extent::all);
      each_below({recovery_.root}, [&](Ordinal step) {
        mark(step, Extent::anew);
        return true;
      });
    }
    for (const Ordinal i : program.steps()) {
      const model::TaskRow& row = run_.tasks[i].row;
      if (program.step(i).finally) continue;
      if (row.status == TaskStatus::pending || is_to_be_redone(row) || is_gone(i)) mark(i, Extent::bad_items);
      if (extents_[i] != Extent::none) open.push_back(i);
    }
    each_below(std::move(open), [&](Ordinal step) {
      // A result of what comes before it may change whether it is skipped.
      const model::TaskRow& row = run_.tasks[step].row;
      if (row.status == TaskStatus::skipped && row.skip_reason != SkipReason::operator_)
        mark(step, Extent::all);
      return true;
    });
    for (const Ordinal i : program.steps()) {
      if (below_[i] && extents_[i] != Extent::none) mark(i, Extent::anew);
    }
  }

  void blocked_by_root() {
    // The items of a step that is skipped as a whole are void.
    const bool whole = recovery_.then == Recovery::Then::skip && recovery_.root == root_step();
    mark(root_step(), whole ? Extent::anew : Extent::bad_items);
    std::vector<Ordinal> to_run;
    if (recovery_.then == Recovery::Then::again) to_run.push_back(root_step());
    each_below({root_step()}, [&](Ordinal step) {
      const model::TaskRow& row = run_.tasks[step].row;
      const bool blocked = row.status == TaskStatus::cancelled ||
                           (row.status == TaskStatus::skipped && row.skip_reason != SkipReason::operator_);
      // One that waits for a place waits for what is done again before it, and asks for its values again.
      if (blocked || was_ready(run_.tasks[step])) mark(step, Extent::anew);
      if (blocked || row.status == TaskStatus::pending) to_run.push_back(step);
      return blocked || row.status == TaskStatus::pending;
    });
    // While the run goes on others may be using it.
    if (run_.row.status == RunStatus::recovering) what_is_gone_before(std::move(to_run));
  }

  // What these steps stand on, as far as it is gone, is made again.
  void what_is_gone_before(std::vector<Ordinal> open) {
    std::vector<bool> seen(run_.program->end());
    while (!open.empty()) {
      const Ordinal at = open.back();
      open.pop_back();
      run_.program->each_need(at, [&](Ordinal before) {
        if (seen[before]) return;
        seen[before] = true;
        open.push_back(before);
        if (is_gone(before)) mark(before, Extent::bad_items);
      });
    }
  }

  // A step between two that are done again is done again: its result is of what is gone, and as long as it
  // has one the step after it would not wait. What an earlier piece of work has reset is pending by now.
  void what_lies_between() {
    const RunProgram& program = run_.program;
    std::vector<bool> above(program.end());
    std::vector<bool> below(program.end());
    const auto spread = [&](std::vector<bool>& reached, auto each_next) {
      std::vector<Ordinal> open;
      for (const Ordinal i : program.steps()) {
        if (extents_[i] != Extent::none || run_.tasks[i].row.status == TaskStatus::pending) open.push_back(i);
      }
      while (!open.empty()) {
        const Ordinal step = open.back();
        open.pop_back();
        each_next(step, [&](Ordinal next) {
          if (!reached[next]) open.push_back(next);
          reached[next] = true;
        });
      }
    };
    spread(below, [&](Ordinal step, auto visit) { program.each_successor(step, visit); });
    spread(above, [&](Ordinal step, auto visit) { program.each_need(step, visit); });
    for (const Ordinal i : program.steps()) {
      const model::TaskRow& row = run_.tasks[i].row;
      const bool decided = row.status == TaskStatus::skipped && row.skip_reason == SkipReason::operator_;
      if (above[i] && below[i] && !decided && !program.step(i).finally) mark(i, Extent::anew);
    }
  }

  const Run& run_;
  const Recovery& recovery_;
  std::vector<Extent> extents_;
  std::vector<bool> below_;
};

// The row of the task's next generation. What is not named here begins anew, whatever it is.
void reset(State& state, Run& run, Task& task, bool new_list, const Moment& moment, Effects& effects) {
  model::TaskRow& old = task.row;
  const TaskKey key = old.key;
  model::TaskRow row;
  row.key = key;
  row.step = old.step;
  row.index = old.index;
  row.priority = priority_of(run, old.step);
  row.generation = old.generation + 1;
  row.starts = old.starts;
  row.history = std::move(old.history);
  row.old_items = std::move(old.old_items);
  const bool keeps_list = old.expanded && !new_list;
  if (keeps_list) {
    row.expanded = true;
    row.first_item = old.first_item;
    row.item_count = old.item_count;
    row.has_input = old.has_input;
    row.started_at = old.started_at;
  } else if (old.expanded && old.item_count > 0) {
    row.old_items.edit().push_back({old.first_item, old.item_count});
    for (std::uint32_t i = 0; i < old.item_count; ++i) {
      run.tasks[old.first_item + i].old = true;
      retire_additions(run, old.first_item + i, UINT32_MAX);
    }
  }
  if (old.expanded) {
    state.values.drop({key.run, model::PayloadSlot::item_results, old.first_item, old.item_count});
  }
  if (is_dead(run, task) && !seeded_bug(Bug::letter_stays_after_retry)) effects.erase(letter_of(run, task));
  for (const Ordinal gone : retire_additions(run, key.ordinal, row.generation)) {
    if (is_dead(run, run.tasks[gone])) effects.erase(letter_of(run, run.tasks[gone]));
  }
  leave_line(state, task);
  task.parked = false;
  const bool lose_input = old.has_input && !row.has_input;
  const bool lose_result = old.has_result;
  old = std::move(row);
  task.sweeping = false;
  // A list that is kept is not begun again, but its deadline is.
  if (keeps_list) {
    start_task_clocks(run, task, moment);
    arm_clock(state, run, task);
  }
  effects.touch(run, key.ordinal);
  if (lose_input) effects.erase(input_of(key));
  if (lose_result) effects.erase(result_of(key));
  effects.record(run, {.kind = FactKind::task_reset,
                       .at = moment.wall,
                       .task = key.ordinal,
                       .step = old.step,
                       .index = old.index,
                       .text = keeps_list ? "" : "items"});
}

void count_kept_failures(Run& run, Task& group, const Plan& plan) {
  for (std::uint32_t i = 0; i < group.row.item_count; ++i) {
    const Task& item = run.tasks[group.row.first_item + i];
    if (item.row.status == TaskStatus::failed && !plan.includes(item)) ++group.row.kept_failures;
  }
}

// Of a step that goes on, a failed item that was kept is done again after all.
void forget_kept_failures(Run& run, Effects& effects) {
  if (run.row.recovery.scope != Recovery::Scope::task) return;
  Task& group = run.tasks[run.tasks[run.row.recovery.root].row.step];
  if (group.row.kept_failures <= group.items_failed) return;
  effects.touch(run, group.row.key.ordinal);
  group.row.kept_failures = group.items_failed;
}

// What stays failed is the run's error.
void note_what_stays_failed(Run& run) {
  const Task* first = nullptr;
  for (const Ordinal i : run.program->steps()) {
    const Task& task = run.tasks[i];
    if (!has_failed(task.row, run.program->step(i))) continue;
    if (first == nullptr || task.row.ended_at < first->row.ended_at) first = &task;
  }
  if (first != nullptr) note_failure(run, *first, run.program->step(first->row.step));
}

// Everything is reset: the decision about its root, if it was one, and the run goes on.
void finish(State& state, Run& run, const Moment& moment, Effects& effects) {
  const Recovery plan = std::move(run.row.recovery);
  run.row.recovery = {};
  effects.touch(run);
  note_what_stays_failed(run);
  if (run.row.status == RunStatus::recovering) {
    run.row.status = RunStatus::running;
    start_run_clocks(state, run, moment);
    effects.record(run, {.kind = FactKind::run_recovered, .at = moment.wall});
    hold_with_parent(state, run, moment, effects);
  }
  // An item of a list that is made anew is no more.
  if (plan.then != Recovery::Then::again && !run.tasks[plan.root].old) {
    Task& root = run.tasks[plan.root];
    start_run(state, run, moment, effects);
    if (plan.then == Recovery::Then::skip) {
      skip_task(state, run, root, SkipReason::operator_, moment, effects);
    } else {
      root.row.via = model::Via::operator_;
      complete_task(state, run, root, moment, effects);
    }
  }
  // A mapped step of which only bad items were wanted, and that has none.
  for (const Ordinal i : run.program->steps()) {
    Task& task = run.tasks[i];
    if (task.row.expanded && task.row.status == TaskStatus::pending && task.items_open == 0) {
      end_group(state, run, task, moment, effects);
    }
  }
  // It has ended; then it may recover by itself already.
  if (model::is_terminal(run.row.status) || run.row.status == RunStatus::recovering) return;
  take_up(state, run);
  // Nothing was to be done again: everything had ended when the run was cancelled.
  if (run.row.stage == model::RunStage::main && run.open_main == 0 &&
      !seeded_bug(Bug::finally_alone_not_recovered)) {
    end_phase_if_over(state, run, moment, effects);
  }
}

}  // namespace

bool is_to_be_redone(const model::TaskRow& row) {
  return row.status == TaskStatus::failed || row.status == TaskStatus::cancelled ||
         (row.status == TaskStatus::skipped &&
          (row.skip_reason == SkipReason::upstream_failed || row.skip_reason == SkipReason::fail_fast));
}

void begin_recovery(State& state, Run& run, Recovery plan, Duration delay, std::string value,
                    const Moment& moment, Effects& effects) {
  effects.touch(run);
  model::RunRow& row = run.row;
  const std::string reason = plan.reason;
  row.recovery = std::move(plan);
  row.recovery.due = moment.now + delay;
  row.error_type.clear();
  row.error_message.clear();
  if (model::is_terminal(row.status)) {
    ++row.recovery_attempts;
    row.status = RunStatus::recovering;
    row.cancel_requested = row.terminate = row.no_cleanup = row.timed_out = row.given_up = false;
    row.stage = model::RunStage::main;
    row.deadline = row.late_at = {};
    row.retries = 0;
    row.outcome = RunStatus::pending;
    row.ended_at = {};
    effects.record(run, {.kind = FactKind::run_recovering,
                         .at = moment.wall,
                         .number = row.recovery_attempts,
                         .text = reason});
  }
  if (!value.empty()) {
    // Stored at once with the decision; the task takes it when everything is reset.
    Task& root = run.tasks[row.recovery.root];
    reset(state, run, root, false, moment, effects);
    const bool result = row.recovery.then == Recovery::Then::complete;
    effects.put(result ? result_of(root.row.key) : input_of(root.row.key), std::move(value));
    (result ? root.row.has_result : root.row.has_input) = true;
    derive_again(run);
  }
  resume_recovery(state, run, moment);
}

void resume_recovery(State& state, Run& run, const Moment& moment) {
  if (run.row.recovery.due > moment.now) {
    state.timers.insert({run.row.recovery.due, TimerKind::recover, {run.row.key, kWholeRun}, {}});
  } else {
    state.work.push_back({WorkKind::reset, {run.row.key, kWholeRun}, 0});
  }
}

bool go_on_recovering(State& state, Run& run, Work& work, const Moment& moment, Effects& effects,
                      std::size_t row_limit) {
  const Plan plan(run);
  bool more = false;
  for (; work.cursor < run.tasks.size(); ++work.cursor) {
    if (effects.rows() >= row_limit) {
      more = true;
      break;
    }
    Task& task = run.tasks[work.cursor];
    if (!plan.includes(task)) continue;
    const Extent extent = task.row.index < 0 ? plan.extent(task.row.step) : Extent::all;
    std::string error_type = task.row.error_type;
    std::string error_message = task.row.error_message;
    reset(state, run, task, extent == Extent::anew, moment, effects);
    if (!task.row.expanded) continue;
    count_kept_failures(run, task, plan);
    if (task.row.kept_failures == 0) continue;
    // The error of what stays failed.
    task.row.error_type = std::move(error_type);
    task.row.error_message = std::move(error_message);
  }
  derive_again(run);
  forget_kept_failures(run, effects);
  if (!more) finish(state, run, moment, effects);
  return more;
}

}  // namespace baton::engine
