#include "engine/rounds.hpp"

#include "engine/attempts.hpp"
#include "engine/caching.hpp"
#include "engine/deadlines.hpp"
#include "engine/dispatch.hpp"
#include "engine/flow.hpp"
#include "engine/rendering.hpp"
#include "engine/stopping.hpp"
#include "engine/timers.hpp"

namespace baton::engine {

void end_round(State& state, Run& run, Task& task, std::string result, const Moment& moment,
               Effects& effects) {
  const model::Repeat& repeat = *run.program->step(task.row.step).repeat;
  model::TaskRow& row = task.row;
  const auto holds = evaluate_until(state, run, task, result);
  ++row.round;
  if (!holds) {
    fail_attempt(state, run, task, {.type = model::error_type::kExpression, .message = holds.error().message},
                 moment, effects);
    return;
  }
  if (*holds) {
    keep_result(run, task, result, moment, effects);
    effects.put(result_of(row.key), std::move(result));
    row.has_result = true;
    complete_task(state, run, task, moment, effects);
    return;
  }
  if (row.round >= repeat.max) {
    fail_attempt(state, run, task,
                 {.type = model::error_type::kUnsatisfied,
                  .message = "`" + repeat.until + "` did not hold after " + std::to_string(row.round) +
                             (row.round == 1 ? " round" : " rounds"),
                  .never_retry = true},
                 moment, effects);
    return;
  }
  if (is_closing(run, task)) return cancel_task(state, run, task, moment, effects);
  // It ended well while it was being stopped: the last round.
  if (row.stop_reason == model::StopReason::deadline) {
    return fail_attempt(state, run, task, deadline_failure(run.program->step(row.step)), moment, effects);
  }
  row.group_attempts = 0;
  row.last_delay = {};
  row.error_type.clear();
  row.error_message.clear();
  row.status = model::TaskStatus::retrying;
  row.due = moment.now + repeat.delay;
  effects.touch(run, row.key.ordinal);
  effects.record(run, {.kind = model::FactKind::task_retrying,
                       .at = moment.wall,
                       .task = row.key.ordinal,
                       .step = row.step,
                       .index = row.index,
                       .attempt = row.starts,
                       .number = repeat.delay.us,
                       .text = std::to_string(row.round)});
  if (repeat.delay.us <= 0) {
    enqueue(state, run, task, moment, effects);
  } else {
    set_timer(state, task, row.due);
    arm_clock(state, run, task);
  }
}

}  // namespace baton::engine
