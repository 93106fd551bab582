#include "engine/attempts.hpp"

#include <algorithm>

#include "base/duration.hpp"
#include "base/seeded_bug.hpp"
#include "base/text.hpp"
#include "engine/breakers.hpp"
#include "engine/caching.hpp"
#include "engine/deadlines.hpp"
#include "engine/dispatch.hpp"
#include "engine/endings.hpp"
#include "engine/failure.hpp"
#include "engine/flow.hpp"
#include "engine/limits.hpp"
#include "engine/phases.hpp"
#include "engine/rounds.hpp"
#include "engine/stopping.hpp"
#include "engine/timers.hpp"
#include "engine/waiting.hpp"

namespace baton::engine {
namespace {

using model::AttemptEnd;
using model::TaskStatus;

constexpr std::size_t kTypeLimit = 128;  // bytes of an error type

// What a handler says about its failure is foreign text: expressions and answers take UTF-8 of bounded
// length.
std::string clean(std::string_view text, std::size_t limit) {
  const std::string_view head = text.substr(0, limit);
  if (is_utf8(head)) return std::string(head);
  return std::string(utf8_prefix(to_utf8(head), limit));
}

// Whether somebody can see what a failed attempt left (SEMANTICS 6).
bool shows_partial_result(const Run& run, const Task& task) {
  const model::Step& step = run.program->step(task.row.step);
  return !is_helper(task) && (step.endings != nullptr || step.fallback != nullptr);
}

// Closes the attempt's record and takes it from its worker.
void close(State& state, Run& run, Task& task, AttemptEnd end, const model::Failure& failure,
           const Moment& moment, Effects& effects) {
  const Ordinal ordinal = task.row.key.ordinal;
  effects.touch(run, ordinal);
  if (!task.row.history.empty()) {
    model::AttemptRecord& record = task.row.history.back();
    record.end = end;
    record.ended_at = moment.wall;
    record.error_type = failure.type;
    record.error_message = utf8_prefix(failure.message, model::kMessageLimit);
    record.exit_code = failure.exit_code;
    record.status = failure.status;
  }
  effects.record(run, {.kind = model::FactKind::attempt_ended,
                       .at = moment.wall,
                       .task = ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .attempt = task.row.starts,
                       .text = std::string(name(end)),
                       .other = failure.type});
  give_limits_back(state, run, task);
  if (const std::uint64_t partial = partial_weight(run, task); partial > 0) {
    run.partial_weight -= partial;
    update_progress(run);
  }
  if (!is_helper(task)) {
    note_end(state, run, task, end, failure, moment, effects);
    if (!is_wait(run, task.row)) --run.row.counts.running;
  }
  if (const auto worker = state.workers.find(task.row.worker); worker != state.workers.end()) {
    worker->second.attempts.erase(task.row.token);
  }
  task.row.token = {};
  clear_timer(state, task);
}

bool is_cancelled(const Run& run, const Task& task) {
  if (task.row.stop_reason == model::StopReason::cancelled) return true;
  return (run.row.cancel_requested || run.row.timed_out) && !is_helper(task) &&
         !run.program->step(task.row.step).finally;
}

model::Failure error_of(const model::TaskRow& row) {
  return {.type = row.error_type,
          .message = row.error_message,
          .exit_code = row.error_exit_code,
          .status = row.error_status};
}

// An attempt that was stopped failed for that reason, whatever it says itself.
void name_stop(const Run& run, const Task& task, model::Failure& failure) {
  const auto& timeout = run.program->action(task.row).timeout;
  const std::string own = failure.message.empty() ? "" : "; " + failure.message;
  switch (task.row.stop_reason) {
    case model::StopReason::timeout:
      failure.type = model::error_type::kTimeout;
      failure.message =
          "ran out of time" + (timeout ? " (" + to_string(timeout->soft) + ")" : std::string()) + own;
      break;
    case model::StopReason::heartbeat:
      failure.type = model::error_type::kHeartbeat;
      failure.message = "gave no sign of life for " + to_string(timeout->heartbeat) + own;
      break;
    case model::StopReason::deadline: {
      failure = deadline_failure(run.program->step(task.row.step));
      failure.message += own;
      break;
    }
    default:
      break;
  }
}

// A queued task does not wait for a worker any more, but for something else.
void wait_elsewhere(State& state, Run& run, Task& task) {
  if (task.row.status == TaskStatus::queued) leave_queue(state, run, task);
  task.row.status = TaskStatus::retrying;
}

void retry_later(State& state, Run& run, Task& task, const Verdict& verdict, const model::Failure& failure,
                 const Moment& moment, Effects& effects) {
  effects.touch(run, task.row.key.ordinal);
  if (!is_helper(task)) ++run.row.retries;
  wait_elsewhere(state, run, task);
  task.row.last_delay = verdict.backoff;
  task.row.due = moment.now + (seeded_bug(Bug::retry_too_early) ? Duration{} : verdict.delay);
  set_error(task.row, failure);
  set_timer(state, task, task.row.due);
  effects.record(run, {.kind = model::FactKind::task_retrying,
                       .at = moment.wall,
                       .task = task.row.key.ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .attempt = task.row.starts,
                       .number = verdict.delay.us});
  arm_clock(state, run, task);
}

void hold(State& state, Run& run, Task& task, const model::Failure& failure, const Moment& moment,
          Effects& effects) {
  effects.touch(run, task.row.key.ordinal);
  wait_elsewhere(state, run, task);
  task.row.held = true;
  task.row.due = {};
  set_error(task.row, failure);
  effects.record(run, {.kind = model::FactKind::task_held,
                       .at = moment.wall,
                       .task = task.row.key.ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .attempt = task.row.starts,
                       .text = task.row.error_type,
                       .other = task.row.error_message});
  arm_clock(state, run, task);
}

Circumstances circumstances_of(const Run& run, const Task& task) {
  const model::Workflow& workflow = run.program->workflow();
  Circumstances c;
  c.retry = run.program->action(task.row).retry.get();
  c.attempts = task.row.group_attempts + task.row.start_timeouts;
  if (seeded_bug(Bug::one_attempt_too_many) && c.attempts > 0) --c.attempts;
  c.last_delay = task.row.last_delay;
  if (workflow.retry_budget && !is_helper(task) && !seeded_bug(Bug::retry_budget_ignored))
    c.retries_left = *workflow.retry_budget - std::min(*workflow.retry_budget, run.row.retries);
  c.has_fallback = !is_helper(task) && run.program->step(task.row.step).fallback != nullptr &&
                   task.row.phase != model::Phase::fallback;
  c.over = is_closing(run, task) || task.row.stop_reason == model::StopReason::deadline;
  return c;
}

// The fallback has its own attempts. Its values are rendered as soon as what they look at is loaded.
void begin_fallback(State& state, Run& run, Task& task, const model::Failure& failure, const Moment& moment,
                    Effects& effects) {
  effects.touch(run, task.row.key.ordinal);
  set_error(task.row, failure);
  wait_elsewhere(state, run, task);
  task.row.phase = model::Phase::fallback;
  task.row.group_attempts = 0;
  task.row.start_timeouts = 0;
  task.row.last_delay = {};
  task.row.due = {};
  effects.record(run, {.kind = model::FactKind::task_fallback,
                       .at = moment.wall,
                       .task = task.row.key.ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .attempt = task.row.starts,
                       .text = task.row.error_type,
                       .other = task.row.error_message});
  arm_clock(state, run, task);
  state.work.push_back({WorkKind::ready, task.row.key, 0});
}

// All is well: the step's own attempts follow. The preflight was none of them.
void end_preflight(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  effects.touch(run, task.row.key.ordinal);
  --task.row.attempts;
  task.row.phase = model::Phase::primary;
  task.row.group_attempts = 0;
  task.row.start_timeouts = 0;
  task.row.last_delay = {};
  effects.record(run, {.kind = model::FactKind::task_checked,
                       .at = moment.wall,
                       .task = task.row.key.ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .attempt = task.row.starts});
  // Meanwhile its run was cancelled, or its mapped step has failed: the sweep has passed it by.
  if (is_closing(run, task)) return cancel_task(state, run, task, moment, effects);
  if (task.row.stop_reason == model::StopReason::deadline) {
    return fail_attempt(state, run, task, deadline_failure(run.program->step(task.row.step)), moment,
                        effects);
  }
  enqueue(state, run, task, moment, effects);
}

// A fallback's failures are its own: no rule looks at them, and the error of the task stays the one that it
// was begun for (SEMANTICS 20).
void fail_fallback(State& state, Run& run, Task& task, const model::Failure& failure, const Moment& moment,
                   Effects& effects) {
  Random random(moment.seed);
  const Verdict verdict = judge(nullptr, circumstances_of(run, task), failure, random);
  const model::Failure primary = error_of(task.row);
  if (verdict.kind == Verdict::Kind::retry) {
    return retry_later(state, run, task, verdict, primary, moment, effects);
  }
  fail_task(state, run, task, primary, moment, effects);
}

void apply(State& state, Run& run, Task& task, const Verdict& verdict, const model::Failure& failure,
           const Moment& moment, Effects& effects) {
  raise_alert(run, task, verdict.alert, failure, moment, effects);
  switch (verdict.kind) {
    case Verdict::Kind::retry:
      return retry_later(state, run, task, verdict, failure, moment, effects);
    case Verdict::Kind::hold:
      return hold(state, run, task, failure, moment, effects);
    case Verdict::Kind::ignore:
      task.row.ignored = true;
      break;
    case Verdict::Kind::fallback:
      return begin_fallback(state, run, task, failure, moment, effects);
    case Verdict::Kind::fail:
      break;
  }
  fail_task(state, run, task, failure, moment, effects);
}

void fail_by_rules(State& state, Run& run, Task& task, const Circumstances& circumstances,
                   const model::Failure& failure, const Moment& moment, Effects& effects) {
  Random random(moment.seed);
  // The rules are about the step itself, not about what serves it.
  const model::ErrorRule* rule = is_helper(task) ? nullptr : run.program->rule_for(task.row.step, failure);
  Verdict verdict = judge(rule, circumstances, failure, random);
  // A wait is neither retried nor held: there is nothing of its own to do again. A child run can be.
  if (is_wait(run, task.row) && !run.program->step(task.row.step).child &&
      verdict.kind != Verdict::Kind::ignore) {
    verdict.kind = Verdict::Kind::fail;
  }
  apply(state, run, task, verdict, failure, moment, effects);
}

}  // namespace

void limit_result(const Settings& settings, model::Outcome& outcome) {
  if (outcome.result.size() <= settings.max_result) return;
  if (outcome.kind != model::Outcome::Kind::completed) {
    outcome.result.clear();  // a partial result
    return;
  }
  outcome.kind = model::Outcome::Kind::failed;
  outcome.failure = {.type = model::error_type::kValidation,
                     .message = "the result has " + std::to_string(outcome.result.size()) +
                                " bytes; the limit is " + std::to_string(settings.max_result),
                     .never_retry = true};
  outcome.result.clear();
}

void check_result(const Run& run, const Task& task, model::Phase phase, model::Outcome& outcome) {
  if (outcome.kind != model::Outcome::Kind::completed || is_helper(task)) return;
  if (phase == model::Phase::poll || phase == model::Phase::preflight) return;
  const schema::Schema* schema = run.program->result_schema(task.row.step);
  if (schema == nullptr) return;
  auto problem = result_problem(*schema, outcome.result.empty() ? "null" : outcome.result);
  if (!problem) return;
  outcome.kind = model::Outcome::Kind::failed;
  outcome.failure = {.type = model::error_type::kValidation, .message = std::move(*problem)};
  outcome.result.clear();
}

model::Failure deadline_failure(const model::Step& step) {
  return {.type = model::error_type::kTimeout,
          .message = "the deadline of the step (" + to_string(*step.failure->deadline) + ") is over"};
}

void fail_attempt(State& state, Run& run, Task& task, const model::Failure& failure, const Moment& moment,
                  Effects& effects) {
  if (task.row.phase == model::Phase::fallback) {
    return fail_fallback(state, run, task, failure, moment, effects);
  }
  fail_by_rules(state, run, task, circumstances_of(run, task), failure, moment, effects);
}

void fail_unstarted(State& state, Run& run, Task& task, const model::Failure& failure, const Moment& moment,
                    Effects& effects) {
  fail_by_rules(state, run, task, {.over = true}, failure, moment, effects);
}

void settle(State& state, Run& run, Task& task, model::Outcome outcome, const Moment& moment,
            Effects& effects) {
  if (outcome.kind == model::Outcome::Kind::interrupted) {
    lose(state, run, task, AttemptEnd::interrupted, moment, effects);
    return;
  }
  check_result(run, task, task.row.phase, outcome);
  if (outcome.kind == model::Outcome::Kind::completed) {
    close(state, run, task, AttemptEnd::completed, {}, moment, effects);
    std::string result = outcome.result.empty() ? "null" : std::move(outcome.result);
    if (task.row.phase == model::Phase::preflight) return end_preflight(state, run, task, moment, effects);
    if (task.row.phase == model::Phase::poll)
      return end_poll(state, run, task, std::move(result), moment, effects);
    if (is_repeated(run, task.row) && task.row.phase == model::Phase::primary) {
      return end_round(state, run, task, std::move(result), moment, effects);
    }
    keep_result(run, task, result, moment, effects);
    effects.put(result_of(task.row.key), std::move(result));
    task.row.has_result = true;
    if (task.row.phase == model::Phase::fallback) task.row.via = model::Via::fallback;
    complete_task(state, run, task, moment, effects);
    return;
  }
  model::Failure& failure = outcome.failure;
  failure.type = clean(failure.type, kTypeLimit);
  failure.message = clean(failure.message, model::kMessageLimit);
  if (!outcome.result.empty() && shows_partial_result(run, task)) {
    effects.touch(run, task.row.key.ordinal);
    effects.put(result_of(task.row.key), std::move(outcome.result));
    task.row.has_result = true;
  }
  if (is_cancelled(run, task)) {
    failure.type = model::error_type::kCancelled;
    close(state, run, task, AttemptEnd::cancelled, failure, moment, effects);
    cancel_task(state, run, task, moment, effects);
    return;
  }
  name_stop(run, task, failure);
  if (task.row.phase == model::Phase::preflight) {
    failure.message = utf8_prefix("preflight: " + failure.message, model::kMessageLimit);
  }
  close(state, run, task, AttemptEnd::failed, failure, moment, effects);
  if (is_wait(run, task.row)) return fail_poll(state, run, task, failure, moment, effects);
  fail_attempt(state, run, task, failure, moment, effects);
}

void lose(State& state, Run& run, Task& task, AttemptEnd end, const Moment& moment, Effects& effects) {
  const bool lost = end == AttemptEnd::lost;
  const std::string worker = task.row.worker;
  model::Failure failure;
  if (end != AttemptEnd::released) {
    failure.type = lost ? model::error_type::kLost : model::error_type::kInterrupted;
    failure.message = lost ? "worker " + worker + " died or lost its lease" : "the server stopped under it";
  }
  close(state, run, task, end, failure, moment, effects);
  if (!seeded_bug(Bug::lost_attempt_counts)) {
    --task.row.attempts;
    --task.row.group_attempts;
  }
  if (end == AttemptEnd::lost) ++task.row.lost;
  if (end == AttemptEnd::interrupted) ++task.row.interrupted;
  if (is_cancelled(run, task) || is_closing(run, task)) {
    cancel_task(state, run, task, moment, effects);
    return;
  }
  // It was being stopped since the deadline of its step is over: then it was the last one.
  if (task.row.stop_reason == model::StopReason::deadline) {
    failure = deadline_failure(run.program->step(task.row.step));
    if (is_wait(run, task.row)) return fail_poll(state, run, task, failure, moment, effects);
    return fail_attempt(state, run, task, failure, moment, effects);
  }
  if ((lost && task.row.lost >= state.settings.max_losses) ||
      (end == AttemptEnd::interrupted && task.row.interrupted >= state.settings.max_interruptions)) {
    const std::string times = std::to_string(lost ? task.row.lost : task.row.interrupted);
    return fail_attempt(state, run, task,
                        {.type = model::error_type::kQuarantined,
                         .message = lost ? "its worker died " + times + " times, the last one was " + worker
                                         : "the server stopped under it " + times + " times"},
                        moment, effects);
  }
  if (is_wait(run, task.row)) {
    if (has_to_give_back(state, run, task)) {
      give_back_first(state, run, task, moment, effects);
    } else {
      queue_poll(state, run, task, effects);
    }
    set_wait_timer(state, run, task, moment);
    return;
  }
  // An attempt that may have done half of its work is not repeated if a rule says so.
  const model::ErrorRule* rule =
      end == AttemptEnd::released || is_helper(task) || task.row.phase == model::Phase::fallback
          ? nullptr
          : run.program->rule_for(task.row.step, failure);
  if (rule != nullptr && rule->action != model::ErrorAction::retry) {
    return fail_attempt(state, run, task, failure, moment, effects);
  }
  if (rule != nullptr) raise_alert(run, task, rule->alert, failure, moment, effects);
  enqueue(state, run, task, moment, effects);
}

void lose_worker(State& state, const std::string& name, const Moment& moment, Effects& effects) {
  const auto found = state.workers.find(name);
  if (found == state.workers.end()) return;
  std::erase_if(state.claims, [&](const Claim& claim) {
    if (claim.worker != name) return false;
    state.timers.erase({claim.until, TimerKind::claim, {}, name});
    effects.reply(claim.reply_to, model::Claimed{});
    return true;
  });
  state.timers.erase({found->second.lease, TimerKind::lease, {}, name});
  const bool in_process = found->second.in_process;
  const std::map<Token, Worker::Held> attempts = std::move(found->second.attempts);
  state.workers.erase(found);
  for (const auto& [token, held] : attempts) {
    Run* run = state.find(held.task.run);
    if (run == nullptr) continue;
    Task& task = run->tasks[held.task.ordinal];
    if (!has_attempt(task.row) || task.row.token != token) continue;
    lose(state, *run, task, in_process ? AttemptEnd::interrupted : AttemptEnd::lost, moment, effects);
  }
}

Task* holder(State& state, const Token& token, const TaskId& id, Run*& run) {
  run = state.find(id.run.key());
  if (run == nullptr || run->row.id != id.run || id.ordinal >= run->tasks.size()) return nullptr;
  Task& task = run->tasks[id.ordinal];
  if (seeded_bug(Bug::no_token_check) && has_attempt(task.row)) return &task;
  return has_attempt(task.row) && task.row.token == token ? &task : nullptr;
}

Error stale(const Token& token, const TaskId& task) {
  return {ErrorCode::stale_token,
          "token " + token.text() + " does not hold task " + task.text() + " (any more); nothing was changed",
          task.text()};
}

}  // namespace baton::engine
