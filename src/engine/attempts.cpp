#include "engine/attempts.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "engine/dispatch.hpp"
#include "engine/flow.hpp"
#include "engine/retry.hpp"
#include "engine/timers.hpp"

namespace baton::engine {
namespace {

using model::AttemptEnd;
using model::TaskStatus;

constexpr Duration kMaxRetryAfter = Duration::hours(1);
constexpr std::size_t kTypeLimit = 128;  // bytes of an error type

// What a handler says about its failure is foreign text: expressions and answers take UTF-8 of bounded
// length.
std::string clean(std::string_view text, std::size_t limit) {
  const std::string_view head = text.substr(0, limit);
  if (is_utf8(head)) return std::string(head);
  return std::string(utf8_prefix(to_utf8(head), limit));
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
  }
  effects.record(run, {.kind = model::FactKind::attempt_ended,
                       .at = moment.wall,
                       .task = ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .attempt = task.row.starts,
                       .text = std::string(name(end)),
                       .other = failure.type});
  --run.row.counts.running;
  if (const auto worker = state.workers.find(task.row.worker); worker != state.workers.end()) {
    worker->second.attempts.erase(task.row.token);
  }
  clear_timer(state, task);
}

bool is_cancelled(const Run& run, const Task& task) {
  return task.row.stop_reason == model::StopReason::cancelled ||
         (run.row.cancel_requested && !run.program->step(task.row.step).finally);
}

void retry_or_fail(State& state, Run& run, Task& task, const model::Failure& failure, const Moment& moment,
                   Effects& effects) {
  const auto& retry = run.program->action(task.row).retry;
  if (!retry || task.row.group_attempts >= retry->max_attempts || !is_retryable(failure) ||
      is_closing(run, task)) {
    fail_task(state, run, task, failure, moment, effects);
    return;
  }
  Random random(moment.seed);
  const Duration backoff = retry_delay(*retry, task.row.group_attempts, task.row.last_delay, random);
  const Duration wish = std::min(failure.retry_after.value_or(Duration{}), kMaxRetryAfter);
  const Duration delay = std::max(backoff, wish);
  task.row.status = TaskStatus::retrying;
  task.row.last_delay = backoff;
  task.row.due = moment.now + delay;
  task.row.error_type = failure.type;
  task.row.error_message = utf8_prefix(failure.message, model::kMessageLimit);
  set_timer(state, task, task.row.due);
  effects.record(run, {.kind = model::FactKind::task_retrying,
                       .at = moment.wall,
                       .task = task.row.key.ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .attempt = task.row.starts,
                       .number = delay.us});
}

}  // namespace

void limit_result(const Settings& settings, model::Outcome& outcome) {
  if (outcome.kind != model::Outcome::Kind::completed || outcome.result.size() <= settings.max_result) return;
  outcome.kind = model::Outcome::Kind::failed;
  outcome.failure = {.type = model::error_type::kValidation,
                     .message = "the result has " + std::to_string(outcome.result.size()) +
                                " bytes; the limit is " + std::to_string(settings.max_result),
                     .never_retry = true};
  outcome.result.clear();
}

void settle(State& state, Run& run, Task& task, model::Outcome outcome, const Moment& moment,
            Effects& effects) {
  if (outcome.kind == model::Outcome::Kind::interrupted) {
    lose(state, run, task, AttemptEnd::interrupted, moment, effects);
    return;
  }
  if (outcome.kind == model::Outcome::Kind::completed) {
    close(state, run, task, AttemptEnd::completed, {}, moment, effects);
    effects.put(result_of(task.row.key), outcome.result.empty() ? "null" : std::move(outcome.result));
    task.row.has_result = true;
    complete_task(state, run, task, moment, effects);
    return;
  }
  model::Failure& failure = outcome.failure;
  failure.type = clean(failure.type, kTypeLimit);
  failure.message = clean(failure.message, model::kMessageLimit);
  if (is_cancelled(run, task)) {
    failure.type = model::error_type::kCancelled;
    close(state, run, task, AttemptEnd::cancelled, failure, moment, effects);
    cancel_task(state, run, task, moment, effects);
    return;
  }
  if (task.row.stop_reason == model::StopReason::timeout) {
    const auto& timeout = run.program->action(task.row).timeout;
    failure.type = model::error_type::kTimeout;
    failure.message =
        "ran out of time (" + std::to_string(timeout->soft.us / 1000) + " ms); " + failure.message;
  }
  close(state, run, task, AttemptEnd::failed, failure, moment, effects);
  retry_or_fail(state, run, task, failure, moment, effects);
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
  --task.row.attempts;
  --task.row.group_attempts;
  if (end == AttemptEnd::lost) ++task.row.lost;
  if (end == AttemptEnd::interrupted) ++task.row.interrupted;
  if (is_cancelled(run, task) || is_closing(run, task)) {
    cancel_task(state, run, task, moment, effects);
    return;
  }
  if (task.row.lost >= state.settings.max_losses ||
      task.row.interrupted >= state.settings.max_interruptions) {
    const std::string times = std::to_string(lost ? task.row.lost : task.row.interrupted);
    fail_task(state, run, task,
              {.type = "quarantined",
               .message = lost ? "its worker died " + times + " times, the last one was " + worker
                               : "the server stopped under it " + times + " times"},
              moment, effects);
    return;
  }
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
  const std::map<Token, TaskKey> attempts = std::move(found->second.attempts);
  state.workers.erase(found);
  for (const auto& [token, key] : attempts) {
    Run* run = state.find(key.run);
    if (run == nullptr) continue;
    Task& task = run->tasks[key.ordinal];
    if (task.row.status != TaskStatus::running || task.row.token != token) continue;
    lose(state, *run, task, in_process ? AttemptEnd::interrupted : AttemptEnd::lost, moment, effects);
  }
}

Task* holder(State& state, const Token& token, const TaskId& id, Run*& run) {
  run = state.find(id.run.key());
  if (run == nullptr || run->row.id != id.run || id.ordinal >= run->tasks.size()) return nullptr;
  Task& task = run->tasks[id.ordinal];
  return task.row.status == TaskStatus::running && task.row.token == token ? &task : nullptr;
}

}  // namespace baton::engine
