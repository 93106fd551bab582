#include "engine/dispatch.hpp"

#include <boost/json/serialize.hpp>

#include "engine/flow.hpp"
#include "engine/rendering.hpp"
#include "engine/timers.hpp"

namespace baton::engine {
namespace {

constexpr std::size_t kLookAhead = 256;

// The task behind an entry, if the entry still counts.
Task* live(State& state, const QueueEntry& entry, Run*& run) {
  run = state.find(entry.task.run);
  if (run == nullptr || entry.task.ordinal >= run->tasks.size()) return nullptr;
  Task& task = run->tasks[entry.task.ordinal];
  return task.row.status == model::TaskStatus::queued && task.ticket == entry.ticket ? &task : nullptr;
}

// The first live entry of the queue; void ones before it are dropped.
std::deque<QueueEntry>* front_level(State& state, Queue& queue) {
  for (auto level = queue.levels.rbegin(); level != queue.levels.rend(); ++level) {
    Run* run = nullptr;
    while (!level->empty() && live(state, level->front(), run) == nullptr) level->pop_front();
    if (!level->empty()) return &*level;
  }
  return nullptr;
}

// Of the claim's queues the one whose first task is the most urgent, then the oldest.
std::deque<QueueEntry>* choose(State& state, const Claim& claim) {
  std::deque<QueueEntry>* best = nullptr;
  int best_priority = -1;
  for (const std::string& name : claim.queues) {
    const auto found = state.queues.find(name);
    if (found == state.queues.end()) continue;
    std::deque<QueueEntry>* level = front_level(state, found->second);
    if (level == nullptr) continue;
    const int priority = static_cast<int>(level - found->second.levels.data());
    if (priority > best_priority ||
        (priority == best_priority && level->front().order < best->front().order)) {
      best = level;
      best_priority = priority;
    }
  }
  return best;
}

Result<model::Assignment> assign(State& state, Run& run, Task& task, const Claim& claim, const Moment& moment,
                                 Effects& effects) {
  const model::Step& step = run.program->step(task.row.step);
  TRY(std::string spec, executor_spec(state, run, task));
  start_run(run, moment, effects);
  leave_queue(run, task);
  model::TaskRow& row = task.row;
  row.status = model::TaskStatus::running;
  row.token = {state.incarnation, ++state.last_token};
  row.worker = claim.worker;
  row.in_process = claim.in_process;
  row.attempt_started = moment.now;
  row.stopping = model::Stopping::none;
  row.stop_reason = model::StopReason::none;
  ++row.attempts;
  ++row.starts;
  if (row.started_at.us == 0) row.started_at = moment.wall;
  if (row.history.size() >= model::kHistoryLimit) row.history.erase(row.history.begin());
  row.history.push_back(
      {row.starts, row.token, row.worker, moment.wall, {}, model::AttemptEnd::running, {}, {}});
  ++run.row.counts.running;
  Worker& worker = state.workers[claim.worker];
  worker.in_process = claim.in_process;
  worker.attempts.emplace(row.token, row.key);
  if (step.timeout) set_timer(state, task, moment.now + step.timeout->soft);
  effects.touch(run, row.key.ordinal);
  effects.record(run, {.kind = model::FactKind::attempt_started,
                       .at = moment.wall,
                       .task = row.key.ordinal,
                       .step = row.step,
                       .index = row.index,
                       .attempt = row.starts,
                       .text = row.worker});
  return model::Assignment{row.token,    {run.row.id, row.key.ordinal},
                           step.name,    row.starts,
                           step.kind,    std::move(spec),
                           row.ready_at, run.row.created_at};
}

}  // namespace

void enqueue(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  const model::Step& step = run.program->step(task.row.step);
  task.row.status = model::TaskStatus::queued;
  if (task.row.ready_at.us == 0) task.row.ready_at = moment.wall;
  if (task.row.index >= 0) ++run.tasks[task.row.step].items_queued;
  state.queues[step.queue].levels[task.row.priority].push_back(
      {task.row.key, ++task.ticket, ++state.last_order});
  effects.touch(run, task.row.key.ordinal);
  effects.record(run, {.kind = model::FactKind::task_queued,
                       .at = moment.wall,
                       .task = task.row.key.ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .number = task.row.priority});
  want_dispatch(state);
}

void leave_queue(Run& run, Task& task) {
  ++task.ticket;
  if (task.row.index >= 0) --run.tasks[task.row.step].items_queued;
}

void want_dispatch(State& state) {
  if (state.dispatch_pending || state.claims.empty()) return;
  state.dispatch_pending = true;
  state.work.push_back({WorkKind::dispatch, {}, 0});
}

bool dispatch(State& state, const Moment& moment, Effects& effects, std::size_t row_limit) {
  std::deque<Claim> waiting;
  bool more = false;
  while (!state.claims.empty()) {
    Claim claim = std::move(state.claims.front());
    state.claims.pop_front();
    model::Claimed answer;
    while (claim.free > 0 && !more) {
      if (effects.rows() >= row_limit) {
        more = true;
        break;
      }
      std::deque<QueueEntry>* level = choose(state, claim);
      if (level == nullptr) break;
      Run* run = nullptr;
      Task* task = live(state, level->front(), run);
      Needs missing;
      add_dispatch_needs(state, *run, *task, missing);
      if (!missing.empty()) break;
      level->pop_front();
      auto assignment = assign(state, *run, *task, claim, moment, effects);
      if (!assignment) {
        // Its stored input cannot be read: this task fails, the others go on.
        leave_queue(*run, *task);
        fail_task(state, *run, *task,
                  {.type = model::error_type::kExpression, .message = assignment.error().message}, moment,
                  effects);
        continue;
      }
      answer.tasks.push_back(std::move(*assignment));
      if (task->row.index >= 0) refill(state, *run, run->tasks[task->row.step]);
      --claim.free;
    }
    if (answer.tasks.empty()) {
      waiting.push_back(std::move(claim));
    } else {
      state.timers.erase({claim.until, TimerKind::claim, {}, claim.worker});
      effects.reply(claim.reply_to, std::move(answer));
    }
  }
  state.claims = std::move(waiting);
  return more;
}

void add_dispatch_needs(const State& state, Needs& needs) {
  for (const Claim& claim : state.claims) {
    std::size_t left = std::min<std::size_t>(claim.free, kLookAhead);
    for (const std::string& name : claim.queues) {
      const auto found = state.queues.find(name);
      if (found == state.queues.end()) continue;
      for (auto level = found->second.levels.rbegin(); level != found->second.levels.rend() && left > 0;
           ++level) {
        for (const QueueEntry& entry : *level) {
          if (left == 0 || needs.payloads.size() >= kLookAhead) break;
          Run* run = nullptr;
          const Task* task = live(const_cast<State&>(state), entry, run);
          if (task == nullptr) continue;
          add_dispatch_needs(state, *run, *task, needs);
          --left;
        }
      }
    }
  }
}

}  // namespace baton::engine
