#include "model/states.hpp"

#include <algorithm>
#include <array>

namespace baton::model {
namespace {

using R = RunStatus;
using T = TaskStatus;

constexpr std::array kRunNames = {"pending",    "running",   "paused", "cancelling",
                                  "recovering", "completed", "failed", "cancelled"};
constexpr std::array kTaskNames = {"pending",   "queued", "running", "retrying",
                                   "completed", "failed", "skipped", "cancelled"};
constexpr std::array kSkipNames = {"",       "when",      "upstream_skipped", "upstream_failed",
                                   "branch", "fail_fast", "operator",         "trigger_rule"};

constexpr std::array kRunTransitions = {
    Transition<R>{R::pending, R::running, "its first task starts"},
    Transition<R>{R::pending, R::paused, "paused before it started"},
    Transition<R>{R::pending, R::cancelling, "cancel requested"},
    Transition<R>{R::running, R::paused, "paused"},
    Transition<R>{R::paused, R::running, "resumed"},
    Transition<R>{R::paused, R::cancelling, "cancel requested"},
    Transition<R>{R::running, R::completed, "everything ended well"},
    Transition<R>{R::running, R::failed, "a task failed for good"},
    Transition<R>{R::running, R::cancelling, "cancel requested"},
    Transition<R>{R::cancelling, R::cancelled, "the last cleanup ended"},
    Transition<R>{R::cancelling, R::failed, "it was given up, and the last cleanup ended"},
    Transition<R>{R::failed, R::recovering, "recover or retry"},
    Transition<R>{R::cancelled, R::recovering, "recover or retry"},
    Transition<R>{R::recovering, R::running, "its reset tasks go on"},
    Transition<R>{R::recovering, R::cancelling, "cancel requested"},
};

constexpr std::array kTaskTransitions = {
    Transition<T>{T::pending, T::queued, "what it needs has ended"},
    Transition<T>{T::pending, T::running, "a wait begins"},
    Transition<T>{T::pending, T::retrying, "done again: what its lost attempt made is given back first"},
    Transition<T>{T::pending, T::completed, "values computed, or nothing to do"},
    Transition<T>{T::pending, T::failed, "an expression failed"},
    Transition<T>{T::pending, T::skipped, "a condition, a failed step before it, or a person"},
    Transition<T>{T::pending, T::cancelled, "the run was cancelled"},
    Transition<T>{T::queued, T::running, "a worker took it"},
    Transition<T>{T::queued, T::retrying, "it waited too long, a rule says to wait again or for a person"},
    Transition<T>{T::queued, T::failed, "it waited too long"},
    Transition<T>{T::queued, T::skipped, "a person skipped it, or the run failed fast"},
    Transition<T>{T::queued, T::cancelled, "the run was cancelled"},
    Transition<T>{T::running, T::completed, "its attempt succeeded, or its wait is over"},
    Transition<T>{T::running, T::failed, "its last attempt failed"},
    Transition<T>{T::running, T::retrying, "an attempt failed or a round ended, another will follow"},
    Transition<T>{T::running, T::queued, "its attempt was given back, lost or interrupted"},
    Transition<T>{T::running, T::cancelled, "the run was cancelled"},
    Transition<T>{T::retrying, T::queued, "the delay is over, or a person says so"},
    Transition<T>{T::retrying, T::completed, "a person gave it a result"},
    Transition<T>{T::retrying, T::failed, "its deadline is over, or a person says so"},
    Transition<T>{T::retrying, T::skipped, "a person says so"},
    Transition<T>{T::retrying, T::cancelled, "the run was cancelled"},
};

constexpr std::array kAllRuns = {R::pending,    R::running,   R::paused, R::cancelling,
                                 R::recovering, R::completed, R::failed, R::cancelled};
constexpr std::array kAllTasks = {T::pending,   T::queued, T::running, T::retrying,
                                  T::completed, T::failed, T::skipped, T::cancelled};

template <typename Status>
struct Alias {
  std::string_view name;
  std::array<Status, 3> meaning;
  std::size_t count;
};
constexpr std::array kRunAliases = {
    Alias<R>{"PENDING", {R::pending}, 1},   Alias<R>{"STARTED", {R::running, R::paused, R::cancelling}, 3},
    Alias<R>{"SUCCESS", {R::completed}, 1}, Alias<R>{"FAILURE", {R::failed}, 1},
    Alias<R>{"RETRY", {R::recovering}, 1},  Alias<R>{"REVOKED", {R::cancelled}, 1},
    Alias<R>{"success", {R::completed}, 1}, Alias<R>{"failure", {R::failed}, 1},
    Alias<R>{"timeout", {R::failed}, 1},    Alias<R>{"canceled", {R::cancelled}, 1},
    Alias<R>{"RUNNING", {R::running}, 1},   Alias<R>{"COMPLETED", {R::completed}, 1},
    Alias<R>{"FAILED", {R::failed}, 1},     Alias<R>{"CANCELLED", {R::cancelled}, 1},
};
constexpr std::array kTaskAliases = {
    Alias<T>{"PENDING", {T::pending, T::queued}, 2},
    Alias<T>{"STARTED", {T::running}, 1},
    Alias<T>{"SUCCESS", {T::completed, T::skipped}, 2},
    Alias<T>{"FAILURE", {T::failed}, 1},
    Alias<T>{"RETRY", {T::retrying}, 1},
    Alias<T>{"REVOKED", {T::cancelled}, 1},
    Alias<T>{"success", {T::completed}, 1},
    Alias<T>{"failure", {T::failed}, 1},
    Alias<T>{"timeout", {T::failed}, 1},
    Alias<T>{"canceled", {T::cancelled}, 1},
};

template <typename Status, typename Names, typename All, typename Aliases>
std::span<const Status> lookup(std::string_view name, const Names& names, const All& all,
                               const Aliases& aliases) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return std::span(all).subspan(i, 1);
  }
  for (const auto& alias : aliases) {
    if (alias.name == name) return std::span(alias.meaning).first(alias.count);
  }
  return {};
}

}  // namespace

std::string_view name(RunStatus status) {
  return kRunNames[static_cast<std::size_t>(status)];
}
std::string_view name(TaskStatus status) {
  return kTaskNames[static_cast<std::size_t>(status)];
}
std::string_view name(SkipReason reason) {
  return kSkipNames[static_cast<std::size_t>(reason)];
}

std::span<const RunStatus> run_statuses(std::string_view name) {
  return lookup<R>(name, kRunNames, kAllRuns, kRunAliases);
}
std::span<const TaskStatus> task_statuses(std::string_view name) {
  return lookup<T>(name, kTaskNames, kAllTasks, kTaskAliases);
}

std::span<const Transition<RunStatus>> run_transitions() {
  return kRunTransitions;
}
std::span<const Transition<TaskStatus>> task_transitions() {
  return kTaskTransitions;
}

bool is_legal(RunStatus from, RunStatus to) {
  return std::ranges::any_of(kRunTransitions, [&](const auto& t) { return t.from == from && t.to == to; });
}
bool is_legal(TaskStatus from, TaskStatus to) {
  return std::ranges::any_of(kTaskTransitions, [&](const auto& t) { return t.from == from && t.to == to; });
}

}  // namespace baton::model
