#include "engine/dispatch.hpp"

#include <boost/json/serialize.hpp>
#include <utility>

#include "engine/attempts.hpp"
#include "engine/breakers.hpp"
#include "engine/deadlines.hpp"
#include "engine/endings.hpp"
#include "engine/gates.hpp"
#include "engine/items.hpp"
#include "engine/limits.hpp"
#include "engine/phases.hpp"
#include "engine/places.hpp"
#include "engine/queues.hpp"
#include "engine/rates.hpp"
#include "engine/rendering.hpp"
#include "engine/stopping.hpp"
#include "engine/timers.hpp"
#include "engine/turns.hpp"
#include "engine/waiting.hpp"

namespace baton::engine {
namespace {

constexpr std::size_t kLookAhead = 256;

// Tasks that one dispatch() moves away from the front of queues: cheap, but not free.
constexpr std::size_t kMovesPerDispatch = 10'000;

struct Search {
  std::size_t moves = kMovesPerDispatch;
  bool met_cold = false;  // a run has to be loaded before anything else can be chosen
};

// Names of functions come and go; a queue that is long-lived keeps no line of those that nothing waits for.
void drop_empty_lines(State& state) {
  for (auto& [name, queue] : state.queues) {
    std::erase_if(queue.lines,
                  [](const auto& entry) { return !entry.first.empty() && entry.second.tasks.empty(); });
  }
}

// The first task of the line that may start; those before it are moved to what blocks them. One that is
// about to be cancelled is dropped. nullptr: there is none, `moves` are used up, or its run is cold.
Task* front(State& state, Line& line, Run*& run, Search& search, const Moment& moment, Effects& effects,
            std::size_t row_limit) {
  while (!line.tasks.empty() && search.moves > 0) {
    const TaskKey key = line.tasks.begin()->second;
    run = state.find(key.run);
    if (run == nullptr) {
      search.met_cold = true;
      return nullptr;
    }
    Task& task = run->tasks[key.ordinal];
    if (is_closing(*run, task)) {
      leave_line(state, task);
    } else if (const auto blocker = blocker_of(state, *run, task)) {
      block(state, task, *blocker);
      reject_if_due(state, *run, task);
      // What cannot start keeps no other task of its run from starting.
      if (blocker->kind != model::BlockerKind::run_paused) leave_place(state, *run, task, moment, effects);
      if (effects.rows() >= row_limit) search.moves = 1;
    } else {
      return &task;
    }
    --search.moves;
  }
  return nullptr;
}

// Visits the lines that the claim takes tasks from, queue by queue, of queues that are not paused. `state` is
// const or not.
void for_each_line(auto& state, const Claim& claim, auto visit) {
  const auto offer = [&](const std::string& name, auto& queue) {
    if (is_paused(state, model::Blocker::queue_paused(name))) return;
    for (auto& [function, line] : queue.lines) {
      if (claim.abilities.has(function)) visit(queue, line);
    }
  };
  if (claim.queues.empty()) {
    for (auto& [name, queue] : state.queues) offer(name, queue);
    return;
  }
  for (const std::string& name : claim.queues) {
    if (const auto found = state.queues.find(name); found != state.queues.end()) offer(name, found->second);
  }
}

// Of the claim's lines the one whose first task is the most urgent, then the oldest: that task.
Task* choose(State& state, const Claim& claim, Run*& run, Search& search, const Moment& moment,
             Effects& effects, std::size_t row_limit) {
  Task* best = nullptr;
  Place best_place;
  const Queue* best_queue = nullptr;
  for_each_line(state, claim, [&](Queue& queue, Line& line) {
    Run* its_run = nullptr;
    Task* task = front(state, line, its_run, search, moment, effects, row_limit);
    if (task == nullptr) return;
    Place place = line.tasks.begin()->first;
    if (best != nullptr && best_queue != &queue)
      best_place.turn = place.turn;  // turns are of one queue alone
    if (best != nullptr && best_place < place) return;
    best = task;
    best_place = place;
    best_queue = &queue;
    run = its_run;
  });
  return search.moves == 0 || search.met_cold ? nullptr : best;
}

void start_attempt(State& state, Run& run, Task& task, const Claim& claim, const Moment& moment,
                   Effects& effects) {
  const model::Step& action = run.program->action(task.row);
  start_run(state, run, moment, effects);
  note_turn(state.queues[queue_of(run, task)], task.row.priority, task.row.turn);
  take_limits(state, run, task);
  model::TaskRow& row = task.row;
  if (is_wait(run, row)) {  // it is running all the time
    leave_line(state, task);
    row.order = 0;
  } else {
    leave_queue(state, run, task);
    take_place(run, task);
    if (!is_helper(task)) ++run.row.counts.running;
    row.status = model::TaskStatus::running;
  }
  use_rate(state, run, task, moment, effects);
  row.token = {state.incarnation, ++state.last_token};
  row.worker = claim.worker;
  row.in_process = claim.in_process;
  note_start(state, run, task);
  row.attempt_started = moment.now;
  row.progress = {};
  row.stopping = model::Stopping::none;
  row.stop_reason = model::StopReason::none;
  ++row.attempts;
  ++row.group_attempts;
  ++row.starts;
  if (row.started_at.us == 0) row.started_at = moment.wall;
  if (row.history.size() >= model::kHistoryLimit) row.history.erase(row.history.begin());
  row.history.push_back({.number = row.starts,
                         .token = row.token,
                         .worker = row.worker,
                         .started_at = moment.wall,
                         .phase = row.phase,
                         .generation = row.generation});
  Worker& worker = state.workers[claim.worker];
  worker.in_process = claim.in_process;
  worker.attempts.emplace(row.token, Worker::Held{row.key, moment.now});
  set_attempt_timer(state, task, action);
  task.heartbeat = moment.now;
  arm_clock(state, run, task);
  effects.touch(run, row.key.ordinal);
  effects.record(run, {.kind = model::FactKind::attempt_started,
                       .at = moment.wall,
                       .task = row.key.ordinal,
                       .step = row.step,
                       .index = row.index,
                       .attempt = row.starts,
                       .text = row.worker});
}

model::Assignment assignment_of(const State& state, const Run& run, const Task& task, ExecutorSpec spec,
                                const Moment& moment) {
  const model::TaskRow& row = task.row;
  const model::Step& action = run.program->action(row);
  const TimeLeft left = time_left(state, run, task, moment);
  return {row.token,
          {run.row.id, row.key.ordinal},
          run.program->name(row.step),
          row.starts,
          action.kind,
          std::move(spec.json),
          row.ready_at,
          run.row.created_at,
          {},
          spec.sealed,
          left.soft,
          left.hard};
}

}  // namespace

void enqueue(State& state, Run& run, Task& task, const Moment& moment, Effects& effects) {
  if (has_to_give_back(state, run, task)) return give_back_first(state, run, task, moment, effects);
  // It stood before its queue until now.
  const bool has_place = task.row.status == model::TaskStatus::pending && task.row.order != 0;
  task.row.status = model::TaskStatus::queued;
  task.row.held = false;
  task.row.queued_at = run_time(run, moment.now);
  start_task_clocks(run, task, moment);
  if (task.row.ready_at.us == 0) task.row.ready_at = moment.wall;
  if (task.row.index >= 0) ++run.tasks[task.row.step].items_waiting;
  count_in(state, run, task);
  if (has_place) {
    stand_again(state, run, task);
  } else {
    stand_last(state, run, task);
  }
  effects.touch(run, task.row.key.ordinal);
  effects.record(run, {.kind = model::FactKind::task_queued,
                       .at = moment.wall,
                       .task = task.row.key.ordinal,
                       .step = task.row.step,
                       .index = task.row.index,
                       .number = task.row.priority});
  arm_clock(state, run, task);
  reject_if_due(state, run, task);
  want_dispatch(state);
}

void leave_queue(State& state, Run& run, Task& task) {
  leave_line(state, task);
  if (task.row.index >= 0) --run.tasks[task.row.step].items_waiting;
  count_out(state, run, task);
}

void set_attempt_timer(State& state, Task& task, const model::Step& action) {
  const ShardTime give_up = task.row.waiting->give_up;  // of a wait: its poll is stopped as well
  if (action.timeout && action.timeout->soft.us > 0) {
    const ShardTime soft = task.row.attempt_started + action.timeout->soft;
    set_timer(state, task, give_up.us != 0 ? std::min(soft, give_up) : soft);
  } else if (give_up.us != 0) {
    set_timer(state, task, give_up);
  } else {
    clear_timer(state, task);
  }
}

void want_dispatch(State& state) {
  if (state.dispatch_pending || state.claims.empty()) return;
  state.dispatch_pending = true;
  state.work.push_back({WorkKind::dispatch, {}, 0});
}

bool dispatch(State& state, const Moment& moment, Effects& effects, std::size_t row_limit) {
  drop_empty_lines(state);
  Search search;
  bool more = false;
  // The claims stay where they are: what a look at one queue lets into another one may be for a claim that
  // had its turn already, and want_dispatch() has to see that there are some.
  for (std::size_t at = 0; at < state.claims.size();) {
    Claim& claim = state.claims[at];
    model::Claimed answer;
    const bool held_back = is_held_back(state, claim.worker);
    while (claim.free > 0 && !more && !held_back && !search.met_cold) {
      if (effects.rows() >= row_limit) {
        more = true;
        break;
      }
      Run* run = nullptr;
      Task* task = choose(state, claim, run, search, moment, effects, row_limit);
      if (task == nullptr) {
        more = search.moves == 0;
        break;
      }
      // Its place may have gone to another one while other queues were looked at.
      if (!task->slot && blocker_of(state, *run, *task)) continue;
      Needs missing;
      add_dispatch_needs(state, *run, *task, missing);
      if (!missing.empty()) break;
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
      answer.tasks.push_back(assignment_of(state, *run, *task, std::move(*spec), moment));
      if (answer.tasks.back().kind == model::StepKind::task)
        answer.tasks.back().trace = trace_of(state, *run);
      --claim.free;
    }
    if (answer.tasks.empty()) {
      ++at;
      continue;
    }
    state.timers.erase({claim.until, TimerKind::claim, {}, claim.worker});
    effects.reply(claim.reply_to, std::move(answer));
    state.claims.erase(state.claims.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return more;
}

void add_dispatch_needs(const State& state, Needs& needs) {
  for (const Claim& claim : state.claims) {
    if (is_held_back(state, claim.worker)) continue;
    for_each_line(state, claim, [&](const Queue&, const Line& line) {
      // Of each line, since any of them may have the most urgent tasks. Those that are blocked are counted,
      // too: dispatch() moves them away.
      std::size_t left = std::min<std::size_t>(claim.free, kLookAhead);
      bool met_cold = false;
      for (const auto& [place, key] : line.tasks) {
        if (left == 0 || needs.payloads.size() >= kLookAhead) break;
        --left;
        const Run* run = state.find(key.run);
        if (run == nullptr) {
          // One load for many costs little more than for one.
          if (!std::exchange(met_cold, true)) left = kLookAhead - 1;
          add_cold_needs(state, key.run, needs);
          continue;
        }
        const Task& task = run->tasks[key.ordinal];
        if (!is_closing(*run, task) && !blocker_of(state, *run, task))
          add_dispatch_needs(state, *run, task, needs);
      }
    });
  }
}

}  // namespace baton::engine
