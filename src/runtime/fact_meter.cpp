#include "runtime/fact_meter.hpp"

#include <algorithm>
#include <utility>

#include "engine/gates.hpp"
#include "model/dead_letter.hpp"

namespace baton::runtime {
namespace {

using model::Fact;
using model::FactKind;
using telemetry::Metric;
using telemetry::Tally;

double seconds(Duration duration) {
  return static_cast<double>(std::max<std::int64_t>(duration.us, 0)) / 1e6;
}

// The facts of one run in one batch.
class RunTally {
 public:
  RunTally(Tally& tally, const engine::Run& run) : tally_(tally), run_(run), workflow_(run.row.workflow) {}

  void add(const std::vector<Fact>& facts) {
    // The row is as the batch leaves it: what its facts have added comes off first.
    recoveries_ = run_.row.recovery_attempts;
    for (const Fact& fact : facts) {
      if (fact.kind == FactKind::run_recovering && recoveries_ > 0) --recoveries_;
    }
    for (const Fact& fact : facts) add(fact);
  }

 private:
  void add(const Fact& fact) {
    if (model::is_task_fact(fact.kind)) return add_task(fact);
    switch (fact.kind) {
      case FactKind::run_submitted:
        return tally_.add(Metric::runs_submitted, {workflow_});
      case FactKind::run_ended:
        return add_end(fact);
      case FactKind::run_recovering:
        ++recoveries_;
        return tally_.add(Metric::recoveries, {workflow_});
      case FactKind::run_sla_missed:
        return tally_.add(Metric::sla_missed, {workflow_, "run"});
      default:
        return;
    }
  }

  void add_end(const Fact& fact) {
    const std::string_view status = name(static_cast<model::RunStatus>(fact.status));
    tally_.add(Metric::runs_ended, {workflow_, status});
    tally_.observe(Metric::run_duration, {workflow_, status}, seconds(fact.at - run_.row.created_at));
    if (recoveries_ > 0) tally_.add(Metric::recovered_runs_ended, {workflow_, status});
  }

  void add_task(const Fact& fact) {
    if (fact.kind == FactKind::resource_leaked) return tally_.add(Metric::resources_leaked, {workflow_});
    if (fact.task >= run_.tasks.size()) return;
    const engine::Task& task = run_.tasks[fact.task];
    const std::string& queue = engine::queue_of(run_, task);
    if (fact.kind == FactKind::task_queued) return tally_.add(Metric::tasks_queued, {queue});
    if (fact.kind == FactKind::attempt_started) {
      tally_.add(Metric::attempts_started, {queue});
      // Later ones waited for their retry's delay as well.
      if (fact.attempt == 1 && task.row.ready_at.us != 0) {
        tally_.observe(Metric::schedule_to_start, {queue}, seconds(fact.at - task.row.ready_at));
      }
      return;
    }
    // What serves another task says nothing about how well its step works.
    if (fact.role == static_cast<std::uint8_t>(model::TaskRole::main)) {
      add_step(fact, task, run_.program->name(task.row.step));
    }
  }

  void add_step(const Fact& fact, const engine::Task& task, const std::string& step) {
    switch (fact.kind) {
      case FactKind::attempt_ended:
        return add_attempt(fact, task, step);
      case FactKind::task_ended:
        return add_task_end(task, step, static_cast<model::TaskStatus>(fact.status));
      case FactKind::task_skipped:
        return add_task_end(task, step, model::TaskStatus::skipped);
      case FactKind::task_retrying:
        // With a text it is the next round of `repeat`; with another one, it waits for something else.
        if (fact.text.empty() && fact.other.empty()) tally_.add(Metric::retries, {workflow_, step});
        return;
      case FactKind::task_fallback:
        return tally_.add(Metric::task_fallbacks, {workflow_, step});
      case FactKind::task_cached:
        return tally_.add(Metric::tasks_cached, {workflow_, step});
      case FactKind::task_sla_missed:
        return tally_.add(Metric::sla_missed, {workflow_, "task"});
      case FactKind::alert_raised:
        return tally_.add(Metric::alerts, {workflow_, name(static_cast<model::Severity>(fact.status))});
      default:
        return;
    }
  }

  void add_attempt(const Fact& fact, const engine::Task& task, const std::string& step) {
    tally_.add(Metric::attempts_ended, {workflow_, step, fact.text});
    if (!fact.other.empty()) tally_.add(Metric::attempt_errors, {workflow_, step, fact.other});
    const auto record = std::ranges::find(task.row.history, fact.attempt, &model::AttemptRecord::number);
    if (record == task.row.history.end()) return;  // too many since then
    const double took = seconds(fact.at - record->started_at);
    tally_.observe(Metric::attempt_duration, {workflow_, step}, took);
    const std::string& target = run_.program->step(task.row.step).target;
    if (!target.empty() && record->phase == model::Phase::primary) {
      tally_.observe(Metric::target_duration, {target, fact.text}, took);
    }
  }

  void add_task_end(const engine::Task& task, const std::string& step, model::TaskStatus status) {
    if (task.row.expanded && task.row.item_count > 0) return;  // its items count
    tally_.add(Metric::tasks_ended, {workflow_, step, name(status)});
    if (status != model::TaskStatus::completed && status != model::TaskStatus::failed) return;
    if (task.row.attempts > 0) {
      tally_.observe(Metric::task_attempts, {workflow_, name(status)}, task.row.attempts);
    }
  }

  Tally& tally_;
  const engine::Run& run_;
  const std::string& workflow_;
  std::uint32_t recoveries_ = 0;
};

}  // namespace

void FactMeter::deciding(std::string_view command) {
  meter_.add(Metric::commands, {command});
}

Observer::OnDurable FactMeter::sealed(const model::Batch& batch, const engine::State& state) {
  Tally tally(meter_);
  for (const model::RunFacts& entry : batch.facts) {
    if (const engine::Run* run = state.find(entry.run)) RunTally(tally, *run).add(entry.facts);
  }
  for (const model::RecordChange& change : batch.records) {
    if (change.erased || change.record.id.kind != model::RecordKind::dead_letter) continue;
    if (const auto letter = model::dead_letter_of(change.record)) {
      tally.add(Metric::dead_letters_made, {letter->workflow});
    }
  }
  return [tally = std::move(tally)]() mutable { tally.count(); };
}

void FactMeter::committed(std::size_t rows, Duration took) {
  meter_.observe(Metric::commit_duration, seconds(took));
  meter_.observe(Metric::commit_rows, static_cast<double>(rows));
}

void FactMeter::refused(const Error&) {
  meter_.add(Metric::commits_refused);
}

}  // namespace baton::runtime
