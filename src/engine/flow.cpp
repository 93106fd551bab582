#include "engine/flow.hpp"

#include <boost/json/serialize.hpp>
#include <optional>
#include <string>

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
#include "engine/items.hpp"
#include "engine/phases.hpp"
#include "engine/places.hpp"
#include "engine/queues.hpp"
#include "engine/rendering.hpp"
#include "engine/run_limits.hpp"
#include "engine/stopping.hpp"
#include "engine/timers.hpp"
#include "engine/trigger.hpp"
#include "engine/waiting.hpp"

namespace baton::engine {
namespace {

using model::FactKind;
using model::TaskStatus;

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

// Has to be undone if its run does not complete.
bool is_undoable(const Run& run, const Task& task) {
  const model::Step& step = run.program->step(task.row.step);
  return !is_helper(task) && !task.row.expanded && step.endings && step.endings->compensate &&
         task.row.via != model::Via::cache;  // then nothing was done that could be undone
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
  check_result(run, task, task.row.phase, outcome);
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

bool has_failed(const model::TaskRow& row, const model::Step& step) {
  return row.status == TaskStatus::failed && !step.continue_on_error && !row.ignored;
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

void begin(State& state, Run& run) {
  for (const Ordinal i : run.program->steps()) {
    if (!run.program->step(i).finally && is_triggered(run, i)) push_ready(state, run, i);
  }
}

void push_ready(State& state, const Run& run, Ordinal ordinal) {
  state.work.push_back({WorkKind::ready, {run.row.key, ordinal}, 0});
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
  // What the generation before made is given back first; the end of that comes back to it.
  if (task.helpers > 0) return;
  if (is_item(task) && passes_over(state, run, task)) return;
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
  if ((*code)->when && is_item(task) == per_item && !task.row.when_held) {
    const auto holds = evaluate_when(state, run, task);
    if (!holds) return expression_failed(holds.error());
    if (!*holds) return skip_task(state, run, task, model::SkipReason::when, moment, effects);
    // What holds it back from here on does not have it asked again (SEMANTICS 4).
    effects.touch(run, task.row.key.ordinal);
    task.row.when_held = true;
  }
  if (!step.for_each.is_null() && !is_item(task)) {
    // Its list is made when it begins, and that is when the run goes on.
    if (run.row.status == model::RunStatus::paused)
      return block(state, task, model::Blocker::run_paused(run.row.key));
    return expand(state, run, task, moment, effects);
  }

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

bool is_fallback_due(const model::TaskRow& row) {
  return row.status == TaskStatus::retrying && row.phase == model::Phase::fallback && !row.giving_back &&
         row.group_attempts + row.start_timeouts == 0;
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

}  // namespace baton::engine
