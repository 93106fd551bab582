#include "engine/explain.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "base/text.hpp"
#include "engine/endings.hpp"
#include "engine/explain_limits.hpp"
#include "engine/gates.hpp"
#include "engine/run_limits.hpp"
#include "engine/stopping.hpp"

namespace baton::engine {
namespace {

using model::Blocker;
using model::Reason;
using model::RunStatus;
using model::TaskStatus;

constexpr std::size_t kTasksNamed = 20;    // of one reason
constexpr std::size_t kTasksNamedAll = 5;  // of one reason of a whole run
constexpr std::size_t kReasons = 20;
constexpr std::size_t kAheadCounted = 10'000;

WallTime wall_of(ShardTime at, const Moment& moment) {
  return moment.wall + (at - moment.now);
}

std::string quoted(const model::Pause& pause) {
  std::string text = " by " + pause.by;
  if (!pause.why.empty()) text += ": " + pause.why;
  return text;
}

Reason breaker_open(const State& state, const std::string& breaker, const Moment& moment) {
  Reason reason{.code = "breaker_open", .subject = breaker};
  reason.message = "breaker " + breaker + " lets nothing through";
  const auto found = state.breakers.find(breaker);
  if (found == state.breakers.end()) return reason;
  const model::BreakerRow& row = found->second.row;
  if (row.force == model::BreakerForce::open) {
    reason.message = "breaker " + breaker + " was opened by " + row.forced_by;
    if (!row.reason.empty()) reason.message += ": " + row.reason;
  } else if (row.state == model::BreakerState::closed || row.force == model::BreakerForce::closed) {
    reason.message = "breaker " + breaker + " has closed; those that waited are let go bit by bit";
  } else {
    reason.message =
        "breaker " + breaker +
        (row.state == model::BreakerState::open ? " is open"
                                                : " is half-open, and enough probes are under way");
    if (!row.last_failure.empty()) reason.message += "; the last failure was " + printable(row.last_failure);
    if (row.state == model::BreakerState::open) reason.until = wall_of(row.open_until(), moment);
  }
  return reason;
}

Reason paused(const State& state, const Blocker& blocker) {
  Reason reason{.code = std::string(name(blocker.kind))};
  const auto found = state.pauses.find(blocker);
  if (found == state.pauses.end()) {
    reason.message = std::string(model::scope_of(blocker.kind)) + " is paused";
    return reason;
  }
  const model::Pause& pause = found->second;
  reason.subject = pause.name;
  if (blocker.kind == model::BlockerKind::worker_draining) {
    reason.message = describe(pause) + " is to end and takes nothing more; asked for" + quoted(pause);
    return reason;
  }
  reason.message = describe(pause) + " was paused" + quoted(pause);
  reason.until = pause.until;
  return reason;
}

Reason run_full(const Run& run) {
  return {.code = "max_parallel",
          .message = "the run has as many tasks under way as its max_parallel allows (" +
                     std::to_string(run.program->workflow().max_parallel) + ")",
          .count = run.active};
}

Reason queue_full(const State& state, const std::string& queue) {
  Reason reason{.code = std::string(name(model::BlockerKind::queue_full)), .subject = queue};
  const auto its = state.queues.find(queue);
  reason.count = its == state.queues.end() ? 0 : its->second.waiting;
  const auto set = state.queue_settings.find(queue);
  if (set == state.queue_settings.end() || set->second.max_waiting == 0 ||
      reason.count < set->second.max_waiting) {
    reason.message = "queue " + queue + " has room again; those that wait before it are let in bit by bit";
  } else {
    reason.message = "queue " + queue + " is full: " + std::to_string(reason.count) +
                     (reason.count == 1 ? " task waits" : " tasks wait") + " in it, and at most " +
                     std::to_string(set->second.max_waiting) + " may";
  }
  return reason;
}

Reason held(const State& state, const Run& run, const Task& task, const Blocker& blocker,
            const Moment& moment) {
  if (is_of_flow(blocker)) return flow_reason(state, run, task, blocker, moment);
  if (blocker.kind == model::BlockerKind::breaker_open) return breaker_open(state, blocker.name, moment);
  if (blocker.kind == model::BlockerKind::run_full) return run_full(run);
  if (blocker.kind == model::BlockerKind::queue_full) return queue_full(state, blocker.name);
  return paused(state, blocker);
}

// What holds it back: what it stands before, or will stand before when it comes to the front.
std::optional<Blocker> blocker_before(const State& state, const Run& run, const Task& task) {
  if (auto blocker = blocker_of(state, run, task)) return blocker;
  // A breaker that has closed lets those that wait go bit by bit.
  if (task.line != nullptr && task.line->blocker &&
      task.line->blocker->kind == model::BlockerKind::breaker_open) {
    return task.line->blocker;
  }
  return std::nullopt;
}

bool takes_from(const Worker& worker, const std::string& queue) {
  return worker.queues.empty() || std::ranges::find(worker.queues, queue) != worker.queues.end();
}

// Whether it takes tasks of this function, or any at all, from the queue. Of one that has not asked this
// owner yet, only its attempts say that.
bool serves(const State& state, const Worker& worker, const std::string& queue,
            std::optional<std::string_view> function = std::nullopt) {
  if (worker.asked) return takes_from(worker, queue) && (!function || worker.abilities.has(*function));
  return std::ranges::any_of(worker.attempts, [&](const auto& entry) {
    const Run* run = state.find(entry.second.task.run);
    if (run == nullptr) return false;
    const Task& task = run->tasks[entry.second.task.ordinal];
    return queue_of(*run, task) == queue && (!function || function_of(*run, task) == *function);
  });
}

// Nothing holds the task back but that no worker has taken it.
Reason waits_for_worker(const State& state, const std::string& queue, std::string_view function) {
  std::size_t workers = 0;
  bool others = false;  // that take tasks from the queue, but not of this function
  std::optional<Blocker> held_back;
  bool busy = false;  // one of them has something to do, or asks for it
  for (const auto& [name, worker] : state.workers) {
    if (!serves(state, worker, queue, function)) {
      others |= worker.asked && takes_from(worker, queue);
      continue;
    }
    ++workers;
    busy |= !worker.attempts.empty();
    for (const Blocker& blocker : {Blocker::worker_paused(name), Blocker::worker_draining(name)}) {
      if (is_paused(state, blocker)) held_back = blocker;
    }
  }
  if (workers == 0) {
    Reason none{
        .code = "no_worker", .message = "no worker takes tasks from queue " + queue, .subject = queue};
    if (others && function.empty()) {
      none.message = "the workers of queue " + queue + " take no steps but functions that they have";
    } else if (others) {
      none.message = "no worker of queue " + queue + " has the function " + std::string(function);
    } else if (!function.empty()) {
      none.message += "; it needs one that has the function " + std::string(function);
    }
    return none;
  }
  if (workers == 1 && held_back) return paused(state, *held_back);
  busy = busy || std::ranges::any_of(state.claims, [&](const Claim& claim) {
           const auto worker = state.workers.find(claim.worker);
           return worker != state.workers.end() && serves(state, worker->second, queue, function);
         });
  Reason waits{.code = "workers_busy",
               .message = workers == 1 ? "the worker of queue " + queue
                                       : "the " + std::to_string(workers) + " workers of queue " + queue,
               .subject = queue,
               .count = static_cast<std::uint32_t>(workers)};
  if (busy) {
    waits.message += workers == 1 ? " is busy" : " are busy";
  } else {
    // It is between two calls, or cannot take any: its disk is full, say.
    waits.message += workers == 1 ? " does not ask for tasks; its own messages say why"
                                  : " do not ask for tasks; their own messages say why";
  }
  return waits;
}

Reason why_queued(const State& state, const Run& run, const Task& task, const Moment& moment,
                  bool with_place) {
  if (is_closing(run, task)) return {.code = "stopping", .message = "it is about to be cancelled"};
  if (const auto blocker = blocker_before(state, run, task)) return held(state, run, task, *blocker, moment);
  const std::string& queue = queue_of(run, task);
  if (const Blocker whole = Blocker::queue_paused(queue); is_paused(state, whole))
    return paused(state, whole);
  Reason reason = waits_for_worker(state, queue, function_of(run, task));
  if (!with_place || task.line == nullptr || task.line->blocker) return reason;
  std::size_t ahead = 0;
  for (const auto& [place, key] : task.line->tasks) {
    if (key == task.row.key || ahead >= kAheadCounted) break;
    ++ahead;
  }
  if (ahead > 0) {
    reason.message += "; " + std::to_string(ahead) + (ahead >= kAheadCounted ? " or more" : "") +
                      (ahead == 1 ? " task stands" : " tasks stand") + " before it";
  }
  return reason;
}

Reason why_retrying(const Task& task, const Moment& moment) {
  if (task.row.held) {
    return {.code = "held", .message = "it failed and waits for a person: retry, skip or complete it"};
  }
  return {.code = "retry_delay",
          .message = "attempt " + std::to_string(task.row.starts) + " failed (" +
                     printable(task.row.error_type) + "); it is tried again after a delay",
          .until = wall_of(task.row.due, moment)};
}

bool waits_for_upstream(const Run& run, const Task& task) {
  return trigger(run.program->step(task.row.step).trigger_rule, task.upstream).kind == Trigger::Kind::wait;
}

Reason waits_for_steps(const Run& run, const Task& task) {
  Reason reason{.code = "needs"};
  std::string names;
  run.program->each_need(task.row.step, [&](Ordinal need) {
    if (model::is_terminal(run.tasks[need].row.status)) return;
    if (++reason.count > kTasksNamed) return;
    reason.tasks.push_back(need);
    names += (names.empty() ? "" : ", ") + run.program->name(need) + " (" +
             std::string(name(run.tasks[need].row.status)) + ")";
  });
  if (reason.count > kTasksNamed) names += ", …";
  reason.message = "waits until these have ended: " + names;
  return reason;
}

// Parked behind the run's max_parallel, or behind its own step's.
Reason over_limit(const Run& run, const Task& task) {
  if (task.parked || task.row.index < 0) return run_full(run);
  const Task& group = run.tasks[task.row.step];
  const std::uint32_t limit = run.program->step(task.row.step).max_parallel;
  if (limit > 0) {
    return {.code = "max_parallel",
            .message = "the step has as many items under way as its max_parallel allows (" +
                       std::to_string(limit) + ")",
            .count = group.items_active};
  }
  return {.code = "items_before",
          .message = "items before it wait in the queue: " + std::to_string(group.items_waiting),
          .count = group.items_waiting};
}

Reason why_pending(const State& state, const Run& run, const Task& task, const Moment& moment) {
  if (run.row.recovery.scope != model::Recovery::Scope::none) {
    return {.code = "recovering", .message = "its run is being recovered"};
  }
  if (waits_for_place(run.row)) return run_limit_reason(state, run);
  const model::Step& step = run.program->step(task.row.step);
  if (step.finally && run.row.stage != model::RunStage::finally) {
    return {.code = "finally", .message = "steps under `finally` start when all others have ended"};
  }
  if (task.row.index < 0 && waits_for_upstream(run, task)) return waits_for_steps(run, task);
  // Limits and rates are asked when it stands in its queue.
  if (const auto blocker = blocker_of(state, run, task); blocker && !is_of_flow(*blocker)) {
    return held(state, run, task, *blocker, moment);
  }
  if (task.parked && task.line != nullptr && task.line->blocker->kind != model::BlockerKind::run_full) {
    return held(state, run, task, *task.line->blocker, moment);
  }
  if (task.parked) return over_limit(run, task);
  if (task.helpers > 0 && !is_helper(task)) {
    return {.code = "giving_back",
            .message = "what its earlier attempts made is given back first",
            .count = task.helpers};
  }
  if (task.row.expanded) {
    const std::uint32_t ended = task.row.item_count - task.items_open;
    return {.code = "items",
            .message = std::to_string(ended) + " of its " + std::to_string(task.row.item_count) +
                       " items have ended",
            .count = task.items_open};
  }
  if (task.row.index >= 0) return over_limit(run, task);
  return {.code = "ready", .message = "it is being made ready"};
}

// A wait that nobody works for.
Reason why_waiting(const State& state, const Run& run, const Task& task, const Moment& moment) {
  using For = model::Wait::For;
  Reason reason{.code = "waiting"};
  if (task.row.waiting->wakes_at.us != 0) reason.until = task.row.waiting->wakes_at;
  switch (run.program->step(task.row.step).wait->what) {
    case For::span:
    case For::instant:
      reason.message = "waits until " + to_rfc3339(task.row.waiting->wakes_at);
      break;
    case For::signal:
      reason.message = "waits for the signal " + task.row.waiting->awaits;
      reason.subject = task.row.waiting->awaits;
      break;
    case For::approval:
      reason.message = "waits for an approval";
      if (!task.row.waiting->awaits.empty()) reason.message += ": " + printable(task.row.waiting->awaits);
      break;
    case For::run:
      reason.message = "waits for run " + task.row.waiting->child.text() + " of workflow " +
                       run.program->step(task.row.step).child->workflow;
      reason.subject = task.row.waiting->child.text();
      if (const Run* child = state.find(task.row.waiting->child.key()))
        reason.message += ", which is " + std::string(name(child->row.status));
      break;
    case For::poll:
      if (task.line != nullptr) {
        if (const auto blocker = blocker_of(state, run, task))
          return held(state, run, task, *blocker, moment);
        reason.message = "its next poll waits for a worker of queue " + queue_of(run, task);
        reason.subject = queue_of(run, task);
      } else {
        reason.message = "waits for its next poll; " + std::to_string(task.row.round) + " said not yet";
      }
      break;
  }
  return reason;
}

Reason why_running(const State& state, const Run& run, const Task& task, const Moment& moment) {
  if (!model::has_attempt(task.row)) return why_waiting(state, run, task, moment);
  Reason reason{
      .code = "running",
      .message = "attempt " + std::to_string(task.row.starts) + " is with worker " + task.row.worker,
      .subject = task.row.worker};
  if (task.row.stopping != model::Stopping::none) {
    reason.code = "stopping";
    reason.message += " and was told to stop";
  }
  return reason;
}

Reason why_ended(const model::TaskRow& row) {
  Reason reason{.code = "ended", .message = "it is " + std::string(name(row.status))};
  if (row.status == TaskStatus::skipped) {
    reason.message += " (" + std::string(name(row.skip_reason)) + ")";
  } else if (row.status == TaskStatus::failed) {
    reason.message +=
        " (" + printable(row.error_type) + "): " + printable(utf8_prefix(row.error_message, 300));
  }
  return reason;
}

Reason why(const State& state, const Run& run, const Task& task, const Moment& moment, bool with_place) {
  switch (task.row.status) {
    case TaskStatus::pending:
      return why_pending(state, run, task, moment);
    case TaskStatus::queued:
      return why_queued(state, run, task, moment, with_place);
    case TaskStatus::running:
      return why_running(state, run, task, moment);
    case TaskStatus::retrying:
      return why_retrying(task, moment);
    default:
      return why_ended(task.row);
  }
}

// What concerns the run itself, whatever its tasks do.
std::optional<Reason> why_run(const State& state, const Run& run, const Moment& moment) {
  const RunStatus status = run.row.status;
  if (model::is_terminal(status)) {
    Reason reason{.code = "ended", .message = "the run is " + std::string(name(status))};
    if (!run.row.error_type.empty()) {
      reason.message += " (" + printable(run.row.error_type) + ")";
      if (!run.row.error_message.empty()) {
        reason.message += ": " + std::string(utf8_prefix(run.row.error_message, 300));
      }
    }
    return reason;
  }
  if (status == RunStatus::paused) return paused(state, Blocker::run_paused(run.row.key));
  if (status == RunStatus::recovering) {
    if (run.row.recovery.due > moment.now) {
      return Reason{.code = "recovery_delay",
                    .message = "the run failed and recovers by itself after a delay",
                    .until = wall_of(run.row.recovery.due, moment)};
    }
    return Reason{.code = "recovering", .message = "the run is being recovered"};
  }
  if (waits_for_place(run.row) && status != RunStatus::cancelling) return run_limit_reason(state, run);
  if (status == RunStatus::cancelling) {
    return Reason{.code = "cancelling", .message = "the run is being cancelled"};
  }
  return std::nullopt;
}

}  // namespace

model::Explanation explain_task(const State& state, const Run& run, const Task& task, const Moment& moment) {
  model::Explanation answer{
      .run = run.row.id, .task = task.row.key.ordinal, .status = std::string(name(task.row.status))};
  if (task.old) {
    answer.reasons.push_back({.code = "replaced", .message = "it is of a list that a recovery has replaced"});
    return answer;
  }
  answer.reasons.push_back(why(state, run, task, moment, true));
  if (model::is_terminal(task.row.status)) return answer;
  if (auto whole = why_run(state, run, moment); whole && whole->code != answer.reasons[0].code) {
    answer.reasons.push_back(std::move(*whole));
  }
  return answer;
}

model::Explanation explain_run(const State& state, const Run& run, const Moment& moment) {
  model::Explanation answer{
      .run = run.row.id, .task = std::nullopt, .status = std::string(name(run.row.status))};
  if (auto whole = why_run(state, run, moment)) answer.reasons.push_back(std::move(*whole));
  if (model::is_terminal(run.row.status)) return answer;
  // Equal reasons are told once, with the number of tasks that they concern.
  std::map<std::pair<std::string, std::string>, std::size_t> known;
  for (const Task& task : run.tasks) {
    if (task.old || model::is_terminal(task.row.status)) continue;
    // What waits for another task of the run hangs on that one's reason.
    if (task.row.status == TaskStatus::pending && task.row.index < 0 && waits_for_upstream(run, task))
      continue;
    if (task.row.expanded) continue;
    Reason reason = why(state, run, task, moment, false);
    if (reason.code == "finally" ||
        (!answer.reasons.empty() && reason.code == answer.reasons[0].code && known.empty())) {
      continue;
    }
    const auto [at, fresh] = known.emplace(std::pair(reason.code, reason.subject), answer.reasons.size());
    if (!fresh) {
      if (at->second >= answer.reasons.size()) continue;
      Reason& same = answer.reasons[at->second];
      ++same.count;
      if (same.tasks.size() < kTasksNamedAll) same.tasks.push_back(task.row.key.ordinal);
      continue;
    }
    if (answer.reasons.size() >= kReasons) continue;
    reason.tasks = {task.row.key.ordinal};
    reason.count = 1;
    answer.reasons.push_back(std::move(reason));
  }
  return answer;
}

namespace {

// Those that definitions in memory name, and those that are paused.
std::vector<model::TargetView> survey_targets(const State& state) {
  std::map<std::string, model::TargetView> targets;
  const auto view = [&](const std::string& name) -> model::TargetView& {
    model::TargetView& target = targets[name];
    target.name = name;
    return target;
  };
  for (const auto& [hash, program] : state.programs) {
    for (const model::Step& step : program->workflow().steps) {
      if (step.target.empty()) continue;
      model::TargetView& target = view(step.target);
      if (step.breaker && target.breaker.empty()) target.breaker = step.breaker->name;
    }
  }
  for (const auto& [what, pause] : state.pauses) {
    if (what.kind == model::BlockerKind::target_paused) view(what.name);
  }
  const auto used_by = [&](const TaskKey& key) -> std::string {
    const Run* run = state.find(key.run);
    return run != nullptr ? run->program->action(run->tasks[key.ordinal].row).target : std::string();
  };
  for (const auto& [blocker, line] : state.blocked) {
    if (blocker.kind != model::BlockerKind::target_paused && blocker.kind != model::BlockerKind::breaker_open)
      continue;
    for (const auto& [place, key] : line.tasks) {
      if (const std::string target = used_by(key); !target.empty()) ++view(target).held;
    }
  }
  for (const auto& [name, worker] : state.workers) {
    for (const auto& [token, held] : worker.attempts) {
      if (const std::string target = used_by(held.task); !target.empty()) ++view(target).running;
    }
  }
  std::vector<model::TargetView> answer;
  for (auto& [name, target] : targets) answer.push_back(std::move(target));
  return answer;
}

}  // namespace

model::Survey survey(const State& state) {
  constexpr std::size_t kAttemptsNamed = 100;
  std::map<std::string, model::QueueView> queues;
  const auto queue = [&](const std::string& name) -> model::QueueView& {
    model::QueueView& view = queues[name];
    view.name = name;
    return view;
  };
  for (const auto& [name, its] : state.queues) {
    model::QueueView& view = queue(name);
    for (const auto& [function, line] : its.lines) {
      if (line.tasks.empty()) continue;
      const auto priority = static_cast<std::uint8_t>(9 - line.tasks.begin()->first.urgency);
      view.most_urgent = std::max(view.most_urgent.value_or(0), priority);
      view.queued += static_cast<std::uint32_t>(line.tasks.size());
    }
  }
  for (const auto& [name, settings] : state.queue_settings) queue(name).set = settings;
  for (const auto& [blocker, line] : state.blocked) {
    if (blocker.kind == model::BlockerKind::queue_full) {
      queue(blocker.name).pending = line.tasks.size();
      continue;
    }
    for (const auto& [place, key] : line.tasks) {
      const Run& run = *state.find(key.run);
      const Task& task = run.tasks[key.ordinal];
      if (task.row.status == TaskStatus::queued) ++queue(queue_of(run, task)).held;
    }
  }
  for (const auto& [what, pause] : state.pauses) {
    if (what.kind == model::BlockerKind::queue_paused) queue(what.name);
  }
  model::Survey answer;
  answer.targets = survey_targets(state);
  answer.limits = survey_limits(state);
  for (const auto& [pattern, route] : state.routes) answer.routes.push_back(route);
  std::set<std::string_view> waiting;
  for (const Claim& claim : state.claims) waiting.insert(claim.worker);
  for (const auto& [name, worker] : state.workers) {
    model::WorkerView view{.name = name,
                           .in_process = worker.in_process,
                           .queues = worker.queues,
                           .steps = worker.abilities.steps,
                           .functions = worker.abilities.functions};
    view.waiting = waiting.contains(name);
    view.attempts = static_cast<std::uint32_t>(worker.attempts.size());
    for (const auto& [token, held] : worker.attempts) {
      if (view.running.size() < kAttemptsNamed) view.running.push_back(held.task);
      const Run* run = state.find(held.task.run);
      if (run != nullptr) ++queue(queue_of(*run, run->tasks[held.task.ordinal])).running;
    }
    for (const std::string& served : worker.queues) queue(served);
    answer.workers.push_back(std::move(view));
  }
  for (auto& [name, view] : queues) {
    for (const auto& [worker_name, worker] : state.workers) view.workers += serves(state, worker, name);
    answer.queues.push_back(std::move(view));
  }
  return answer;
}

}  // namespace baton::engine
