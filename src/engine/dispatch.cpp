#include "engine/dispatch.hpp"

#include <boost/json/serialize.hpp>

#include "engine/attempts.hpp"
#include "engine/flow.hpp"
#include "engine/rendering.hpp"
#include "engine/timers.hpp"

namespace baton::engine {
namespace {

constexpr std::size_t kLookAhead = 256;

// The task behind an entry, if the entry still counts. One that is about to be cancelled does not.
Task* live(State& state, const QueueEntry& entry, Run*& run) {
  run = state.find(entry.task.run);
  if (run == nullptr || entry.task.ordinal >= run->tasks.size()) return nullptr;
  Task& task = run->tasks[entry.task.ordinal];
  if (task.row.status != model::TaskStatus::queued || task.ticket != entry.ticket) return nullptr;
  return is_closing(*run, task) ? nullptr : &task;
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

void start_attempt(State& state, Run& run, Task& task, const Claim& claim, const Moment& moment,
                   Effects& effects) {
  const model::Step& step = run.program->step(task.row.step);
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
}

model::Assignment assignment_of(const Run& run, const model::TaskRow& row, std::string spec) {
  const model::Step& step = run.program->step(row.step);
  return {row.token,    {run.row.id, row.key.ordinal},
          step.name,    row.starts,
          step.kind,    std::move(spec),
          row.ready_at, run.row.created_at};
}

}  // namespace

void enqueue(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  const model::Step& step = run.program->step(task.row.step);
  task.row.status = model::TaskStatus::queued;
  if (task.row.ready_at.us == 0) task.row.ready_at = moment.wall;
  if (task.row.index >= 0) ++run.tasks[task.row.step].items_waiting;
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
  if (task.row.index >= 0) --run.tasks[task.row.step].items_waiting;
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
      auto spec = executor_spec(state, *run, *task);
      start_attempt(state, *run, *task, claim, moment, effects);
      if (task->row.index >= 0) refill(state, *run, run->tasks[task->row.step]);
      if (!spec) {
        // What its executor should get cannot be made (its stored input is damaged, `env` is no text): the
        // attempt fails here, the other tasks go on.
        model::Outcome outcome{.kind = model::Outcome::Kind::failed};
        outcome.failure = {.type = model::error_type::kExpression, .message = spec.error().message};
        settle(state, *run, *task, std::move(outcome), moment, effects);
        continue;
      }
      answer.tasks.push_back(assignment_of(*run, task->row, std::move(*spec)));
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
    for (const std::string& name : claim.queues) {
      const auto found = state.queues.find(name);
      if (found == state.queues.end()) continue;
      // Of each queue, since any of them may have the most urgent tasks.
      std::size_t left = std::min<std::size_t>(claim.free, kLookAhead);
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
