#include "deadlines_check.hpp"

#include <fmt/format.h>

#include "describe.hpp"

namespace baton::simulation {
namespace {

using model::FactKind;

// A turn that began before the deadline may start something a little later.
constexpr Duration kTurn = Duration::seconds(10);
// What has to be stopped first ends in its own time, or when its worker is given up.
constexpr Duration kStopping = Duration::minutes(5);

}  // namespace

void DeadlinesCheck::committed(const RunBook& run, const model::Fact& fact) {
  if (!steady_clock_ || run.was_paused) return;
  const auto task = run.tasks.find(fact.task);
  if (fact.kind == FactKind::task_queued && task != run.tasks.end())
    queued_.try_emplace({{run.id.key(), fact.task}, task->second.generation}, fact.at);
  if (fact.kind == FactKind::attempt_started && task != run.tasks.end())
    attempt_starts(run, task->second, fact);
  const auto& deadline = run.workflow->deadline;
  if (fact.kind == FactKind::run_finalizing && deadline && !run.outcome && run.started_at &&
      run.recoveries == 0 && !run.cancelled && !run.timed_out &&
      fact.at - *run.started_at > *deadline + kStopping)
    diary_.wrong("time", describe(run.id.key(), fact) + " long after its deadline, of which nobody knew");
}

void DeadlinesCheck::attempt_starts(const RunBook& run, const TaskBook& task, const model::Fact& fact) {
  const std::string what = describe(run.id.key(), fact);
  if (task.role != model::TaskRole::main || task.decided) return;
  const model::Step& step = run.step(task);
  const auto& deadline = run.workflow->deadline;
  if (deadline && run.started_at && run.recoveries == 0 && !step.finally &&
      fact.at - *run.started_at > *deadline + kTurn)
    diary_.wrong("time", fmt::format("{} {} s after its run, whose deadline is {} s", what,
                                     (fact.at - *run.started_at).as_seconds(), deadline->as_seconds()));
  if (!step.failure || !step.failure->deadline) return;
  diary_.hit("deadline: an attempt of a step that has one");
  const auto queued = queued_.find({{run.id.key(), fact.task}, task.generation});
  if (queued != queued_.end() && fact.at - queued->second > *step.failure->deadline + kTurn)
    diary_.wrong("time",
                 fmt::format("{} {} s after it was queued, and its deadline is {} s", what,
                             (fact.at - queued->second).as_seconds(), step.failure->deadline->as_seconds()));
}

}  // namespace baton::simulation
