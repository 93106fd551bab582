#include "model/history.hpp"

#include <charconv>

namespace baton::model {
namespace {

// Stored statuses are bytes that may come from a newer version.
template <typename Status>
bool read_status(std::uint8_t stored, Status& out) {
  if (stored > static_cast<std::uint8_t>(Status::cancelled)) return false;
  out = static_cast<Status>(stored);
  return true;
}

std::uint32_t read_count(std::int64_t number) {
  return number < 0 || number > UINT32_MAX ? 0 : static_cast<std::uint32_t>(number);
}

// The value of a small enumeration that has this name; others of a newer version change nothing.
template <typename Enum>
void read_name(std::string_view text, Enum last, Enum& out) {
  for (unsigned i = 0; i <= static_cast<unsigned>(last); ++i) {
    if (name(static_cast<Enum>(i)) == text) out = static_cast<Enum>(i);
  }
}

void end_attempt(TaskHistory& task, const Fact& fact) {
  task.attempt_running = false;
  const bool counts = fact.text != "lost" && fact.text != "interrupted" && fact.text != "released";
  if (!counts && task.attempts > 0) --task.attempts;
  if (fact.text == "failed") task.error_type = fact.other;
}

// Facts that come from a task that does something; the first one starts its run, also one that is being
// cancelled.
bool is_activity(const Fact& fact) {
  return fact.kind == FactKind::attempt_started || fact.kind == FactKind::task_expanded ||
         fact.kind == FactKind::task_waiting ||
         (fact.kind == FactKind::task_ended &&
          (fact.status == static_cast<std::uint8_t>(TaskStatus::completed) ||
           fact.status == static_cast<std::uint8_t>(TaskStatus::failed)));
}

// The next generation: as if nothing had happened, but for the numbers that go on.
void reset(TaskHistory& task, bool void_items) {
  TaskHistory fresh;
  fresh.step = task.step;
  fresh.index = task.index;
  fresh.starts = task.starts;
  fresh.generation = task.generation + 1;
  if (task.expanded && !void_items) {
    fresh.expanded = true;
    fresh.first_item = task.first_item;
    fresh.item_count = task.item_count;
    fresh.started_at = task.started_at;
  }
  task = std::move(fresh);
}

void apply_to_task(TaskHistory& task, const Fact& fact) {
  task.step = fact.step;
  task.index = fact.index;
  switch (fact.kind) {
    case FactKind::task_added:
      read_name(fact.text, TaskRole::resource, task.role);
      if (task.role != TaskRole::main) task.parent = read_count(fact.number);
      break;
    case FactKind::task_queued:
      task.status = TaskStatus::queued;
      task.held = false;
      if (task.queued_at.us == 0) task.queued_at = fact.at;
      break;
    case FactKind::task_skipped:
      task.status = TaskStatus::skipped;
      task.skip_reason = fact.text;
      task.held = false;
      task.ended_at = fact.at;
      break;
    case FactKind::task_expanded:
      task.expanded = true;
      task.item_count = read_count(fact.number);
      task.started_at = fact.at;
      std::from_chars(fact.other.data(), fact.other.data() + fact.other.size(), task.first_item);
      break;
    case FactKind::attempt_started:
      task.status = TaskStatus::running;
      task.attempt_running = true;
      task.progress = -1;
      task.progress_message.clear();
      task.starts = fact.attempt;
      ++task.attempts;
      task.worker = fact.text;
      if (task.started_at.us == 0) task.started_at = fact.at;
      break;
    case FactKind::attempt_ended:
      end_attempt(task, fact);
      break;
    case FactKind::task_retrying:
      task.status = TaskStatus::retrying;
      if (!fact.text.empty()) task.error_type.clear();  // a round ended well
      break;
    case FactKind::task_waiting:
      if (!task.waiting) task.queued_at = task.started_at = fact.at;
      task.waiting = true;
      task.status = TaskStatus::running;
      if (fact.attempt > task.starts) {
        task.attempts += fact.attempt - task.starts;
        task.starts = fact.attempt;
      }
      break;
    case FactKind::task_held:
      task.status = TaskStatus::retrying;
      task.held = true;
      break;
    case FactKind::task_fallback:
      task.status = TaskStatus::retrying;
      task.fallback = true;
      break;
    case FactKind::task_sla_missed:
      task.late = true;
      break;
    case FactKind::task_progress:
      if (fact.number >= 0 && fact.number <= 100) task.progress = static_cast<std::int8_t>(fact.number);
      task.progress_message = fact.text;
      break;
    case FactKind::task_cached:
      task.queued_at = task.started_at = fact.at;
      break;
    case FactKind::task_checked:
      if (task.attempts > 0) --task.attempts;  // the preflight was none of its own
      break;
    case FactKind::task_ended:
      if (!read_status(fact.status, task.status)) return;
      task.held = false;
      // Values that are computed are not attempts of a worker, but they are counted.
      if (fact.attempt > task.starts) {
        task.attempts += fact.attempt - task.starts;
        task.starts = fact.attempt;
        task.queued_at = task.started_at = fact.at;
      }
      if (task.status == TaskStatus::failed) {
        task.error_type = fact.text;
        task.error_message = fact.other;
      } else if (task.status == TaskStatus::completed) {
        task.error_type.clear();
        if (task.progress >= 0) task.progress = 100;
      }
      task.ended_at = fact.at;
      break;
    case FactKind::task_reset:
      reset(task, fact.text == "items");
      break;
    default:
      break;
  }
}

}  // namespace

void apply(RunHistory& run, const Fact& fact) {
  switch (fact.kind) {
    case FactKind::run_submitted:
      run.workflow = fact.text;
      run.version = read_count(fact.number);
      run.created_at = fact.at;
      break;
    case FactKind::run_started:
      run.status = RunStatus::running;
      run.started_at = fact.at;
      break;
    case FactKind::run_cancel_requested:
      if (run.stage == RunStage::main || run.cancel_requested) {
        run.status = RunStatus::cancelling;
        run.cancel_requested = true;
      } else {
        run.status = RunStatus::running;  // only its endings are dropped
      }
      run.terminate |= fact.number > 0;
      run.no_cleanup |= fact.number > 1;
      break;
    case FactKind::run_finalizing:
      if (read_status(fact.status, run.outcome)) read_name(fact.text, RunStage::leftovers, run.stage);
      break;
    case FactKind::run_ended:
      if (!read_status(fact.status, run.status)) return;
      run.ended_at = fact.at;
      break;
    case FactKind::run_timed_out:
      run.timed_out = true;
      break;
    case FactKind::run_sla_missed:
      run.late = true;
      break;
    case FactKind::run_paused:
      if (fact.other.empty()) run.status = RunStatus::paused;
      break;
    case FactKind::run_resumed:
      if (fact.other.empty()) run.status = RunStatus::running;
      break;
    case FactKind::run_recovering:
      run.status = RunStatus::recovering;
      run.cancel_requested = run.terminate = run.no_cleanup = run.timed_out = run.late = false;
      run.stage = RunStage::main;
      run.outcome = RunStatus::pending;
      run.ended_at = {};
      break;
    case FactKind::run_recovered:
      if (run.status == RunStatus::recovering) run.status = RunStatus::running;
      break;
    case FactKind::run_version_changed:
      run.version = read_count(fact.number);
      break;
    case FactKind::run_changed:
      break;  // what it is now stands in the row
    case FactKind::resource_opened:
      run.open_resources.emplace(fact.task, fact.text);
      run.leaked_resources.erase({fact.task, fact.text});
      break;
    case FactKind::resource_released:
    case FactKind::resource_cleaned:
      run.open_resources.erase({fact.task, fact.text});
      run.leaked_resources.erase({fact.task, fact.text});
      break;
    case FactKind::resource_leaked:
      run.open_resources.erase({fact.task, fact.text});
      run.leaked_resources.emplace(fact.task, fact.text);
      break;
    case FactKind::attempt_stopping:
    case FactKind::signal_received:
    case FactKind::task_resolved:
    case FactKind::alert_raised:
      break;  // say what was asked for; what came of it follows
    case FactKind::task_added: {
      // What serves a task belongs to that one's generation; an added one begins with its own first.
      const std::uint32_t generation = run.tasks[read_count(fact.number)].generation;
      TaskHistory& task = run.tasks[fact.task];
      apply_to_task(task, fact);
      if (task.role != TaskRole::main) task.generation = generation;
      break;
    }
    case FactKind::task_queued:
    case FactKind::task_skipped:
    case FactKind::task_expanded:
    case FactKind::attempt_started:
    case FactKind::attempt_ended:
    case FactKind::task_retrying:
    case FactKind::task_waiting:
    case FactKind::task_ended:
    case FactKind::task_held:
    case FactKind::task_cached:
    case FactKind::task_fallback:
    case FactKind::task_checked:
    case FactKind::task_sla_missed:
    case FactKind::task_progress:
    case FactKind::task_reset:
      apply_to_task(run.tasks[fact.task], fact);
      if (run.started_at.us == 0 && is_activity(fact)) run.started_at = fact.at;
      break;
  }
}

RunHistory fold(std::span<const Fact> facts) {
  RunHistory run;
  for (const Fact& fact : facts) apply(run, fact);
  return run;
}

}  // namespace baton::model
