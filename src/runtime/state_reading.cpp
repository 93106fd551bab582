#include "runtime/state_reading.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "engine/explain.hpp"
#include "engine/gates.hpp"

namespace baton::runtime {
namespace {

using model::RunStatus;
using model::TaskStatus;
using telemetry::Metric;
using telemetry::Reading;

void read_runs(const engine::State& state, Reading& reading) {
  constexpr std::array kOpen = {RunStatus::pending, RunStatus::running, RunStatus::paused,
                                RunStatus::cancelling, RunStatus::recovering};
  std::array<std::uint64_t, 256> runs{};
  std::array<std::uint64_t, 256> tasks{};
  std::uint64_t held = 0;
  for (const auto& [key, run] : state.runs) {
    if (model::is_terminal(run->row.status)) continue;
    ++runs[static_cast<std::uint8_t>(run->row.status)];
    for (const engine::Task& task : run->tasks) {
      if (task.old || (task.row.expanded && task.row.item_count > 0)) continue;
      ++tasks[static_cast<std::uint8_t>(task.row.status)];
      held += task.row.held ? 1 : 0;
    }
  }
  // Those that are not in memory only wait in a queue, with one task each; nearly all have done nothing yet.
  runs[static_cast<std::uint8_t>(RunStatus::pending)] += state.cold.size();
  tasks[static_cast<std::uint8_t>(TaskStatus::queued)] += state.cold.size();
  for (const RunStatus status : kOpen) {
    reading.set(Metric::runs, {name(status)}, static_cast<double>(runs[static_cast<std::uint8_t>(status)]));
  }
  for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(TaskStatus::cancelled); ++i) {
    reading.set(Metric::tasks, {name(static_cast<TaskStatus>(i))}, static_cast<double>(tasks[i]));
  }
  reading.set(Metric::tasks_held, static_cast<double>(held));
}

// Since when the task waits.
std::optional<WallTime> waits_since(const engine::State& state, const TaskKey& key) {
  const engine::Run* run = state.find(key.run);
  if (run == nullptr) return std::nullopt;  // not in memory: its turn is far off
  const model::TaskRow& row = run->tasks[key.ordinal].row;
  return row.history.empty() ? row.ready_at : row.history.back().ended_at;
}

// The first of each priority: they are next, and of one fair key, and without retries, the oldest.
void look_at_heads(const engine::State& state, const engine::Line& line, std::optional<WallTime>& oldest) {
  for (std::uint8_t urgency = 0; urgency <= 9; ++urgency) {
    const auto first = line.tasks.lower_bound({.urgency = urgency, .turn = 0, .order = 0});
    if (first == line.tasks.end()) break;
    urgency = first->first.urgency;
    const auto since = waits_since(state, first->second);
    if (since && since->us != 0 && (!oldest || *since < *oldest)) oldest = since;
  }
}

void read_queues(const engine::State& state, const model::Survey& survey, WallTime now, Reading& reading) {
  for (const model::QueueView& queue : survey.queues) {
    reading.set(Metric::queue_tasks, {queue.name, "waiting"}, queue.queued);
    reading.set(Metric::queue_tasks, {queue.name, "held"}, queue.held);
    reading.set(Metric::queue_tasks, {queue.name, "pending"}, static_cast<double>(queue.pending));
    reading.set(Metric::queue_tasks, {queue.name, "running"}, queue.running);
    std::optional<WallTime> oldest;
    if (const auto found = state.queues.find(queue.name); found != state.queues.end()) {
      for (const auto& [function, line] : found->second.lines) look_at_heads(state, line, oldest);
    }
    const std::int64_t waits = oldest ? std::max<std::int64_t>((now - *oldest).us, 0) : 0;
    reading.set(Metric::queue_oldest, {queue.name}, static_cast<double>(waits) / 1e6);
    const bool paused = state.pauses.contains(model::Blocker::queue_paused(queue.name));
    reading.set(Metric::queue_paused, {queue.name}, paused ? 1 : 0);
  }
}

void read_workers(const model::Survey& survey, Reading& reading) {
  double idle = 0;
  double busy = 0;
  double away = 0;
  for (const model::WorkerView& worker : survey.workers) {
    ++(worker.attempts > 0 ? busy : worker.waiting ? idle : away);
    reading.set(Metric::worker_attempts, {worker.name}, worker.attempts);
  }
  reading.set(Metric::workers, {"idle"}, idle);
  reading.set(Metric::workers, {"busy"}, busy);
  reading.set(Metric::workers, {"away"}, away);
}

// A person's word counts more than what it says by itself.
double shown_state(const model::BreakerRow& row) {
  if (row.force == model::BreakerForce::open) return 2;
  if (row.force == model::BreakerForce::closed) return 0;
  if (row.state == model::BreakerState::half_open) return 1;
  return row.state == model::BreakerState::open ? 2 : 0;
}

}  // namespace

void read_state(const engine::State& state, WallTime now, Reading& reading) {
  read_runs(state, reading);
  const model::Survey survey = engine::survey(state);
  read_queues(state, survey, now, reading);
  read_workers(survey, reading);
  for (const auto& [name, breaker] : state.breakers) {
    reading.set(Metric::breaker_state, {name}, shown_state(breaker.row));
    reading.set(Metric::breaker_opened, {name}, breaker.row.times_opened);
  }
  for (const model::LimitView& limit : survey.limits) {
    reading.set(Metric::limit_used, {limit.name}, static_cast<double>(limit.in_use));
    if (limit.limit) reading.set(Metric::limit, {limit.name}, *limit.limit);
  }
}

}  // namespace baton::runtime
