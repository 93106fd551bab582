#include "engine/residency.hpp"

#include <algorithm>

#include "engine/breakers.hpp"
#include "engine/deadlines.hpp"
#include "engine/endings.hpp"
#include "engine/gates.hpp"
#include "engine/load.hpp"
#include "engine/queues.hpp"
#include "engine/turns.hpp"

namespace baton::engine {
namespace {

using model::RunStatus;
using model::TaskStatus;

// Runs with more tasks stay: looking through them would cost more than they do.
constexpr std::size_t kTasksLookedThrough = 64;

// Whether the run or a step of it is paused: the end of that is written into its history.
bool has_pause(const State& state, const Run& run) {
  const std::string id = run.row.id.text();
  // What is loaded before the shard starts stands only here.
  for (auto at = state.records.lower_bound({model::RecordKind::pause, id}); at != state.records.end(); ++at) {
    if (at->first.kind != model::RecordKind::pause || !at->first.key.starts_with(id)) return false;
    if (at->second.record) return true;
  }
  return false;
}

// The task that stands in a queue, if that is all there is to say about the run (see above).
Task* only_queued(const State& state, Run& run) {
  const model::RunRow& row = run.row;
  if ((row.status != RunStatus::pending && row.status != RunStatus::running) || row.cancel_requested ||
      row.timed_out || row.stage != model::RunStage::main ||
      row.recovery.scope != model::Recovery::Scope::none || run.has_clock || run.any_failed ||
      run.open_helpers > 0 || !run.waiters.empty() || !run.leftovers.empty() || row.additions > 0 ||
      !row.admission->limit.empty() ||
      (row.parent->any() && !row.parent->detached) ||  // its parent looks for it
      run.tasks.size() > kTasksLookedThrough) {
    return nullptr;
  }
  Task* queued = nullptr;
  for (Task& task : run.tasks) {
    if (model::is_terminal(task.row.status)) continue;
    if (task.has_timer || task.has_clock || task.let_past || task.asking || task.row.expanded ||
        task.row.index >= 0 || is_helper(task) || task.row.priority != priority_of(run, task.row.step)) {
      return nullptr;
    }
    if (task.row.status == TaskStatus::pending) {
      if (is_ready(run, task.row.step)) return nullptr;  // a piece of work is about it
    } else if (task.row.status == TaskStatus::queued && queued == nullptr) {
      queued = &task;
    } else {
      return nullptr;
    }
  }
  if (queued == nullptr || breaker_settings(run, *queued) != nullptr || has_pause(state, run)) return nullptr;
  return queued;
}

bool too_many(const State& state) {
  return state.runs.size() > state.settings.runs_in_memory;
}

void erase(State& state, RunKey run) {
  state.cold.insert(run);
  state.runs.erase(run);
}

}  // namespace

void note_idle(State& state, const Run& run) {
  if (too_many(state) && (state.idle.empty() || state.idle.back() != run.row.key)) {
    state.idle.push_back(run.row.key);
  }
}

void evict(State& state, JournalSequence durable) {
  std::erase_if(state.ended, [&](RunKey key) {
    const Run* run = state.find(key);
    if (run == nullptr || !model::is_terminal(run->row.status)) return true;
    if (run->touched_in > durable || run->open_helpers > 0) return false;
    state.values.forget(key);
    state.runs.erase(key);
    return true;
  });
  std::erase_if(state.idle, [&](RunKey key) {
    Run* run = state.find(key);
    if (run == nullptr || !too_many(state)) return true;
    if (run->touched_in > durable) return false;
    const Task* task = only_queued(state, *run);
    if (task != nullptr && task->line != nullptr && !task->line->blocker) erase(state, key);
    return true;
  });
  std::erase_if(state.passing, [&](const model::RecordKey& key) {
    const auto at = state.records.find(key);
    if (at == state.records.end()) return true;
    const KnownRecord& known = at->second;
    if (known.pinned > durable) return false;
    if (!known.record || !model::is_resident(key.kind)) state.records.erase(at);
    return true;
  });
  std::erase_if(state.idempotency, [&](const auto& entry) { return entry.second.pinned <= durable; });
}

void make_cold_at_start(State& state, RunKey key) {
  if (!too_many(state)) return;
  Run& run = *state.find(key);
  arm_run_clock(state, run);
  for (Task& task : run.tasks) arm_clock(state, run, task);
  Task* task = only_queued(state, run);
  if (task == nullptr || task->row.order == 0) return;
  recall_place(state, run, *task);
  count_in(state, run, *task);
  stand_again(state, run, *task);
  erase(state, key);
}

void forget_cold(State& state, RunKey run) {
  state.cold.erase(run);
  for (auto& [name, queue] : state.queues) {
    std::size_t count = 0;
    for (auto& [function, line] : queue.lines)
      count += std::erase_if(line.tasks, [&](const auto& entry) { return entry.second.run == run; });
    queue.waiting -= static_cast<std::uint32_t>(count);
    if (count > 0) admit_if_room(state, name);
  }
}

void warm(State& state, Run& run) {
  if (state.cold.erase(run.row.key) == 0) return;
  for (Task& task : run.tasks) {
    if (task.row.status == TaskStatus::queued) task.line = &line_of(state, run, task);
  }
  note_idle(state, run);
}

}  // namespace baton::engine
