#include "engine/flow.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "base/duration.hpp"
#include "base/seeded_bug.hpp"
#include "base/text.hpp"
#include "engine/attempts.hpp"
#include "engine/branches.hpp"
#include "engine/caching.hpp"
#include "engine/children.hpp"
#include "engine/dead_letters.hpp"
#include "engine/deadlines.hpp"
#include "engine/dispatch.hpp"
#include "engine/endings.hpp"
#include "engine/gates.hpp"
#include "engine/generations.hpp"
#include "engine/needs.hpp"
#include "engine/pauses.hpp"
#include "engine/queues.hpp"
#include "engine/rendering.hpp"
#include "engine/run_limits.hpp"
#include "engine/signals.hpp"
#include "engine/timers.hpp"
#include "engine/waiting.hpp"

namespace baton::engine {
namespace {

using model::FactKind;
using model::RunStatus;
using model::TaskStatus;

model::MaxFailures max_failures(const model::Step& step) {
  return step.failure ? step.failure->max_failures : model::MaxFailures{};
}

// Of two reasons to stop an attempt the one with more weight says what follows.
int weight(model::StopReason reason) {
  switch (reason) {
    case model::StopReason::none:
      return 0;
    case model::StopReason::timeout:
    case model::StopReason::heartbeat:
      return 1;
    case model::StopReason::deadline:
      return 2;
    case model::StopReason::cancelled:
      return 3;
  }
  return 0;
}

bool is_item(const Task& task) {
  return task.row.index >= 0;
}

bool fails_fast(const Run& run) {
  return run.any_failed && run.program->workflow().fail_fast;
}

void set_status(Run& run, RunStatus status) {
  run.row.status = status;
}

bool is_triggered(const Run& run, Ordinal step) {
  return trigger(run.program->step(step).trigger_rule, run.tasks[step].upstream).kind != Trigger::Kind::wait;
}

// One more predecessor has ended.
void count_end(Upstream& upstream, const model::TaskRow& row, const model::Step& step) {
  if (is_bad(row, step)) {
    ++upstream.bad;
  } else if (row.status == TaskStatus::skipped) {
    ++upstream.skipped;
  } else {
    ++upstream.succeeded;
  }
}

void push_ready(State& state, const Run& run, Ordinal ordinal) {
  state.work.push_back({WorkKind::ready, {run.row.key, ordinal}, 0});
}

void end_step(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  const Ordinal ordinal = task.row.key.ordinal;
  const model::Step& step = run.program->step(ordinal);
  if (!task.row.expanded || task.row.item_count == 0) run.done_weight += run.program->weight(ordinal);
  update_progress(run);
  run.program->each_successor(ordinal, [&](Ordinal next) {
    Upstream& upstream = run.tasks[next].upstream;
    const bool was_triggered = is_triggered(run, next);
    --upstream.waiting;
    if (seeded_bug(Bug::join_counts_twice) && upstream.waiting > 0) --upstream.waiting;
    count_end(upstream, task.row, step);
    // What the switch did not choose is skipped at once, whatever else it needs.
    if ((!was_triggered && is_triggered(run, next)) || (step.branches && is_off_branch(run, next)))
      push_ready(state, run, next);
  });
  const bool failed = has_failed(task.row, step);
  if (failed) note_failure(run, task, step);
  if (step.finally) {
    run.finally_failed |= failed;
    --run.open_finally;
  } else {
    if (failed && !run.any_failed) {
      run.any_failed = true;
      if (run.program->workflow().fail_fast)
        state.work.push_back({WorkKind::sweep, {run.row.key, kWholeRun}, 0});
    }
    begin_early_cleanups(state, run, ordinal);
    --run.open_main;
  }
  end_phase_if_over(state, run, moment, effects);
}

// The error of a mapped step: how many items failed, and the first one's. A part that failed in an earlier
// generation has such a text already.
std::string items_failed_text(const Task& group) {
  constexpr std::string_view kBefore = " items failed; ";
  std::string_view first = group.row.error_message;
  if (const auto at = first.find(kBefore); at != std::string_view::npos)
    first.remove_prefix(at + kBefore.size());
  return std::to_string(group.items_failed) + " of " + std::to_string(group.row.item_count) +
         std::string(kBefore) + std::string(first);
}

void end_item(State& state, Run& run, Task& item, bool was_active, const Moment& moment, Effects& effects) {
  Task& group = run.tasks[item.row.step];
  const std::uint32_t count = group.row.item_count;
  const std::uint64_t weight = run.program->weight(item.row.step);
  // The step's weight is spread over its items without losing the remainder.
  const std::uint64_t ended = count - group.items_open;
  run.done_weight += weight * (ended + 1) / count - weight * ended / count;
  update_progress(run);
  --group.items_open;
  if (was_active) --group.items_active;
  if (item.row.status == TaskStatus::cancelled || item.row.skip_reason == model::SkipReason::fail_fast) {
    ++group.items_cancelled;
  }
  const model::MaxFailures allowed = max_failures(run.program->step(item.row.step));
  if (item.row.status == TaskStatus::failed && !item.row.ignored) {
    ++group.items_failed;
    if (group.row.error_type.empty()) {
      effects.touch(run, item.row.step);
      set_error(group.row,
                {.type = item.row.error_type,
                 .message = "item " + std::to_string(item.row.index) + ": " + item.row.error_message});
    }
    if (!group.sweeping && group.items_open > 0 &&
        allowed.exceeded_by(group.items_failed - std::min(group.items_failed, group.row.kept_failures),
                            count)) {
      group.sweeping = true;
      state.work.push_back({WorkKind::sweep, group.row.key, 0});
    }
  }
  if (group.items_open > 0) {
    refill(state, run, group);
    return;
  }
  end_group(state, run, group, moment, effects);
}

// Has to be undone if its run does not complete.
bool is_undoable(const Run& run, const Task& task) {
  const model::Step& step = run.program->step(task.row.step);
  return !is_helper(task) && !task.row.expanded && step.endings && step.endings->compensate &&
         task.row.via != model::Via::cache;  // then nothing was done that could be undone
}

void park(Run& run, Task& task) {
  task.parked = true;
  if (is_item(task)) ++run.tasks[task.row.step].items_waiting;
}

void unpark(Run& run, Task& task) {
  task.parked = false;
  if (is_item(task)) --run.tasks[task.row.step].items_waiting;
}

// A task that is ready, into its queue, unless that is full.
void join_queue(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  const auto full = full_queue(state, run, task);
  if (!full) return enter_queue(state, run, task, moment, effects);
  park(run, task);
  // A new owner finds its place in its row.
  const bool draws = task.row.order == 0;
  stand_outside(state, run, task, *full);
  if (draws) effects.touch(run, task.row.key.ordinal);
}

// Gives free places to those that had one before, then to those that are parked. True: there are more.
bool fill_places(State& state, Run& run, const Moment& moment, Effects& effects) {
  constexpr int kParkedAtOnce = 100;
  const model::Blocker full = model::Blocker::run_full(run.row.key);
  for (int parked = 0; run.active < run.program->workflow().max_parallel;) {
    if (const auto waiting = state.blocked.find(full); waiting != state.blocked.end()) {
      Task& next = run.tasks[waiting->second.tasks.begin()->second.ordinal];
      take_place(run, next);
      stand_again(state, run, next);
      want_dispatch(state);
      continue;
    }
    if (run.parked.empty()) return false;
    // Those whose queue is full take no place: there may be many of them.
    if (++parked > kParkedAtOnce) return true;
    Task& next = run.tasks[run.parked.front()];
    run.parked.pop_front();
    // It has ended where it stood, or is about to, or stands before its queue since.
    if (!next.parked || next.line != nullptr || is_closing(run, next)) continue;
    unpark(run, next);
    join_queue(state, run, next, moment, effects);
  }
  return false;
}

// What every end of a task has in common.
void finish(State& state, Run& run, Task& task, TaskStatus status, const Moment& moment, Effects& effects) {
  const TaskStatus before = task.row.status;
  const bool was_active = model::is_active(before) || task.parked;
  if (before == TaskStatus::queued) {
    leave_queue(state, run, task);
  } else {
    leave_line(state, task);
  }
  if (task.parked) unpark(run, task);
  stop_asking(state, run, task);
  const bool waited = before == TaskStatus::running && is_wait(run, task.row);
  if (waited) {
    stop_waiting(run, task, effects);
    --run.row.counts.running;
    if (status != TaskStatus::completed) leave_child(state, run, task, moment, effects);
  }
  clear_timer(state, task);
  clear_clock(state, task);
  task.row.held = false;
  task.row.status = status;
  task.row.ended_at = moment.wall;
  task.ended_in = state.sequence;
  task.row.giving_back = false;
  // A mapped step that has items is counted by them, a task that serves another one not at all.
  if (!is_helper(task) && (!task.row.expanded || task.row.item_count == 0)) {
    model::TaskCounts& counts = run.row.counts;
    ++(status == TaskStatus::completed ? counts.completed
       : status == TaskStatus::failed  ? counts.failed
       : status == TaskStatus::skipped ? counts.skipped
                                       : counts.cancelled);
  }
  if (status == TaskStatus::completed && task.row.progress->percent >= 0) {
    task.row.progress.edit().percent = 100;
  }
  if (status == TaskStatus::completed && is_undoable(run, task)) task.row.end_order = ++run.last_end_order;
  effects.touch(run, task.row.key.ordinal);
  model::Fact fact{.kind = FactKind::task_ended,
                   .at = moment.wall,
                   .task = task.row.key.ordinal,
                   .step = task.row.step,
                   .index = task.row.index,
                   .attempt = task.row.starts,
                   .status = static_cast<std::uint8_t>(status)};
  if (status == TaskStatus::skipped) {
    fact.kind = FactKind::task_skipped;
    fact.text = model::name(task.row.skip_reason);
  } else if (status == TaskStatus::failed) {
    fact.text = task.row.error_type;
    fact.other = task.row.error_message;
    if (!is_helper(task)) bury(run, task, effects);  // what serves another leaves a leaked resource
  }
  effects.record(run, std::move(fact));
  leave_place(state, run, task, moment, effects);
  if (is_helper(task)) {
    end_helper(state, run, task, moment, effects);
  } else if (is_item(task)) {
    end_item(state, run, task, was_active, moment, effects);
  } else {
    end_step(state, run, task, moment, effects);
  }
}

void start_fallback(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (is_closing(run, task)) return cancel_task(state, run, task, moment, effects);
  const auto failed = [&](const Error& error) {
    fail_attempt(state, run, task,
                 {.type = model::error_type::kExpression,
                  .message = "`fallback`: " + error.message,
                  .never_retry = true},
                 moment, effects);
  };
  const auto code = run.program->code(task.row.step, run.program->action(task.row));
  if (!code) return failed(code.error());
  if (!(*code)->body.is_constant()) {
    auto body = render_body(state, run, task);
    if (!body) return failed(body.error());
    auto input = input_with(state, task, std::move(*body));
    if (!input) return failed(input.error());
    effects.touch(run, task.row.key.ordinal);
    effects.put(input_of(task.row.key), std::move(*input));
    task.row.has_input = true;
  }
  enqueue(state, run, task, moment, effects);
}

// The task's first attempts are its preflight's. Rendered with the step's own body, and kept beside it.
Status begin_preflight(State& state, Run& run, Task& task, Effects& effects) {
  effects.touch(run, task.row.key.ordinal);
  task.row.phase = model::Phase::preflight;
  TRY(const std::shared_ptr<const StepCode> code,
      run.program->code(task.row.step, run.program->action(task.row)));
  if (code->body.is_constant()) return {};
  TRY(boost::json::value body, render_body(state, run, task));
  TRY(std::string input, input_with(state, task, std::move(body)));
  effects.put(input_of(task.row.key), std::move(input));
  task.row.has_input = true;
  return {};
}

void expand(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  start_run(state, run, moment, effects);
  auto items = evaluate_items(state, run, task);
  const auto refuse = [&](const char* type, std::string message) {
    fail_unstarted(state, run, task, {.type = type, .message = std::move(message)}, moment, effects);
  };
  if (!items) return refuse(model::error_type::kExpression, items.error().message);
  if (run.tasks.size() + items->size() > state.settings.max_tasks_per_run) {
    return refuse(model::error_type::kValidation,
                  "`for_each` has " + std::to_string(items->size()) + " items; a run may have " +
                      std::to_string(state.settings.max_tasks_per_run) + " tasks");
  }
  const Ordinal ordinal = task.row.key.ordinal;
  const auto count = static_cast<std::uint32_t>(items->size());
  std::string text = boost::json::serialize(*items);
  if (text.size() > state.settings.max_list) {
    return refuse(model::error_type::kValidation, "the `for_each` list takes " + std::to_string(text.size()) +
                                                      " bytes as JSON; the limit is " +
                                                      std::to_string(state.settings.max_list));
  }
  effects.touch(run, ordinal);
  task.row.expanded = true;
  task.row.first_item = run.row.next_ordinal;
  task.row.item_count = count;
  task.row.started_at = moment.wall;
  start_task_clocks(run, task, moment);
  effects.record(run, {.kind = FactKind::task_expanded,
                       .at = moment.wall,
                       .task = ordinal,
                       .step = ordinal,
                       .number = count,
                       .other = std::to_string(task.row.first_item)});
  if (count == 0) return complete_task(state, run, task, moment, effects);
  task.row.has_input = true;
  task.items_open = count;
  effects.put(input_of(task.row.key), std::move(text));
  run.row.next_ordinal += count;
  run.row.counts.total += count - 1;
  const std::uint8_t priority = task.row.priority;
  const Ordinal first = task.row.first_item;
  run.tasks.resize(run.row.next_ordinal);  // `task` is void from here on
  for (std::uint32_t i = 0; i < count; ++i) {
    model::TaskRow& row = run.tasks[first + i].row;
    row.key = {run.row.key, first + i};
    row.step = ordinal;
    row.index = static_cast<std::int32_t>(i);
    row.priority = priority;
  }
  arm_clock(state, run, run.tasks[ordinal]);
  refill(state, run, run.tasks[ordinal]);
}

// What a switch answers: the number of its branch, and where that goes.
std::string choice(const Run& run, const model::TaskRow& row) {
  boost::json::array steps;
  if (row.branch >= 0) {
    for (const Ordinal step :
         (*run.program->step(row.step).branches)[static_cast<std::size_t>(row.branch)].go_to)
      steps.emplace_back(run.program->step(run.program->place(row.step, step)).name);
  }
  boost::json::object result;
  result["branch"] = row.branch >= 0 ? boost::json::value(row.branch) : boost::json::value();
  result["goto"] = std::move(steps);
  return boost::json::serialize(result);
}

// Values and choices: tasks that end where they start.
void compute(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  start_run(state, run, moment, effects);
  const auto refuse = [&](const Error& error) {
    fail_unstarted(state, run, task, {.type = model::error_type::kExpression, .message = error.message},
                   moment, effects);
  };
  model::Outcome outcome;
  if (run.program->step(task.row.step).kind == model::StepKind::switch_) {
    const auto branch = evaluate_branches(state, run, task);
    if (!branch) return refuse(branch.error());
    task.row.branch = *branch;
    outcome.result = choice(run, task.row);
  } else {
    auto body = render_body(state, run, task);
    if (!body) return refuse(body.error());
    outcome.result = boost::json::serialize(body->as_object()["action"]);
  }
  limit_result(state.settings, outcome);
  check_result(run, task, outcome);
  if (outcome.kind == model::Outcome::Kind::failed) {
    return fail_unstarted(state, run, task, outcome.failure, moment, effects);
  }
  effects.touch(run, task.row.key.ordinal);
  effects.put(result_of(task.row.key), std::move(outcome.result));
  task.row.has_result = true;
  task.row.attempts = task.row.group_attempts = 1;
  ++task.row.starts;
  task.row.ready_at = task.row.started_at = moment.wall;
  complete_task(state, run, task, moment, effects);
}

}  // namespace

void end_group(State& state, Run& run, Task& group, const Moment& moment, Effects& effects) {
  if (group.row.stop_reason == model::StopReason::deadline && !run.row.cancel_requested &&
      !run.row.timed_out) {
    fail_task(state, run, group, deadline_failure(run.program->step(group.row.step)), moment, effects);
  } else if (max_failures(run.program->step(group.row.step))
                 .exceeded_by(group.items_failed -
                                  (seeded_bug(Bug::one_more_failed_item) && group.items_failed > 0 ? 1 : 0),
                              group.row.item_count)) {
    fail_task(state, run, group, {.type = group.row.error_type, .message = items_failed_text(group)}, moment,
              effects);
  } else if (group.items_cancelled > 0) {
    cancel_task(state, run, group, moment, effects);
  } else {
    complete_task(state, run, group, moment, effects);
  }
}

bool has_failed(const model::TaskRow& row, const model::Step& step) {
  return row.status == TaskStatus::failed && !step.continue_on_error && !row.ignored;
}

void end_phase_if_over(State& state, Run& run, const Moment& moment, Effects& effects) {
  if (run.row.status == RunStatus::paused) return;  // resume comes back to it
  if (run.row.stage == model::RunStage::main) {
    if (run.open_main == 0) end_main_phase(state, run, moment, effects);
  } else if (run.row.stage == model::RunStage::finally) {
    if (run.open_finally == 0) next_stage(state, run, moment, effects);
  } else {
    go_on_with_stage(state, run);
  }
}

void activate(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  // What gives things back never waits for the tasks that wait for it.
  if (is_helper(task)) return enqueue(state, run, task, moment, effects);
  if (is_item(task)) ++run.tasks[task.row.step].items_active;
  join_queue(state, run, task, moment, effects);
}

void enter_queue(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (task.parked) unpark(run, task);
  leave_line(state, task);
  const std::uint32_t limit = run.program->workflow().max_parallel;
  if (limit > 0 && run.active >= limit + (seeded_bug(Bug::one_more_than_max_parallel) ? 1 : 0)) {
    park(run, task);
    run.parked.push_back(task.row.key.ordinal);
    return;
  }
  take_place(run, task);
  enqueue(state, run, task, moment, effects);
}

void start_again(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (is_helper(task) || !run.program->step(task.row.step).child) {
    return enqueue(state, run, task, moment, effects);
  }
  effects.touch(run, task.row.key.ordinal);
  task.row.held = false;
  task.row.due = {};
  push_ready(state, run, task.row.key.ordinal);
}

bool is_bad(const model::TaskRow& row, const model::Step& step) {
  switch (row.status) {
    case TaskStatus::failed:
      return has_failed(row, step);
    case TaskStatus::cancelled:
      return true;
    case TaskStatus::skipped:
      return row.skip_reason == model::SkipReason::upstream_failed ||
             row.skip_reason == model::SkipReason::fail_fast;
    default:
      return false;
  }
}

std::uint64_t partial_weight(const Run& run, const Task& task) {
  if (is_helper(task) || !model::has_attempt(task.row) || task.row.progress->percent <= 0) return 0;
  const std::uint64_t weight = run.program->weight(task.row.step);
  const std::uint64_t own = is_item(task) ? weight / run.tasks[task.row.step].row.item_count : weight;
  return own * static_cast<std::uint64_t>(task.row.progress->percent) / 100;
}

void update_progress(Run& run) {
  const std::uint64_t total = run.program->total_weight();
  __extension__ using Wide = unsigned __int128;
  run.row.progress =
      total == 0 ? 100 : static_cast<std::uint32_t>(Wide{run.done_weight + run.partial_weight} * 100 / total);
}

void note_failure(Run& run, const Task& task, const model::Step& step) {
  if (!run.row.error_type.empty()) return;
  run.row.error_type = step.finally ? model::error_type::kFinally : task.row.error_type;
  run.row.error_message = utf8_prefix(
      "step " + run.program->name(task.row.step) + ": " + task.row.error_message, model::kMessageLimit);
}

bool is_closing(const Run& run, const Task& task) {
  if (is_helper(task)) return false;  // they always run to their end
  if (run.program->step(task.row.step).finally) return is_item(task) && run.tasks[task.row.step].sweeping;
  return run.row.cancel_requested || run.row.timed_out || fails_fast(run) ||
         (is_item(task) && run.tasks[task.row.step].sweeping);
}

void take_place(Run& run, Task& task) {
  if (task.slot || is_helper(task)) return;  // what gives things back waits for no place
  task.slot = true;
  ++run.active;
}

void leave_place(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (!task.slot) return;
  task.slot = false;
  --run.active;
  fill(state, run, moment, effects);
}

void fill(State& state, Run& run, const Moment& moment, Effects& effects) {
  if (fill_places(state, run, moment, effects)) {
    state.work.push_back({WorkKind::fill, {run.row.key, kWholeRun}, 0});
  }
}

void start_run(State& state, Run& run, const Moment& moment, Effects& effects) {
  if (run.row.started_at.us != 0) return;
  effects.touch(run);
  run.row.started_at = moment.wall;
  // One that was paused before it started, and resumed, is running without having started.
  if (run.row.status != RunStatus::pending && run.row.status != RunStatus::running) return;
  set_status(run, RunStatus::running);
  start_run_clocks(state, run, moment);
  effects.record(run, {.kind = FactKind::run_started, .at = moment.wall});
}

void begin(State& state, Run& run) {
  for (const Ordinal i : run.program->steps()) {
    if (!run.program->step(i).finally && is_triggered(run, i)) push_ready(state, run, i);
  }
}

bool is_fallback_due(const model::TaskRow& row) {
  return row.status == TaskStatus::retrying && row.phase == model::Phase::fallback && !row.giving_back &&
         row.group_attempts + row.start_timeouts == 0;
}

namespace {

// Its definition says so, and it has not been recovered too often (SEMANTICS 57). Who had its endings dropped
// wants it to be over.
bool recovers_by_itself(const Run& run) {
  const model::Workflow& workflow = run.program->workflow();
  return workflow.auto_recovery && run.row.status == RunStatus::failed && !run.row.no_cleanup &&
         run.row.recovery_attempts < workflow.max_recovery_attempts;
}

}  // namespace

void end_run(State& state, Run& run, const Moment& moment, Effects& effects) {
  if (run.row.status == RunStatus::pending || run.row.status == RunStatus::running) {
    start_run(state, run, moment, effects);
  }
  // What its result is made of may have left memory; its end and that of the step that waits for it are one.
  Needs missing;
  add_result_needs(state, run, missing);
  if (!missing.empty()) {
    state.work.push_back({WorkKind::child, {run.row.key, kWholeRun}, 0});
    return;
  }
  RunStatus outcome = run.row.outcome;
  if (outcome == RunStatus::completed && run.finally_failed) outcome = RunStatus::failed;
  set_status(run, outcome);
  run.row.ended_at = moment.wall;
  clear_run_clock(state, run);
  if (outcome == RunStatus::completed) run.row.progress = 100;
  effects.record(run, {.kind = FactKind::run_ended,
                       .at = moment.wall,
                       .status = static_cast<std::uint8_t>(outcome),
                       .text = run.row.error_type});
  drop_pauses(state, run, true, effects);
  if (recovers_by_itself(run)) {
    const model::Workflow& workflow = run.program->workflow();
    begin_recovery(state, run, {.scope = model::Recovery::Scope::bad, .reason = "automatic"},
                   workflow.recovery_delay, "", moment, effects);
    return;
  }
  leave(state, run);
  forget_signals(state, run, effects);
  effects.act(model::RunEnded{run.row.key, outcome});
  state.ended.push_back(run.row.key);
  end_parent(state, run, moment, effects);
}

void advance(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  const std::optional<std::string> asked = stop_asking(state, run, task);
  if (is_fallback_due(task.row)) return start_fallback(state, run, task, moment, effects);
  if (is_child_due(run, task.row)) {
    if (is_closing(run, task)) return cancel_task(state, run, task, moment, effects);
    if (const auto blocker = blocker_of(state, run, task)) return block(state, task, *blocker);
    return begin_child(state, run, task, moment, effects);
  }
  if (task.row.status != TaskStatus::pending || task.row.expanded || task.parked) return;
  if (is_helper(task)) return advance_helper(state, run, task, moment, effects);
  const model::Step& step = run.program->step(task.row.step);
  if (step.finally && run.row.stage != model::RunStage::finally) return;  // its stage comes back to it
  if ((run.row.cancel_requested || run.row.timed_out) && !step.finally) {
    return cancel_task(state, run, task, moment, effects);
  }
  if (waits_for_place(run.row)) return;  // its turn comes back to it
  if (!is_item(task) && is_off_branch(run, task.row.step)) {
    return skip_task(state, run, task, model::SkipReason::branch, moment, effects);
  }
  const Trigger by = trigger(step.trigger_rule, task.upstream);
  if (by.kind == Trigger::Kind::wait) return;
  if (by.kind == Trigger::Kind::skip) {
    return skip_task(state, run, task, by.reason, moment, effects);
  }
  if (fails_fast(run) && !step.finally) {
    return skip_task(state, run, task, model::SkipReason::fail_fast, moment, effects);
  }
  if (is_closing(run, task)) return cancel_task(state, run, task, moment, effects);
  // It was ready and parked before a restart: what was recorded then holds (SEMANTICS 4).
  if (task.row.has_input && !step.child) return activate(state, run, task, moment, effects);
  const auto expression_failed = [&](const Error& error) {
    start_run(state, run, moment, effects);
    fail_unstarted(state, run, task, {.type = model::error_type::kExpression, .message = error.message},
                   moment, effects);
  };
  const auto code = run.program->code(task.row.step);
  if (!code) return expression_failed(code.error());
  // A condition that mentions the item is asked per item, any other once per step (SEMANTICS 5).
  const bool per_item = (*code)->before.item && !step.for_each.is_null();
  if (is_item(task) == per_item) {
    const auto holds = evaluate_when(state, run, task);
    if (!holds) return expression_failed(holds.error());
    if (!*holds) return skip_task(state, run, task, model::SkipReason::when, moment, effects);
  }
  if (!step.for_each.is_null() && !is_item(task)) return expand(state, run, task, moment, effects);

  if (step.queue.empty() && needs_worker(step)) {
    const std::string& queue = routed(state, run.program->workflow(), step);
    if (queue != task.row.flow->queue) {
      effects.touch(run, task.row.key.ordinal);
      task.row.flow.edit().queue = queue;
    }
  }
  switch (step.kind) {
    case model::StepKind::set:
    case model::StepKind::switch_:
    case model::StepKind::wait:
      // The engine does these itself, and asks the same predicate as the dispatcher.
      if (const auto blocker = blocker_of(state, run, task)) return block(state, task, *blocker);
      if (step.kind == model::StepKind::wait) return begin_wait(state, run, task, moment, effects);
      return compute(state, run, task, moment, effects);
    default:
      break;
  }
  if (step.child) {
    if (const auto blocker = blocker_of(state, run, task)) return block(state, task, *blocker);
  }
  if (step.flow && !step.flow->is_constant) {
    auto flow = render_flow(state, run, task);
    if (!flow) return expression_failed(flow.error());
    flow->queue = task.row.flow->queue;
    if (*flow != *task.row.flow) {
      effects.touch(run, task.row.key.ordinal);
      task.row.flow.edit() = std::move(*flow);
    }
  }
  if (step.cache) {
    const auto answer = ask_cache(state, run, task, asked, moment, effects);
    if (!answer) return expression_failed(answer.error());
    if (*answer != CacheAnswer::miss) return;
  }
  if (!(*code)->body.is_constant() && !task.row.has_input) {
    auto body = render_body(state, run, task);
    if (!body) return expression_failed(body.error());
    effects.touch(run, task.row.key.ordinal);
    effects.put(input_of(task.row.key), boost::json::serialize(*body));
    task.row.has_input = true;
  }
  if (step.child) return begin_child(state, run, task, moment, effects);
  if (step.preflight) {
    if (const Status begun = begin_preflight(state, run, task, effects); !begun) {
      return expression_failed({begun.error().code, "`preflight`: " + begun.error().message, ""});
    }
  }
  activate(state, run, task, moment, effects);
}

namespace {

// Whether as many items of a mapped step are on their way as may be. Child runs stand in no queue: they count
// as long as they last.
bool is_full(const State& state, const Run& run, const Task& group) {
  if (group.items_asking >= kMostAsking) return true;
  const model::Step& step = run.program->step(group.row.step);
  if (step.max_parallel > 0) return group.items_active + group.items_asking >= step.max_parallel;
  return (step.child ? group.items_active : group.items_waiting) + group.items_asking >=
         state.settings.item_window;
}

}  // namespace

void refill(State& state, Run& run, Task& group) {
  if (group.sweeping || group.next_item >= group.row.item_count) return;
  if (is_full(state, run, group)) return;
  if (group.refill_pending) return;
  group.refill_pending = true;
  state.work.push_back({WorkKind::expand, group.row.key, 0});
}

void expand_items(State& state, Run& run, Task& group_task, const Moment& moment, Effects& effects,
                  std::size_t row_limit) {
  const Ordinal ordinal = group_task.row.key.ordinal;
  group_task.refill_pending = false;
  for (;;) {
    Task& group = run.tasks[ordinal];
    if (group.sweeping || group.next_item >= group.row.item_count || model::is_terminal(group.row.status))
      return;
    if (is_full(state, run, group)) return;
    Task& item = run.tasks[group.row.first_item + group.next_item];
    // It kept its result, or came here before.
    if (item.row.status != TaskStatus::pending || item.parked || item.asking) {
      ++group.next_item;
      continue;
    }
    Needs missing;
    add_needs(state, run, item, missing);
    if (effects.rows() >= row_limit || !missing.empty()) {
      refill(state, run, group);
      return;
    }
    ++group.next_item;
    advance(state, run, item, moment, effects);
  }
}

void complete_task(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  task.row.error_type.clear();
  task.row.error_message.clear();
  task.row.error_exit_code.reset();
  task.row.error_status.reset();
  finish(state, run, task, TaskStatus::completed, moment, effects);
}

void fail_task(State& state, Run& run, Task& task, const model::Failure& failure, const Moment& moment,
               Effects& effects) {
  set_error(task.row, failure);
  const model::Step& step = run.program->step(task.row.step);
  // Of a mapped step, one alert is enough.
  if (!is_item(task) && !is_helper(task) && step.failure && step.failure->critical && !task.row.ignored) {
    raise_alert(run, task, model::Severity::critical, failure, moment, effects);
  }
  finish(state, run, task, TaskStatus::failed, moment, effects);
}

void set_error(model::TaskRow& row, const model::Failure& failure) {
  row.error_type = failure.type;
  row.error_message = utf8_prefix(failure.message, model::kMessageLimit);
  row.error_exit_code = failure.exit_code;
  row.error_status = failure.status;
}

void raise_alert(Run& run, const Task& task, model::Severity severity, const model::Failure& failure,
                 const Moment& moment, Effects& effects) {
  if (severity == model::Severity::none) return;
  effects.record(run, {.kind = FactKind::alert_raised,
                       .at = moment.wall,
                       .task = task.row.key.ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .attempt = task.row.starts,
                       .status = static_cast<std::uint8_t>(severity),
                       .text = failure.type,
                       .other = std::string(utf8_prefix(failure.message, model::kMessageLimit))});
}

void skip_task(State& state, Run& run, Task& task, model::SkipReason reason, const Moment& moment,
               Effects& effects) {
  task.row.skip_reason = reason;
  finish(state, run, task, TaskStatus::skipped, moment, effects);
}

void cancel_task(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  finish(state, run, task, TaskStatus::cancelled, moment, effects);
}

void time_out_run(State& state, Run& run, const Moment& moment, Effects& effects) {
  const Duration deadline = *run.program->workflow().deadline;
  effects.touch(run);
  run.row.timed_out = true;
  if (run.row.error_type.empty()) {
    run.row.error_type = model::error_type::kTimeout;
    run.row.error_message = "the deadline of the run (" + to_string(deadline) + ") is over";
  }
  effects.record(run, {.kind = FactKind::run_timed_out, .at = moment.wall, .number = deadline.us});
  state.work.push_back({WorkKind::sweep, {run.row.key, kWholeRun}, 0});
}

void count_upstream(Run& run, Ordinal step) {
  Upstream& upstream = run.tasks[step].upstream;
  run.program->each_need(step, [&](Ordinal before) {
    const model::TaskRow& row = run.tasks[before].row;
    if (model::is_terminal(row.status)) {
      count_end(upstream, row, run.program->step(before));
    } else {
      ++upstream.waiting;
    }
  });
}

void stop_attempt(State& state, Run& run, Task& task, model::Stopping mode, model::StopReason reason,
                  const Moment& moment, Effects& effects) {
  if (!model::has_attempt(task.row)) return;
  // A cancel overrules all others, a deadline the timeouts, also of an attempt that is being stopped already:
  // the task is not to be retried.
  if (weight(reason) > weight(task.row.stop_reason)) {
    effects.touch(run, task.row.key.ordinal);
    task.row.stop_reason = reason;
  }
  if (task.row.stopping >= mode) return;
  effects.touch(run, task.row.key.ordinal);
  task.row.stopping = mode;
  effects.record(run, {.kind = FactKind::attempt_stopping,
                       .at = moment.wall,
                       .task = task.row.key.ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .attempt = task.row.starts,
                       .text = mode == model::Stopping::soft ? "soft" : "hard",
                       .other = std::string(name(reason))});
  effects.act(model::StopAttempt{task.row.worker, task.row.token, mode});
  if (mode == model::Stopping::hard) {
    clear_timer(state, task);
    return;
  }
  // A poll is also stopped because its wait has lasted too long, with or without a timeout of its own.
  const auto& timeout = run.program->action(task.row).timeout;
  const bool own = reason == model::StopReason::timeout && timeout && timeout->soft.us > 0 &&
                   task.row.attempt_started + timeout->soft <= moment.now;
  task.row.due = own ? task.row.attempt_started + timeout->hard : moment.now + state.settings.cancel_grace;
  set_timer(state, task, task.row.due);
}

bool sweep(State& state, Work& work, const Moment& moment, Effects& effects, std::size_t row_limit) {
  Run* run = state.find(work.task.run);
  if (run == nullptr || model::is_terminal(run->row.status)) return false;
  // What a recovery resets is not to be stopped for what made the earlier generation stop.
  if (run->row.recovery.scope != model::Recovery::Scope::none && !run->row.cancel_requested) return false;
  const bool whole = work.task.ordinal == kWholeRun;
  const Ordinal first = whole ? 0 : run->tasks[work.task.ordinal].row.first_item;
  const auto end =
      whole ? static_cast<Ordinal>(run->tasks.size()) : first + run->tasks[work.task.ordinal].row.item_count;
  const bool by_deadline =
      !whole && run->tasks[work.task.ordinal].row.stop_reason == model::StopReason::deadline;
  for (; first + work.cursor < end; ++work.cursor) {
    if (effects.rows() >= row_limit) return true;
    Task& task = run->tasks[first + work.cursor];
    if (model::is_terminal(task.row.status) || task.row.expanded) {
      // What it began was asked to stop, and is to stop at once now.
      const bool harder = whole && run->row.terminate && model::is_terminal(task.row.status);
      if (harder && run->program->step(task.row.step).child && !is_helper(task))
        leave_child(state, *run, task, moment, effects);
      continue;
    }
    if (is_helper(task)) {
      if (!whole || !run->row.no_cleanup) continue;
    } else if (whole && run->program->step(task.row.step).finally) {
      continue;
    }
    const bool begun = task.row.status == TaskStatus::running && run->program->step(task.row.step).child;
    if (begun && !whole && !by_deadline) continue;  // as an attempt: it may finish
    if (model::has_attempt(task.row)) {
      // One failed item lets its running siblings finish (SEMANTICS 30), a deadline does not.
      if (whole || by_deadline) {
        // What serves another task has none: it is dropped.
        const bool deadline =
            !is_helper(task) && (by_deadline || (run->row.timed_out && !run->row.cancel_requested));
        stop_attempt(state, *run, task, run->row.terminate ? model::Stopping::hard : model::Stopping::soft,
                     deadline ? model::StopReason::deadline : model::StopReason::cancelled, moment, effects);
      }
    } else if (whole && !run->row.cancel_requested && !run->row.timed_out &&
               task.row.status == TaskStatus::pending) {
      skip_task(state, *run, task, model::SkipReason::fail_fast, moment, effects);
    } else {
      cancel_task(state, *run, task, moment, effects);
    }
  }
  return false;
}

}  // namespace baton::engine
