#include "engine/phases.hpp"

#include "base/duration.hpp"
#include "base/text.hpp"
#include "engine/children.hpp"
#include "engine/deadlines.hpp"
#include "engine/endings.hpp"
#include "engine/generations.hpp"
#include "engine/items.hpp"
#include "engine/pauses.hpp"
#include "engine/run_limits.hpp"
#include "engine/signals.hpp"

namespace baton::engine {
namespace {

using model::FactKind;
using model::RunStatus;

void set_status(Run& run, RunStatus status) {
  run.row.status = status;
}

// Its definition says so, and it has not been recovered too often (SEMANTICS 57). Who had its endings dropped
// wants it to be over.
bool recovers_by_itself(const Run& run) {
  const model::Workflow& workflow = run.program->workflow();
  return workflow.auto_recovery && run.row.status == RunStatus::failed && !run.row.no_cleanup &&
         run.row.recovery_attempts < workflow.max_recovery_attempts;
}

}  // namespace

void start_run(State& state, Run& run, const Moment& moment, Effects& effects) {
  // One that is paused starts, with its clocks, when it goes on.
  if (run.row.started_at.us != 0 || run.row.status == RunStatus::paused) return;
  effects.touch(run);
  run.row.started_at = moment.wall;
  // One that was paused before it started, and resumed, is running without having started.
  if (run.row.status != RunStatus::pending && run.row.status != RunStatus::running) return;
  set_status(run, RunStatus::running);
  start_run_clocks(state, run, moment);
  effects.record(run, {.kind = FactKind::run_started, .at = moment.wall});
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

void note_failure(Run& run, const Task& task, const model::Step& step) {
  if (!run.row.error_type.empty()) return;
  run.row.error_type = step.finally ? model::error_type::kFinally : task.row.error_type;
  run.row.error_message = utf8_prefix(
      "step " + run.program->name(task.row.step) + ": " + task.row.error_message, model::kMessageLimit);
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

}  // namespace baton::engine
