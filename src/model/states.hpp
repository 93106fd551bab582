// The states of runs and tasks, and the one table of legal transitions (PRODUCT §2). The documentation's
// diagrams are tested against it (docs/reference/states.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace baton::model {

enum class RunStatus : std::uint8_t {
  pending,
  running,
  paused,
  cancelling,
  recovering,
  completed,
  failed,
  cancelled
};
enum class TaskStatus : std::uint8_t {
  pending,   // waits for what it needs
  queued,    // ready, waits for a worker
  running,   // an attempt is with a worker, or it is a wait (has_attempt() in rows.hpp tells)
  retrying,  // an attempt failed, or a round ended; waits for its next one
  completed,
  failed,
  skipped,
  cancelled
};

// Why a task was skipped (SEMANTICS 9).
enum class SkipReason : std::uint8_t {
  none,
  when,
  upstream_skipped,
  upstream_failed,
  branch,
  fail_fast,
  operator_,
  trigger_rule  // its trigger rule asked for endings that did not come
};

std::string_view name(RunStatus status);
std::string_view name(TaskStatus status);
std::string_view name(SkipReason reason);  // "" for none

// Reads the product's names and the documented aliases (Celery's and seed 004's). An alias may stand for
// several states; the list holds all of them.
std::span<const RunStatus> run_statuses(std::string_view name);
std::span<const TaskStatus> task_statuses(std::string_view name);

constexpr bool is_terminal(RunStatus s) {
  return s == RunStatus::completed || s == RunStatus::failed || s == RunStatus::cancelled;
}
constexpr bool is_terminal(TaskStatus s) {
  return s >= TaskStatus::completed;
}
// Takes part in its run's work now: counts against max_parallel.
constexpr bool is_active(TaskStatus s) {
  return s == TaskStatus::queued || s == TaskStatus::running || s == TaskStatus::retrying;
}

template <typename Status>
struct Transition {
  Status from;
  Status to;
  std::string_view cause;  // a few words, for the documentation
};
std::span<const Transition<RunStatus>> run_transitions();
std::span<const Transition<TaskStatus>> task_transitions();

bool is_legal(RunStatus from, RunStatus to);
bool is_legal(TaskStatus from, TaskStatus to);

}  // namespace baton::model
