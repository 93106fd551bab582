#include "engine/testing/state_checks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "engine/breakers.hpp"
#include "engine/caching.hpp"
#include "engine/children.hpp"
#include "engine/endings.hpp"
#include "engine/explain_limits.hpp"
#include "engine/flow.hpp"
#include "engine/gates.hpp"
#include "engine/limits.hpp"
#include "engine/load.hpp"
#include "engine/queues.hpp"
#include "engine/run_limits.hpp"
#include "engine/stopping.hpp"
#include "engine/waiting.hpp"

namespace baton::engine::testing {
namespace {

using model::TaskStatus;

// What will take up tasks again.
struct Agenda {
  std::set<std::pair<WorkKind, TaskKey>> work;
  std::set<std::tuple<std::string, int, TaskKey>> queued;      // line of a queue, priority, task
  std::set<std::tuple<model::Blocker, int, TaskKey>> blocked;  // by what, priority, task
  std::set<std::string> claimed;                               // lines that a claim waits for

  explicit Agenda(const State& state) {
    for (const Work& piece : state.work) work.emplace(piece.kind, piece.task);
    for (const auto& [name, queue] : state.queues) {
      for (const auto& [function, line] : queue.lines) {
        for (const auto& [place, task] : line.tasks)
          queued.emplace(line_name(name, function), 9 - place.urgency, task);
      }
    }
    for (const auto& [blocker, line] : state.blocked) {
      for (const auto& [place, task] : line.tasks) blocked.emplace(blocker, 9 - place.urgency, task);
    }
    for (const Claim& claim : state.claims) {
      if (is_held_back(state, claim.worker)) continue;
      for (const auto& [name, queue] : state.queues) {
        if (!claim.queues.empty() && std::ranges::find(claim.queues, name) == claim.queues.end()) continue;
        for (const auto& [function, line] : queue.lines) {
          if (claim.abilities.has(function)) claimed.insert(line_name(name, function));
        }
      }
    }
  }
};

std::string label(const Task& task) {
  return "task " + std::to_string(task.row.key.run.sequence()) + "." + std::to_string(task.row.key.ordinal) +
         " (step " + std::to_string(task.row.step) + ", item " + std::to_string(task.row.index) + ", " +
         std::string(name(task.row.status)) + ")";
}

// Where it stands, for messages.
std::string place(const State& state, const Run& run, const Task& task) {
  if (task.line == nullptr) return " in no line";
  std::string text = " in the line of ";
  text += task.line->blocker ? std::string(name(task.line->blocker->kind)) + " " + task.line->blocker->name
                             : "queue " + line_name(run, task);
  const auto blocker = blocker_of(state, run, task);
  return text + ", blocked by " +
         (blocker ? std::string(name(blocker->kind)) + " " + blocker->name : "nothing");
}

class RunCheck {
 public:
  RunCheck(const State& state, const Agenda& agenda, const Run& run)
      : state_(state), agenda_(agenda), run_(run) {}

  void rows(const SealedRun& run_row, const SealedTask& task_row) {
    const model::RunRow* sealed = run_row(run_.row.key);
    ASSERT_NE(sealed, nullptr) << "a run was never stored";
    EXPECT_EQ(*sealed, run_.row) << "a change of a run is in no batch";
    for (const Task& task : run_.tasks) {
      const model::TaskRow* row = task_row(task.row.key);
      ASSERT_EQ(row != nullptr, task.stored) << label(task);
      if (row != nullptr) {
        EXPECT_EQ(*row, task.row) << "a change is in no batch: " << label(task);
      } else {
        EXPECT_EQ(task.row.status, TaskStatus::pending) << label(task);
        EXPECT_FALSE(task.row.has_input) << label(task);
      }
    }
  }

  // Against a run that is made of the rows alone.
  void derived() {
    State other;
    other.settings = state_.settings;
    std::vector<model::TaskRow> rows;
    for (const Task& task : run_.tasks) {
      if (task.stored) rows.push_back(task.row);
    }
    std::vector<AddedPart> additions;
    for (const Part& part : run_.program->parts()) additions.push_back({part.is, part.program});
    const Status admitted =
        admit(other, run_.row, std::move(rows), run_.program->definition(), std::move(additions));
    ASSERT_TRUE(admitted) << admitted.error().message;
    const Run& fresh = *other.find(run_.row.key);
    EXPECT_EQ(fresh.open_main, run_.open_main);
    EXPECT_EQ(fresh.open_finally, run_.open_finally);
    EXPECT_EQ(fresh.waiters, run_.waiters);
    std::uint32_t places = 0;
    for (const Task& task : run_.tasks) {
      places += task.slot ? 1 : 0;
      if (task.slot) EXPECT_TRUE(model::is_active(task.row.status)) << label(task);
      if (task.row.status == TaskStatus::running && !is_wait(run_, task.row)) {
        EXPECT_NE(task.slot, is_helper(task)) << label(task);
      }
    }
    EXPECT_EQ(run_.active, places);
    const std::uint32_t limit = run_.program->workflow().max_parallel;
    if (limit > 0) EXPECT_LE(fresh.active, limit);
    EXPECT_EQ(fresh.done_weight, run_.done_weight);
    EXPECT_EQ(fresh.partial_weight, run_.partial_weight);
    EXPECT_EQ(fresh.any_failed, run_.any_failed);
    EXPECT_EQ(fresh.finally_failed, run_.finally_failed);
    EXPECT_EQ(fresh.open_helpers, run_.open_helpers);
    EXPECT_EQ(fresh.open_compensations, run_.open_compensations);
    EXPECT_EQ(fresh.cleanups, run_.cleanups);
    EXPECT_EQ(fresh.compensations, run_.compensations);
    EXPECT_EQ(fresh.returns, run_.returns);
    EXPECT_EQ(fresh.last_end_order, run_.last_end_order);
    ASSERT_EQ(fresh.tasks.size(), run_.tasks.size());
    for (std::size_t i = 0; i < run_.tasks.size(); ++i) {
      const Task& a = fresh.tasks[i];
      const Task& b = run_.tasks[i];
      EXPECT_EQ(a.row, b.row) << label(b);
      EXPECT_EQ(a.upstream, b.upstream) << label(b);
      EXPECT_EQ(a.helpers, b.helpers) << label(b);
      if (!b.row.expanded || is_terminal(b.row.status)) continue;
      const std::uint32_t parked = parked_items(b);
      EXPECT_EQ(a.items_open, b.items_open) << label(b);
      EXPECT_EQ(a.items_failed, b.items_failed) << label(b);
      EXPECT_EQ(a.items_cancelled, b.items_cancelled) << label(b);
      EXPECT_EQ(a.items_waiting + parked, b.items_waiting) << label(b);
      EXPECT_EQ(a.items_active + parked, b.items_active) << label(b);
      // A sweep ends items out of order; nothing is made ready after it. Items that kept their results in a
      // recovery are passed over when their turn comes.
      std::uint32_t next = b.next_item;
      while (next < b.row.item_count &&
             run_.tasks[b.row.first_item + next].row.status != TaskStatus::pending) {
        ++next;
      }
      if (!is_closing(run_, b) && !b.sweeping) EXPECT_LE(a.next_item, next) << label(b);
    }
  }

  void limits() {
    const std::uint32_t limit = run_.program->workflow().max_parallel;
    if (limit > 0) EXPECT_LE(run_.active, limit);
    for (const Ordinal i : run_.program->steps()) {
      const Task& group = run_.tasks[i];
      const std::uint32_t of_step = run_.program->step(i).max_parallel;
      if (group.row.expanded && of_step > 0) EXPECT_LE(group.items_active, of_step) << label(group);
      if (group.row.expanded && of_step == 0) {
        EXPECT_LE(fresh_items(group), state_.settings.item_window) << label(group);
      }
    }
  }

  void pauses() {
    EXPECT_EQ(run_.row.status == model::RunStatus::paused,
              is_paused(state_, model::Blocker::run_paused(run_.row.key)));
    if (!is_terminal(run_.row.status)) return;
    const auto step = state_.pauses.lower_bound(model::Blocker::step_paused(run_.row.key, 0));
    EXPECT_FALSE(step != state_.pauses.end() && step->first.kind == model::BlockerKind::step_paused &&
                 step->first.run == run_.row.key)
        << "a step of a run that is over is paused";
  }

  void not_stuck() {
    if (is_terminal(run_.row.status)) {
      for (const Task& task : run_.tasks)
        if (!is_helper(task)) EXPECT_TRUE(is_terminal(task.row.status)) << "left behind: " << label(task);
      return;
    }
    if (waits_for_place(run_.row) && run_.row.status != model::RunStatus::cancelling) return;
    bool open = has_ending_work() || run_.row.status == model::RunStatus::paused ||
                run_.row.recovery.scope != model::Recovery::Scope::none;
    for (const Task& task : run_.tasks) {
      if (is_terminal(task.row.status)) continue;
      EXPECT_TRUE(goes_on(task)) << "stuck: " << label(task) << place(state_, run_, task);
      open |= is_helper(task) || run_.row.stage == model::RunStage::main ||
              run_.row.stage == model::RunStage::finally;
    }
    EXPECT_TRUE(open) << "stuck: nothing goes on in stage " << name(run_.row.stage);
  }

 private:
  // Made ready and not yet started; those that came back from a worker are beside the window.
  std::uint32_t fresh_items(const Task& group) const {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < group.row.item_count; ++i) {
      const Task& item = run_.tasks[group.row.first_item + i];
      count += item.parked || (item.row.status == TaskStatus::queued && item.row.starts == 0);
    }
    return count;
  }

  std::uint32_t parked_items(const Task& group) const {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < group.row.item_count; ++i)
      count += run_.tasks[group.row.first_item + i].parked;
    return count;
  }

  bool has_ending_work() const {
    return std::ranges::any_of(agenda_.work, [&](const auto& piece) {
      return is_ending(piece.first) && piece.second.run == run_.row.key;
    });
  }

  bool swept(const Task& task) const {
    if (is_helper(task)) return false;
    if (agenda_.work.contains({WorkKind::sweep, {run_.row.key, kWholeRun}})) return true;
    return task.row.index >= 0 && agenda_.work.contains({WorkKind::sweep, {run_.row.key, task.row.step}});
  }

  bool goes_on(const Task& task) const {
    if (swept(task)) return true;
    if (task.row.status == TaskStatus::pending && run_.row.recovery.scope != model::Recovery::Scope::none) {
      return agenda_.work.contains({WorkKind::reset, {run_.row.key, kWholeRun}}) ||
             state_.timers.contains(
                 {run_.row.recovery.due, TimerKind::recover, {run_.row.key, kWholeRun}, {}});
    }
    switch (task.row.status) {
      case TaskStatus::pending:
        return pending_goes_on(task);
      case TaskStatus::queued: {
        if (is_blocked(task) || agenda_.work.contains({WorkKind::reject, task.row.key})) return true;
        const std::string queue = line_name(run_, task);
        return agenda_.queued.contains({queue, task.row.priority, task.row.key}) &&
               (state_.dispatch_pending || !agenda_.claimed.contains(queue) ||
                is_paused(state_, model::Blocker::queue_paused(queue)));
      }
      case TaskStatus::running: {
        if (!model::has_attempt(task.row)) return wait_goes_on(task);
        const auto worker = state_.workers.find(task.row.worker);
        if (worker == state_.workers.end() || !worker->second.attempts.contains(task.row.token)) return false;
        const auto& timeout = run_.program->action(task.row).timeout;
        const bool timed = timeout && timeout->soft.us > 0 && task.row.stopping == model::Stopping::none;
        if ((timed || task.row.stopping == model::Stopping::soft) && !has_timer(task)) return false;
        return worker->second.in_process ||
               state_.timers.contains({worker->second.lease, TimerKind::lease, {}, task.row.worker});
      }
      case TaskStatus::retrying:
        if (is_fallback_due(task.row)) return agenda_.work.contains({WorkKind::ready, task.row.key});
        if (task.row.giving_back) return gives_back(task);
        if (is_child_due(run_, task.row))
          return is_blocked(task) || agenda_.work.contains({WorkKind::ready, task.row.key});
        return task.row.held || (has_timer(task) && task.timer == task.row.due);
      default:
        return true;
    }
  }

  bool gives_back(const Task& task) const {
    return task.helpers > 0 || agenda_.work.contains({WorkKind::give_back, task.row.key});
  }

  // It has a timer for its end, its poll is queued, or it waits for somebody.
  bool wait_goes_on(const Task& task) const {
    if (!is_wait(run_, task.row)) return false;
    const model::Wait& wait = *run_.program->step(task.row.step).wait;
    const bool in_line =
        is_blocked(task) || agenda_.queued.contains({line_name(run_, task), task.row.priority, task.row.key});
    switch (wait.what) {
      case model::Wait::For::span:
        return has_timer(task) && task.timer == task.row.due;
      case model::Wait::For::instant:
        return has_timer(task);
      case model::Wait::For::poll:
        if (task.row.giving_back) return gives_back(task) && (!wait.timeout || has_timer(task));
        if (in_line) return !wait.timeout || has_timer(task);
        return has_timer(task) && task.timer <= task.row.due;
      case model::Wait::For::signal:
        if (!run_.waiters.contains({task.row.waiting->awaits, task.row.waiting->since, task.row.key.ordinal}))
          return false;
        return !wait.timeout || (has_timer(task) && task.timer == task.row.waiting->give_up);
      case model::Wait::For::approval:
        return !wait.timeout || (has_timer(task) && task.timer == task.row.waiting->give_up);
      case model::Wait::For::run: {
        const Run* child = state_.find(task.row.waiting->child.key());
        return child != nullptr && !is_terminal(child->row.status) &&
               child->row.parent->task == TaskId{run_.row.id, task.row.key.ordinal};
      }
    }
    return false;
  }

  bool has_timer(const Task& task) const {
    return task.has_timer && state_.timers.contains({task.timer, TimerKind::task, task.row.key, {}});
  }

  // Stands before something that blocks it still, or is about to let it pass.
  bool is_blocked(const Task& task) const {
    if (task.line == nullptr || !task.line->blocker) return false;
    const model::Blocker& blocker = *task.line->blocker;
    if (!agenda_.blocked.contains({blocker, task.row.priority, task.row.key})) return false;
    if (blocker.kind == model::BlockerKind::breaker_open) {
      // Also one that lets others through again: its timer lets these past, or the end of its probe does.
      const Breaker& breaker = state_.breakers.at(blocker.name);
      if (breaker.timer || breaker.probing > 0 || is_held_by_breaker(state_, run_, task)) return true;
    }
    // Whatever else would hold it back, it is let past when a place is free.
    const std::uint32_t places = run_.program->workflow().max_parallel;
    if (blocker.kind == model::BlockerKind::run_full &&
        (run_.active >= places || agenda_.work.contains({WorkKind::fill, {run_.row.key, kWholeRun}}))) {
      return true;
    }
    if (is_of_flow(blocker)) return true;  // check_flow() looks at the whole line
    if (blocker.kind == model::BlockerKind::queue_full) return task.parked;  // and check_queues()
    return blocker_of(state_, run_, task) == blocker || is_paused(state_, blocker) ||
           std::ranges::find(state_.releasing, blocker) != state_.releasing.end();
  }

  bool pending_goes_on(const Task& task) const {
    if (is_blocked(task)) return true;
    if (agenda_.work.contains({WorkKind::ready, task.row.key})) return true;
    if (is_helper(task) && !task.parked) return false;
    if (task.parked) {
      return run_.active >= run_.program->workflow().max_parallel ||
             agenda_.work.contains({WorkKind::fill, {run_.row.key, kWholeRun}});
    }
    if (task.row.expanded) return task.items_open > 0;  // then its items are asked
    if (task.helpers > 0) return true;                  // its earlier generation gives things back
    if (task.row.index < 0) {
      const auto rule = run_.program->step(task.row.step).trigger_rule;
      return trigger(rule, task.upstream).kind == Trigger::Kind::wait ||
             (run_.program->step(task.row.step).finally && run_.row.stage != model::RunStage::finally);
    }
    const Task& group = run_.tasks[task.row.step];
    if (static_cast<std::uint32_t>(task.row.index) < group.next_item || group.sweeping) return false;
    const std::uint32_t limit = run_.program->step(task.row.step).max_parallel;
    const bool full = group.items_asking >= kMostAsking ||
                      (limit > 0 ? group.items_active + group.items_asking >= limit
                                 : group.items_waiting + group.items_asking >= state_.settings.item_window);
    return full || (group.refill_pending && agenda_.work.contains({WorkKind::expand, group.row.key}));
  }

  const State& state_;
  const Agenda& agenda_;
  const Run& run_;
};

}  // namespace

namespace {

bool is_releasing(const State& state, const model::Blocker& line) {
  return std::ranges::any_of(
      state.releasing, [&](const model::Blocker& b) { return b.kind == line.kind && b.name == line.name; });
}

// A run under a limit has a place or waits for one, and waits for nothing else.
void check_entry(const State& state, const Run& run,
                 std::map<std::string, std::map<TaskKey, std::uint32_t>>& held) {
  const model::Admission& admission = *run.row.admission;
  if (admission.limit.empty()) return;
  const std::pair place(static_cast<std::uint8_t>(9 - run.row.priority), run.row.key);
  if (admission.admitted) held[admission.limit][{run.row.key, kWholeRun}] = 1;
  const auto line = state.waiting_runs.find(admission.limit);
  const bool waits = line != state.waiting_runs.end() && line->second.contains(place);
  EXPECT_EQ(waits, waits_for_place(run.row));
  const bool coming = std::ranges::find(state.entering, admission.limit) != state.entering.end();
  if (!waits || coming || *line->second.begin() != place) return;
  const auto limit = state.limits.find(admission.limit);
  const bool set = limit != state.limits.end() && limit->second.set;
  EXPECT_GE(limit == state.limits.end() ? 0 : limit->second.in_use,
            set ? limit->second.set->limit : run.program->workflow().concurrency->limit)
      << "stuck before its limit";
}

// Limits are counted as the rows say and never exceeded; nobody stands in the line of a limit or rate for
// nothing.
void check_flow(const State& state) {
  std::map<std::string, std::map<TaskKey, std::uint32_t>> held;
  for (const auto& [run_key, run] : state.runs) {
    check_entry(state, *run, held);
    for (const Task& task : run->tasks) {
      if (!has_attempt(task.row)) continue;
      for (const model::LimitUse& use : flow_of(*run, task).limits) held[use.name][task.row.key] = use.amount;
    }
  }
  for (const auto& [name, limit] : state.limits) {
    EXPECT_EQ(held[name], limit.holders) << name;
    std::uint64_t sum = 0;
    for (const auto& [task, amount] : limit.holders) sum += amount;
    EXPECT_EQ(sum, limit.in_use) << name;
    EXPECT_TRUE(limit.set || !limit.holders.empty() || !limit.let_past.empty()) << "left behind: " << name;
  }
  for (const auto& [name, tasks] : held) EXPECT_TRUE(tasks.empty() || state.limits.contains(name)) << name;
  for (const auto& [blocker, line] : state.blocked) {
    if (!is_of_flow(blocker) || is_releasing(state, blocker)) continue;
    const Run& run = *state.find(line.tasks.begin()->second.run);
    const Task& first = run.tasks[line.tasks.begin()->second.ordinal];
    if (blocker.kind == model::BlockerKind::rate_reached) {
      const Rate& rate = state.rates.at(blocker.name);
      EXPECT_TRUE(rate.timer || rate.let_past.contains(blocker.line)) << "stuck: " << label(first);
      continue;
    }
    const auto& uses = flow_of(run, first).limits;
    const auto use = std::ranges::find(uses, blocker.name, &model::LimitUse::name);
    ASSERT_NE(use, uses.end()) << label(first);
    if (blocker.kind == model::BlockerKind::limit_small) {
      EXPECT_GT(use->amount, most_of(state, *use)) << "stuck: " << label(first);
      continue;
    }
    const Limit& limit = state.limits.at(blocker.name);
    const auto promised = limit.let_past.find(blocker.line);
    EXPECT_GT(limit.in_use + (promised == limit.let_past.end() ? 0 : promised->second) + use->amount,
              most_of(state, *use))
        << "stuck: " << label(first);
  }
}

// Of a cold run nothing is known but the place of its one task; of all others everything.
void check_cold(const State& state) {
  std::multiset<RunKey> standing;
  for (const auto& [name, queue] : state.queues) {
    for (const auto& [function, line] : queue.lines) {
      for (const auto& [place, task] : line.tasks) standing.insert(task.run);
    }
  }
  for (const RunKey key : state.cold) {
    EXPECT_EQ(state.find(key), nullptr) << "cold and in memory: run " << key.sequence();
    EXPECT_EQ(standing.count(key), 1u) << "cold run " << key.sequence();
  }
  for (const RunKey key : standing) EXPECT_TRUE(state.is_open(key)) << "run " << key.sequence();
  for (const auto& [blocker, line] : state.blocked) {
    for (const auto& [place, task] : line.tasks) {
      EXPECT_NE(state.find(task.run), nullptr) << "run " << task.run.sequence() << " stands before a blocker";
    }
  }
}

// The tasks that wait are counted; nobody stands before a queue that has room.
void check_queues(const State& state) {
  std::map<std::string, std::uint32_t> waiting;
  for (const auto& [run_key, run] : state.runs) {
    for (const Task& task : run->tasks) {
      if (task.row.status == TaskStatus::queued) ++waiting[queue_of(*run, task)];
    }
  }
  for (const auto& [name, queue] : state.queues) {
    for (const auto& [function, line] : queue.lines) {
      for (const auto& [place, task] : line.tasks) waiting[name] += state.cold.contains(task.run) ? 1 : 0;
    }
    EXPECT_EQ(waiting[name], queue.waiting) << name;
    const auto pieces = std::ranges::count(state.admitting, name);
    EXPECT_EQ(pieces, queue.admitting ? 1 : 0) << name;
    const bool has_line = state.blocked.contains(model::Blocker::queue_full(name));
    const auto set = state.queue_settings.find(name);
    const bool full = set != state.queue_settings.end() && set->second.max_waiting > 0 &&
                      queue.waiting >= set->second.max_waiting;
    EXPECT_TRUE(!has_line || full || queue.admitting) << "stuck before queue " << name;
  }
  for (const auto& [name, count] : waiting) EXPECT_TRUE(count == 0 || state.queues.contains(name)) << name;
}

}  // namespace

void check_state(const State& state, const SealedRun& run_row, const SealedTask& task_row) {
  const Agenda agenda(state);
  for (const auto& [key, run] : state.runs) {
    RunCheck check(state, agenda, *run);
    check.rows(run_row, task_row);
    check.derived();
    check.limits();
    check.pauses();
    check.not_stuck();
  }
  bool pending = false;
  for (const Work& piece : state.work) pending |= piece.kind == WorkKind::dispatch;
  EXPECT_EQ(pending, state.dispatch_pending);
  check_flow(state);
  check_cold(state);
  check_queues(state);
}

}  // namespace baton::engine::testing
