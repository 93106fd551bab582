#include "engine/gates.hpp"

#include <algorithm>

#include "base/seeded_bug.hpp"
#include "engine/breakers.hpp"
#include "engine/children.hpp"
#include "engine/dispatch.hpp"
#include "engine/endings.hpp"
#include "engine/limits.hpp"
#include "engine/load.hpp"
#include "engine/queues.hpp"
#include "engine/rates.hpp"
#include "engine/residency.hpp"
#include "engine/turns.hpp"

namespace baton::engine {
namespace {

using model::Blocker;
using model::BlockerKind;

// Moves that change no row are cheap, but not free.
constexpr std::size_t kReleasedAtOnce = 10'000;

void stand_in(State& state, Line& line, Task& task) {
  task.line = &line;
  line.tasks.emplace(place_of(state, task), task.row.key);
}

// Takes the task out of its line; whether that was one of a limit, where the next one may fit now.
std::optional<Blocker> take_out(State& state, Task& task) {
  if (task.line == nullptr) return std::nullopt;
  Line& line = *task.line;
  line.tasks.erase(place_of(state, task));
  task.line = nullptr;
  if (!state.order_of_pending.empty()) state.order_of_pending.erase(task.row.key);
  if (!line.blocker) return std::nullopt;
  const Blocker blocker = *line.blocker;
  if (line.tasks.empty()) state.blocked.erase(blocker);
  return blocker;
}

// Those behind a task that was let past count on it no more: it has started, or something else holds it back.
void break_promise(State& state, Task& task) {
  if (!task.let_past) return;
  task.let_past = false;
  const LetPast promise = std::move(state.let_past.extract(task.row.key).mapped());
  if (promise.line.kind == BlockerKind::limit_full) {
    break_limit_promise(state, promise);
  } else {
    break_rate_promise(state, promise.line);
  }
}

// Its first task is another one.
void look_again(State& state, const Blocker& line) {
  if (line.kind == BlockerKind::limit_full) let_past_limit(state, line.name);
}

}  // namespace

Place place_of(const State& state, const Task& task) {
  const auto urgency =
      static_cast<std::uint8_t>(seeded_bug(Bug::priority_ignored) ? 0 : 9 - task.row.priority);
  if (!state.order_of_pending.empty()) {
    const auto pending = state.order_of_pending.find(task.row.key);
    if (pending != state.order_of_pending.end()) return {urgency, 0, pending->second};
  }
  // Turns are of one queue, and the tasks of a run may be of many.
  const bool in_run =
      task.line != nullptr && task.line->blocker && task.line->blocker->kind == BlockerKind::run_full;
  return {urgency, in_run ? 0 : task.row.turn, task.row.order};
}

std::optional<Blocker> blocker_of(const State& state, const Run& run, const Task& task) {
  if (run.row.status == model::RunStatus::paused && !seeded_bug(Bug::pause_does_not_hold))
    return Blocker::run_paused(run.row.key);
  if (is_held_by_breaker(state, run, task)) {
    return Blocker::breaker_open(breaker_settings(run, task)->name);
  }
  if (!state.pauses.empty()) {
    // What gives back what the step made is not a part of it.
    if (Blocker step = Blocker::step_paused(run.row.key, task.row.step);
        !is_helper(task) && is_paused(state, step)) {
      return step;
    }
    const std::string& target = run.program->action(task.row).target;
    if (Blocker service = Blocker::target_paused(target);
        !target.empty() && is_paused(state, service) && !seeded_bug(Bug::target_pause_forgotten)) {
      return service;
    }
  }
  const std::uint32_t limit = run.program->workflow().max_parallel;
  if (limit > 0 && run.active >= limit && !task.slot && !is_helper(task) &&
      task.row.status == model::TaskStatus::queued) {
    return Blocker::run_full(run.row.key);
  }
  if (!run.program->step(task.row.step).flow) return std::nullopt;
  if (auto blocker = full_limit(state, run, task)) return blocker;
  return reached_rate(state, run, task);
}

bool is_paused(const State& state, const Blocker& what) {
  return !state.pauses.empty() && state.pauses.contains(what);
}

bool is_held_back(const State& state, const std::string& worker) {
  return !state.pauses.empty() && (is_paused(state, Blocker::worker_paused(worker)) ||
                                   is_paused(state, Blocker::worker_draining(worker)));
}

const std::string& queue_of(const Run& run, const Task& task) {
  return model::queue_of(run.program->action(task.row).queue, *task.row.flow);
}

std::string_view function_of(const Run& run, const Task& task) {
  return model::function_of(run.program->action(task.row));
}

std::string line_name(std::string_view queue, std::string_view function) {
  std::string name(queue);
  if (!function.empty()) name.append("/").append(function);
  return name;
}

std::string line_name(const Run& run, const Task& task) {
  return line_name(queue_of(run, task), function_of(run, task));
}

Line& line_of(State& state, const Run& run, const Task& task) {
  auto& lines = state.queues[queue_of(run, task)].lines;
  const std::string_view function = function_of(run, task);
  const auto found = lines.find(function);
  return found != lines.end() ? found->second : lines[std::string(function)];
}

void draw_place(State& state, const Run& run, Task& task) {
  task.row.order = ++state.last_order;
  const std::string& queue = queue_of(run, task);
  const std::string& fair_key = flow_of(run, task).fair_key;
  task.row.turn =
      take_turn(state.queues[queue], task.row.priority, fair_key, weight_of(state, queue, fair_key));
}

void stand_last(State& state, const Run& run, Task& task) {
  leave_line(state, task);
  draw_place(state, run, task);
  stand_again(state, run, task);
}

void stand_again(State& state, const Run& run, Task& task) {
  leave_line(state, task);
  stand_in(state, line_of(state, run, task), task);
  note_idle(state, run);
}

void recall_place(State& state, const Run& run, const Task& task) {
  state.last_order = std::max(state.last_order, task.row.order);
  const std::string& queue = queue_of(run, task);
  const std::string& fair_key = flow_of(run, task).fair_key;
  remember_turn(state.queues[queue], task.row.priority, fair_key, task.row.turn,
                weight_of(state, queue, fair_key));
}

void block(State& state, Task& task, const Blocker& blocker) {
  const auto left = take_out(state, task);
  if (task.row.order == 0) state.order_of_pending[task.row.key] = ++state.last_order;
  Line& line = state.blocked[blocker];
  line.blocker = blocker;
  stand_in(state, line, task);
  // Not before it stands in its new line, which may be the one that it was let past from.
  break_promise(state, task);
  if (left) look_again(state, *left);
}

void stand_outside(State& state, const Run& run, Task& task, const Blocker& full) {
  if (task.row.order == 0) draw_place(state, run, task);
  block(state, task, full);
}

void leave_line(State& state, Task& task) {
  if (task.line == nullptr) return;
  const auto left = take_out(state, task);
  break_promise(state, task);
  if (left) look_again(state, *left);
}

void change_priority(State& state, const Run& run, Task& task, std::uint8_t priority) {
  Line* line = task.line;
  if (line == nullptr) {
    task.row.priority = priority;
    // Its place was one among those of the old priority; it draws another.
    if (task.row.status == model::TaskStatus::pending) task.row.order = 0;
    return;
  }
  line->tasks.erase(place_of(state, task));
  task.row.priority = priority;
  if (task.row.order != 0) draw_place(state, run, task);
  line->tasks.emplace(place_of(state, task), task.row.key);
  break_promise(state, task);
  if (line->blocker) look_again(state, Blocker(*line->blocker));
}

bool rank_tasks(State& state, Work& work, Effects& effects, std::size_t row_limit) {
  Run* run = state.find(work.task.run);
  if (run == nullptr || model::is_terminal(run->row.status)) return false;
  for (; work.cursor < run->tasks.size(); ++work.cursor) {
    if (effects.rows() >= row_limit) return true;
    Task& task = run->tasks[work.cursor];
    const std::uint8_t priority = priority_of(*run, task.row.step);
    if (task.row.priority == priority || model::is_terminal(task.row.status)) continue;
    change_priority(state, *run, task, priority);
    if (task.stored) effects.touch(*run, work.cursor);
  }
  return false;
}

std::size_t release(State& state, const Blocker& blocker, std::size_t at_most) {
  const auto found = state.blocked.find(blocker);
  if (found == state.blocked.end()) return 0;
  auto& tasks = found->second.tasks;
  std::size_t count = 0;
  for (; count < at_most && !tasks.empty(); ++count) {
    if (seeded_bug(Bug::resume_leaves_one_behind) && count > 0 && tasks.size() == 1) {
      state.find(tasks.begin()->second.run)->tasks[tasks.begin()->second.ordinal].line = nullptr;
      tasks.clear();
      break;
    }
    const TaskKey key = tasks.begin()->second;
    tasks.erase(tasks.begin());
    Run& run = *state.find(key.run);
    Task& task = run.tasks[key.ordinal];
    task.line = nullptr;
    state.order_of_pending.erase(key);
    if (task.row.status != model::TaskStatus::pending && !is_child_due(run, task.row)) {
      stand_again(state, run, task);
    } else {
      state.work.push_back({WorkKind::ready, key, 0});
    }
  }
  if (tasks.empty()) state.blocked.erase(found);
  if (count > 0) want_dispatch(state);
  return count;
}

void release(State& state, const Blocker& blocker) {
  if (!state.blocked.contains(blocker)) return;
  state.releasing.push_back(blocker);
  state.work.push_back({WorkKind::release, {}, 0});
}

bool release_pending(State& state) {
  if (state.releasing.empty()) return false;
  const Blocker blocker = std::move(state.releasing.front());
  state.releasing.pop_front();
  if (blocker.kind == BlockerKind::limit_full) {
    if (!let_past_limit(state, blocker.name, kReleasedAtOnce)) return false;
  } else {
    release(state, blocker, kReleasedAtOnce);
    if (!state.blocked.contains(blocker)) return false;
  }
  state.releasing.push_back(blocker);
  return true;
}

}  // namespace baton::engine
