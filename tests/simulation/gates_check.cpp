#include "gates_check.hpp"

#include "describe.hpp"
#include "model/breaker.hpp"
#include "model/pause.hpp"

namespace baton::simulation {

using model::BlockerKind;
using model::TaskRole;

void GatesCheck::attempt_starts(const RunBook& run, const TaskBook& task, const model::Fact& fact) {
  const std::string what = describe(run.id.key(), fact);
  if (run.paused) diary_.wrong("pause", what + " while the run is paused");
  // That a pause ended, by itself or by a person, stands in the history before what it let go.
  // What gives back what a step made is no part of it.
  if (task.role == TaskRole::main && run.paused_steps.contains(run.step(task).name))
    diary_.wrong("pause", what + " while its step is paused");
  const bool main = task.role == TaskRole::main && !run.step(task).finally;
  if (main && run.cancelled) diary_.wrong("cancel", what + " after its run was cancelled");
  if (main && run.timed_out) diary_.wrong("cancel", what + " after the deadline of its run");
  check_pauses(run, task, fact, what);
  if (task.role == TaskRole::main) check_breaker(run, task, fact, what);
}

// The pauses that are stored now, and that were there before the start, were there at the start.
void GatesCheck::check_pauses(const RunBook& run, const TaskBook& task, const model::Fact& fact,
                              const std::string& what) {
  if (!steady_clock_) return;
  const model::Step* action = action_of(run, task);
  for (const model::Record& record :
       reader_.list_records({.kind = model::RecordKind::pause}, std::nullopt, 100).value()) {
    const auto pause = model::pause_of(record);
    if (!pause) {
      diary_.wrong("I11", "a pause cannot be read");
      continue;
    }
    if (pause->since >= fact.at) continue;
    const bool holds = (pause->what.kind == BlockerKind::queue_paused && action != nullptr &&
                        pause->name == queue_of(*action)) ||
                       ((pause->what.kind == BlockerKind::worker_paused ||
                         pause->what.kind == BlockerKind::worker_draining) &&
                        pause->name == fact.text) ||
                       (pause->what.kind == BlockerKind::target_paused && action != nullptr &&
                        !pause->name.empty() && pause->name == action->target);
    if (holds) diary_.wrong("pause", what + " although " + model::describe(*pause) + " is paused");
  }
}

// Likewise: a breaker that is open now, and was opened before the start, was open at the start.
void GatesCheck::check_breaker(const RunBook& run, const TaskBook& task, const model::Fact& fact,
                               const std::string& what) {
  const model::Phase phase = phase_of(run, task);
  const auto& settings = run.step(task).breaker;
  if (!settings || (phase != model::Phase::primary && phase != model::Phase::preflight)) return;
  const auto view = reader_.get_task({run.id.key(), fact.task});
  if (!view || !*view || (*view)->row.starts != fact.attempt) return;
  const ShardTime start = (*view)->row.attempt_started;
  auto& under_way = through_[settings->name];
  under_way[{run.id, fact.task}] = start;
  const auto record = reader_.get_record(model::breaker_key(settings->name));
  if (!record || !*record) return;
  const auto row = model::breaker_of(**record);
  if (!row) return diary_.wrong("I11", "breaker " + settings->name + " cannot be read");
  if (row->force != model::BreakerForce::none) return;
  if (row->state == model::BreakerState::open && row->opened_at < start)
    diary_.wrong("breaker", what + " while breaker " + settings->name + " is open");
  if (row->state != model::BreakerState::half_open || start < row->open_until()) return;
  diary_.hit("breaker: a probe");
  probed_[settings->name] = {what, row->open_until(), settings->probes};
}

// A commit's facts stand in the journal run by run: the end of one probe may stand behind the start of the
// next.
void GatesCheck::look() {
  for (const auto& [name, probe] : probed_) {
    std::uint32_t probes = 0;
    for (const auto& [attempt, since] : through_[name]) probes += since >= probe.half_open_since;
    if (probes > probe.most)
      diary_.wrong("breaker", fmt::format("{} is probe {} of breaker {}", probe.what, probes, name));
  }
  probed_.clear();
}

void GatesCheck::attempt_ends(const RunBook& run, const model::Fact& fact) {
  for (auto& [name, under_way] : through_) under_way.erase({run.id, fact.task});
}

}  // namespace baton::simulation
