#include "engine/waiting.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "engine/attempts.hpp"
#include "engine/deadlines.hpp"
#include "engine/dispatch.hpp"
#include "engine/flow.hpp"
#include "engine/gates.hpp"
#include "engine/phases.hpp"
#include "engine/rendering.hpp"
#include "engine/retry.hpp"
#include "engine/signals.hpp"
#include "engine/stopping.hpp"
#include "engine/timers.hpp"
#include "model/approval.hpp"

namespace baton::engine {
namespace {

using model::FactKind;
using model::TaskStatus;
using For = model::Wait::For;

constexpr Duration kAskTheWallAgain = Duration::minutes(1);
constexpr std::size_t kQuestionLimit = 1024;  // bytes of a question that are kept in the row

const model::Wait& wait_of(const Run& run, const Task& task) {
  return *run.program->step(task.row.step).wait;
}

model::Fact fact_of(const Task& task, FactKind kind, const Moment& moment) {
  return {.kind = kind,
          .at = moment.wall,
          .task = task.row.key.ordinal,
          .step = task.row.step,
          .index = task.row.index,
          .attempt = task.row.starts};
}

std::unexpected<Error> not_a(std::string_view field, std::string_view what, const boost::json::value& value) {
  return fail(ErrorCode::expression, "`" + std::string(field) + "` must give " + std::string(what) +
                                         ", not " +
                                         std::string(utf8_prefix(boost::json::serialize(value), 100)));
}

Result<Duration> span_of(const boost::json::value& value) {
  auto span = fail(ErrorCode::expression, "");
  Result<Duration> parsed = span;
  if (const auto* text = value.if_string()) parsed = parse_duration(std::string_view(*text));
  if (value.is_number()) parsed = duration_from_seconds(value.to_number<double>());
  if (!parsed) return not_a("for", "a duration (like 90s or 1h30m)", value);
  return parsed;
}

Result<WallTime> instant_of(const boost::json::value& value) {
  const auto* text = value.if_string();
  auto parsed = text != nullptr ? parse_rfc3339(std::string_view(*text))
                                : Result<WallTime>(fail(ErrorCode::expression, ""));
  if (!parsed) return not_a("until", "an instant (like 2026-12-24T18:00:00Z)", value);
  return parsed;
}

Result<std::string> signal_of(const boost::json::value& value) {
  const auto* text = value.if_string();
  if (text == nullptr || !is_name(std::string_view(*text)))
    return not_a("signal", "the name of a signal", value);
  return std::string(*text);
}

std::string question_of(const boost::json::value& value) {
  if (value.is_null()) return {};
  const auto* text = value.if_string();
  return std::string(
      utf8_prefix(text != nullptr ? std::string(*text) : boost::json::serialize(value), kQuestionLimit));
}

// Evaluates what the task waits for, into its row.
Status prepare(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  const model::Wait& wait = wait_of(run, task);
  model::TaskRow& row = task.row;
  const Ordinal ordinal = row.key.ordinal;
  if (wait.what == For::poll) row.phase = model::Phase::poll;
  TRY(boost::json::value body, render_body(state, run, task));
  const boost::json::value& action = body.as_object()["action"];
  switch (wait.what) {
    case For::span: {
      TRY(const Duration span, span_of(action));
      row.due = moment.now + span;
      row.waiting.edit().wakes_at = moment.wall + span;
      break;
    }
    case For::instant: {
      TRY(row.waiting.edit().wakes_at, instant_of(action));
      break;
    }
    case For::signal: {
      TRY(row.waiting.edit().awaits, signal_of(action));
      break;
    }
    case For::approval:
      row.waiting.edit().awaits = question_of(action);
      break;
    case For::poll: {
      row.due = moment.now;
      TRY(std::shared_ptr<const StepCode> code, run.program->code(row.step, *wait.poll));
      if (code->body.is_constant()) break;
      TRY(std::string input, input_with(state, task, std::move(body)));
      effects.touch(run, ordinal);
      effects.put(input_of(row.key), std::move(input));
      row.has_input = true;
      break;
    }
    case For::run:
      break;  // children.hpp
  }
  return {};
}

model::Approval question(const Run& run, const Task& task, const Moment& moment) {
  const model::Step& step = run.program->step(task.row.step);
  model::Approval approval;
  approval.task = {run.row.id, task.row.key.ordinal};
  approval.workflow = run.row.workflow;
  approval.step = run.program->name(task.row.step);
  approval.title = step.title();
  approval.index = task.row.index;
  approval.question = task.row.waiting->awaits;
  approval.job_id = run.row.job_id;
  approval.asked_at = moment.wall;
  if (step.wait->timeout) approval.until = moment.wall + *step.wait->timeout;
  return approval;
}

std::string what_it_waits_for(const model::Wait& wait, const model::TaskRow& row) {
  switch (wait.what) {
    case For::signal:
      return "signal " + row.waiting->awaits + " did not come";
    case For::approval:
      return "nobody answered";
    default:
      return "the condition did not hold after " + std::to_string(row.round) +
             (row.round == 1 ? " poll" : " polls");
  }
}

bool has_given_up(const Task& task, const Moment& moment) {
  return task.row.waiting->give_up.us != 0 && moment.now >= task.row.waiting->give_up;
}

void give_up(State& state, Run& run, Task& task, std::string_view last, const Moment& moment,
             Effects& effects) {
  const model::Wait& wait = wait_of(run, task);
  std::string message = "waited " + to_string(*wait.timeout) + ": " + what_it_waits_for(wait, task.row);
  if (!last.empty()) message += "; the last one: " + std::string(last);
  fail_unstarted(state, run, task, {.type = model::error_type::kTimeout, .message = std::move(message)},
                 moment, effects);
}

// The next poll comes at `at`.
void poll_later(State& state, Run& run, Task& task, ShardTime at, const Moment& moment, Effects& effects) {
  effects.touch(run, task.row.key.ordinal);
  task.row.due = at;
  model::Fact fact = fact_of(task, FactKind::task_waiting, moment);
  fact.text = name(For::poll);
  fact.number = (at - moment.now).us;
  effects.record(run, std::move(fact));
  set_wait_timer(state, run, task, moment);
}

// Without a condition a poll is asked whether it succeeds: these failures are its "no".
bool means_not_yet(const model::Wait& wait, const model::Failure& failure) {
  constexpr std::array<std::string_view, 5> kNo = {model::error_type::kExit, model::error_type::kSignal,
                                                   "http", model::error_type::kConnection,
                                                   model::error_type::kTimeout};
  return wait.until.empty() && !failure.never_retry && std::ranges::find(kNo, failure.type) != kNo.end();
}

// A poll that answered "not yet".
void next_round(State& state, Run& run, Task& task, std::string_view answer, const Moment& moment,
                Effects& effects) {
  effects.touch(run, task.row.key.ordinal);
  ++task.row.round;
  task.row.group_attempts = 0;
  task.row.last_delay = {};
  if (has_given_up(task, moment)) return give_up(state, run, task, answer, moment, effects);
  if (is_closing(run, task)) return cancel_task(state, run, task, moment, effects);
  if (task.row.stop_reason == model::StopReason::deadline) {
    return fail_unstarted(state, run, task, deadline_failure(run.program->step(task.row.step)), moment,
                          effects);
  }
  poll_later(state, run, task, moment.now + wait_of(run, task).every, moment, effects);
}

}  // namespace

void begin_wait(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  start_run(state, run, moment, effects);
  if (const Status prepared = prepare(state, run, task, moment, effects); !prepared) {
    fail_unstarted(state, run, task,
                   {.type = model::error_type::kExpression, .message = prepared.error().message}, moment,
                   effects);
    return;
  }
  const model::Wait& wait = wait_of(run, task);
  model::TaskRow& row = task.row;
  effects.touch(run, row.key.ordinal);
  row.status = TaskStatus::running;
  row.waiting.edit().since = moment.now;
  row.ready_at = row.started_at = moment.wall;
  if (wait.timeout) row.waiting.edit().give_up = moment.now + *wait.timeout;
  start_task_clocks(run, task, moment);
  arm_clock(state, run, task);
  if (wait.what != For::poll) {
    row.attempts = row.group_attempts = 1;
    ++row.starts;
  }
  ++run.row.counts.running;
  if (row.index >= 0) ++run.tasks[row.step].items_active;
  join_waiters(run, task);
  if (wait.what == For::approval) effects.put(model::to_record(question(run, task, moment)));
  model::Fact fact = fact_of(task, FactKind::task_waiting, moment);
  fact.text = name(wait.what);
  fact.other = row.waiting->awaits;
  fact.number = row.waiting->wakes_at.us;
  effects.record(run, std::move(fact));
  if (wait.what == For::signal) {
    if (auto signal = take_signal(state, run, row.waiting->awaits, effects)) {
      return end_wait(state, run, task, std::move(signal->data), moment, effects);
    }
  }
  wake(state, run, task, moment, effects);
}

void set_wait_timer(State& state, const Run& run, Task& task, const Moment& moment) {
  std::optional<ShardTime> at;
  const auto sooner = [&](ShardTime other) { at = at ? std::min(*at, other) : other; };
  switch (wait_of(run, task).what) {
    case For::span:
      sooner(task.row.due);
      break;
    case For::instant:
      sooner(moment.now + std::clamp(task.row.waiting->wakes_at - moment.wall, Duration{}, kAskTheWallAgain));
      break;
    case For::poll:
      if (task.line == nullptr && !task.row.giving_back) sooner(task.row.due);
      break;
    default:
      break;
  }
  if (task.row.waiting->give_up.us != 0) sooner(task.row.waiting->give_up);
  if (at) {
    set_timer(state, task, *at);
  } else {
    clear_timer(state, task);
  }
}

void wake(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (has_given_up(task, moment)) return give_up(state, run, task, {}, moment, effects);
  switch (wait_of(run, task).what) {
    case For::span:
      if (task.row.due <= moment.now) return end_wait(state, run, task, {}, moment, effects);
      break;
    case For::instant:
      if (task.row.waiting->wakes_at <= moment.wall) return end_wait(state, run, task, {}, moment, effects);
      break;
    case For::poll:
      if (task.line == nullptr && !task.row.giving_back && task.row.due <= moment.now)
        queue_poll(state, run, task, effects);
      break;
    default:
      break;
  }
  set_wait_timer(state, run, task, moment);
}

void queue_poll(State& state, Run& run, Task& task, Effects& effects) {
  effects.touch(run, task.row.key.ordinal);
  stand_last(state, run, task);
  want_dispatch(state);
}

void poll_again(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  effects.touch(run, task.row.key.ordinal);
  task.row.giving_back = false;
  queue_poll(state, run, task, effects);
  set_wait_timer(state, run, task, moment);
}

void end_poll(State& state, Run& run, Task& task, std::string result, const Moment& moment,
              Effects& effects) {
  const auto holds = evaluate_until(state, run, task, result);
  if (!holds) {
    fail_unstarted(state, run, task,
                   {.type = model::error_type::kExpression, .message = holds.error().message}, moment,
                   effects);
  } else if (*holds) {
    ++task.row.round;
    end_wait(state, run, task, std::move(result), moment, effects);
  } else {
    next_round(state, run, task, {}, moment, effects);
  }
}

void fail_poll(State& state, Run& run, Task& task, const model::Failure& failure, const Moment& moment,
               Effects& effects) {
  const model::Wait& wait = wait_of(run, task);
  const std::string text = failure.type + ": " + failure.message;
  const auto& retry = wait.poll->retry;
  if (has_given_up(task, moment)) {
    give_up(state, run, task, text, moment, effects);
  } else if (is_closing(run, task) || task.row.stop_reason == model::StopReason::deadline) {
    fail_unstarted(state, run, task, failure, moment, effects);
  } else if (retry && task.row.group_attempts < retry->max_attempts && is_retryable(failure)) {
    Random random(moment.seed);
    effects.touch(run, task.row.key.ordinal);
    task.row.last_delay = retry_delay(*retry, task.row.group_attempts, task.row.last_delay, random);
    poll_later(state, run, task, moment.now + task.row.last_delay, moment, effects);
  } else if (means_not_yet(wait, failure)) {
    next_round(state, run, task, text, moment, effects);
  } else {
    fail_unstarted(state, run, task, failure, moment, effects);
  }
}

void end_wait(State& state, Run& run, Task& task, std::string result, const Moment& moment,
              Effects& effects) {
  if (!result.empty()) {
    effects.touch(run, task.row.key.ordinal);
    effects.put(result_of(task.row.key), std::move(result));
    task.row.has_result = true;
  }
  complete_task(state, run, task, moment, effects);
}

Task* first_waiter(Run& run, const std::string& signal) {
  const auto found = run.waiters.lower_bound({signal, ShardTime{INT64_MIN}, 0});
  if (found == run.waiters.end() || std::get<0>(*found) != signal) return nullptr;
  return &run.tasks[std::get<2>(*found)];
}

void join_waiters(Run& run, const Task& task) {
  if (wait_of(run, task).what != For::signal) return;
  run.waiters.emplace(task.row.waiting->awaits, task.row.waiting->since, task.row.key.ordinal);
}

void stop_waiting(Run& run, const Task& task, Effects& effects) {
  if (wait_of(run, task).what == For::approval)
    effects.erase(model::approval_key({run.row.id, task.row.key.ordinal}));
  run.waiters.erase({task.row.waiting->awaits, task.row.waiting->since, task.row.key.ordinal});
}

}  // namespace baton::engine
