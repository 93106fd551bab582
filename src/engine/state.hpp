// What a shard knows, in memory. The stored part of a run and a task is its row; everything beside it is
// derived and is rebuilt by admit() (load.hpp) from rows and definition. Owned by one shard loop; no thread
// safety.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "calendar/zones.hpp"
#include "engine/program.hpp"
#include "engine/run_program.hpp"
#include "engine/trigger.hpp"
#include "engine/values.hpp"
#include "model/batch.hpp"
#include "model/blocker.hpp"
#include "model/breaker.hpp"
#include "model/command.hpp"
#include "model/limit.hpp"
#include "model/pause.hpp"
#include "model/queue.hpp"
#include "model/record.hpp"
#include "model/rows.hpp"

namespace baton::engine {

struct Line;

struct Task {
  model::TaskRow row;
  // Bits: tasks are many, and each is to take at most 512 bytes.
  bool stored : 1 = false;          // has a row in the store (or in a batch on its way there)
  bool sweeping : 1 = false;        // of a mapped step: its open items are being cancelled
  bool parked : 1 = false;          // ready, but stands before its full run or queue
  bool refill_pending : 1 = false;  // of a mapped step: an `expand` stands in State::work
  bool has_timer : 1 = false;
  bool has_clock : 1 = false;
  // An item of a list, or added by a generation, that a recovery has replaced; it counts nowhere.
  bool old : 1 = false;
  bool probe : 1 = false;          // its attempt went through a half-open breaker
  bool slot : 1 = false;           // it counts in Run::active
  bool asking : 1 = false;         // its cached result is being looked for: an entry in State::lookups
  bool let_past : 1 = false;       // it counts in State::let_past
  std::uint16_t items_asking = 0;  // of a mapped step: its items that are `asking`
  Upstream upstream;               // how its predecessors stand
  std::uint32_t helpers = 0;       // open tasks that serve it
  JournalSequence ended_in = 0;    // the commit that has its terminal state; 0 = before this owner
  JournalSequence touched_in = 0;  // the last commit that changes it
  ShardTime timer;                 // its entry in State::timers, if has_timer
  Line* line = nullptr;            // where it stands: a queue, or before a blocker; see gates.hpp
  ShardTime clock;                 // its entry of kind `clock` in State::timers, if has_clock
  ShardTime heartbeat;             // last sign of life of its attempt, as far as this owner knows

  // Of a mapped step that is expanded.
  std::uint32_t next_item = 0;        // the next one to be made ready
  std::uint32_t items_open = 0;       // not terminal
  std::uint32_t items_failed = 0;     // those that count
  std::uint32_t items_cancelled = 0;  // or skipped, because the run failed fast
  std::uint32_t items_waiting = 0;    // queued or parked
  std::uint32_t items_active = 0;     // parked, queued, running or retrying
};

// How far the cleanups of a run's steps are: a step's begin when those of all steps that needed it have
// ended.
struct CleanupWalk {
  enum class Place : std::uint8_t {
    waits,    // for others
    making,   // a piece of work makes its cleanups
    running,  // its cleanups are open
    cleaned
  };
  bool begun = false;
  std::uint32_t left = 0;                // steps that are not cleaned
  std::vector<std::uint32_t> waits_for;  // by step: direct successors that are not cleaned
  std::vector<Place> places;             // by step
};

struct Run {
  model::RunRow row;
  RunProgram program;
  std::vector<Task> tasks;  // by ordinal
  bool stored = false;
  bool counted_open = false;  // as the last batch that has it says
  JournalSequence touched_in = 0;
  std::size_t effects_slot = 0;  // its place in the effects of commit touched_in
  std::uint32_t open_main = 0;   // steps of the main phase that have not ended
  std::uint32_t open_finally = 0;
  std::uint32_t active = 0;  // tasks that hold a place under max_parallel, see places.hpp
  ShardTime clock;           // its entry of kind `run_clock` in State::timers, if has_clock
  bool has_clock = false;
  bool fill_pending = false;  // a `fill` stands in State::work
  std::set<std::tuple<std::string, ShardTime, Ordinal>>
      waiters;  // for a signal: its name, since when, the task
  std::uint64_t done_weight = 0;
  std::uint64_t partial_weight = 0;  // of what running attempts have reported
  bool any_failed = false;           // a main task failed that counts
  bool finally_failed = false;

  // Tasks that serve others (endings.hpp).
  std::uint32_t open_helpers = 0;
  std::uint32_t open_compensations = 0;
  std::unordered_map<Ordinal, std::uint32_t> open_cleanups;  // by step
  std::unordered_map<Ordinal, Ordinal> cleanups;             // the newest of a task
  std::unordered_map<Ordinal, Ordinal> compensations;
  std::unordered_map<Ordinal, Ordinal> returns;  // that gave back a resource
  std::uint32_t last_end_order = 0;              // highest TaskRow::end_order
  std::vector<Ordinal> to_undo;                  // stage compensate: the next one last
  std::set<Ordinal> leftovers;                   // tasks that have resources to be given back in this stage
  bool leftovers_listed = false;                 // they are known
  CleanupWalk cleanup_walk;                      // stage cleanup
};

struct Place {
  std::uint8_t urgency = 0;  // 9 minus the priority
  std::uint64_t turn = 0;    // within one queue: smaller is sooner, see turns.hpp
  std::uint64_t order = 0;   // grows with each task that becomes ready
  friend auto operator<=>(const Place&, const Place&) = default;
};

// See turns.hpp.
struct Turns {
  std::uint64_t now = 0;                      // the turn of the task that started last
  std::map<std::string, std::uint64_t> next;  // by fair key, of those that are ahead of now
  std::size_t tidy_at = 64;                   // size of `next` at which those that are not are taken out
};

// Tasks that wait for a worker or before a blocker: strict priority, then fair turns, then first come first
// served.
struct Line {
  std::map<Place, TaskKey> tasks;
  std::optional<model::Blocker> blocker;  // none: one of a queue's
};

// The tasks of a function stand in a line of their own, since only workers that have it can take them; those
// of all other steps share one. Priorities, turns and the bound are the whole queue's.
struct Queue {
  std::map<std::string, Line, std::less<>> lines;  // by function; "" = steps that are no functions
  std::map<std::uint8_t, Turns> turns;             // by priority
  std::uint32_t waiting = 0;  // tasks that are queued, those that something else blocks included
  bool admitting = false;     // an `admit` for it stands in State::work
};

// A task has left the line of a limit or rate for its queue, and those behind it count on its start.
struct LetPast {
  model::Blocker line;
  std::uint32_t amount = 1;  // of the limit
};

// See limits.hpp.
struct Limit {
  std::optional<model::LimitRow> set;  // by a person
  // How much each has: attempts that go on, and runs (ordinal kWholeRun).
  std::map<TaskKey, std::uint32_t> holders;
  std::uint64_t in_use = 0;  // by all of them
  std::map<std::string, std::uint64_t>
      let_past;  // by queue and function: what tasks want that have left its line
};

// See rates.hpp.
struct Rate {
  model::RateRow row;
  bool open = true;                               // another start is possible
  std::map<std::string, std::uint64_t> let_past;  // by queue and function: tasks that have left its line
  std::optional<ShardTime> timer;                 // its entry in State::timers: when it is open again
};

// See breakers.hpp.
struct Breaker {
  model::BreakerRow row;
  std::uint32_t probing = 0;       // probes under way
  std::optional<ShardTime> timer;  // its entry in State::timers
};

struct Worker {
  struct Held {
    TaskKey task;
    ShardTime named;  // when the worker last said that it has it; at first, when it was given out
  };
  bool in_process = false;
  ShardTime lease;                  // until then it counts as alive
  std::map<Token, Held> attempts;   // that it holds
  bool asked = false;               // for tasks, since this owner has the shard
  std::vector<std::string> queues;  // of its last claim; empty = all, if it has asked
  model::Abilities abilities;       // likewise
};

struct Claim {
  std::string worker;
  bool in_process = false;
  std::vector<std::string> queues;
  model::Abilities abilities;
  std::uint32_t free = 0;
  ShardTime until;
  model::ReplyTo reply_to = 0;
};

enum class TimerKind : std::uint8_t {
  task,       // the delay of a retry; soft and hard end of an attempt
  lease,      // of a worker
  claim,      // end of its wait
  clock,      // start timeout, heartbeat, deadline or sla of a task
  breaker,    // it has recovered, or lets the next part go
  run_clock,  // deadline or sla of a run
  resume,     // end of the pause that ends first
  recover,    // a run recovers by itself
  orphans,    // look for resources whose run is over or gone
  rate,       // a rate allows further starts
};
struct Timer {
  ShardTime at;
  TimerKind kind = TimerKind::task;
  TaskKey task;        // kinds task, clock; run_clock and recover: a run (ordinal kWholeRun)
  std::string worker;  // kinds lease and claim; of kinds breaker and rate: its name
  friend auto operator<=>(const Timer&, const Timer&) = default;
};

// Of a step, queue or target, see begin_waits_anew() in deadlines.hpp.
struct PauseOver {
  model::Blocker what;
  ShardTime at;
  Timer seen;  // how far the timers are looked through
};

// Work that is done bit by bit, in the order in which it came up.
enum class WorkKind : std::uint8_t {
  ready,     // a step or item whose predecessors have ended: skip it, compute it, or queue it
  expand,    // make more items of a mapped step ready
  child,     // the run that a step began has ended: the step ends as well
  sweep,     // cancel what is open of a run, or of a mapped step
  reset,     // begin the next generation of what a run's recovery names
  rank,      // bring queued tasks of a run to its new priority
  release,   // let tasks past the first of State::releasing
  admit,     // let tasks into the first queue of State::admitting
  fill,      // give the free places of a run to those that wait for one
  reject,    // a queued task does not wait for its open breaker
  dispatch,  // hand queued tasks to waiting claims
  enter,     // let runs begin that wait for a place under the first limit of State::entering
  hold,      // the runs that tasks of a run wait for are paused and resumed with it
  anew,      // the waits for a start that the first of State::pauses_over kept from ending begin anew
  // endings.hpp
  undo,       // begin the next compensation of a run
  cleanup,    // make the cleanups of a step; ordinal kWholeRun: begin with those of a run
  give_back,  // begin to give a task's next resource back, or queue the task if there is none
  leftovers,  // see to all resources of a run that are open
  orphans     // see to those of a run that is over or gone
};
struct Work {
  WorkKind kind = WorkKind::ready;
  TaskKey task;              // sweep of a whole run: ordinal kWholeRun
  std::uint32_t cursor = 0;  // sweep: where to go on
};
inline constexpr Ordinal kWholeRun = UINT32_MAX;

struct IdempotencyRecord {
  std::optional<model::IdempotencyChange> use;  // nullopt: looked up, not used
  RunId id;
  JournalSequence pinned = 0;
};

// A record in memory. One of a kind that is not resident leaves once its last change is durable.
struct KnownRecord {
  std::optional<model::Record> record;  // nullopt: looked up, there is none
  JournalSequence pinned = 0;
};

struct Settings {
  Duration lease = Duration::seconds(30);
  Duration cancel_grace = Duration::seconds(10);
  Duration idempotency_kept = Duration::hours(24);
  Duration orphan_scan = Duration::minutes(10);  // from one to the next, while there are resources
  std::uint32_t max_tasks_per_run = 250'000;
  std::size_t max_result = std::size_t{2} << 20;
  std::size_t max_list = std::size_t{16} << 20;  // bytes of a for_each list
  std::uint32_t item_window = 1000;              // items of a mapped step that are queued at once
  std::size_t runs_in_memory = 20'000;           // beyond, runs that only stand in a queue become cold
  std::uint32_t max_losses = 3;
  std::uint32_t max_interruptions = 10;
};

struct State {
  ShardId shard{};
  bool closed = false;  // its namespace is deleted: nothing begins any more
  std::uint32_t incarnation = 1;
  JournalSequence sequence = 1;  // of the batch that is being decided
  std::int64_t last_run = 0;
  std::uint64_t last_token = 0;
  std::uint64_t last_order = 0;
  Settings settings;
  std::shared_ptr<const calendar::ZoneTable> zones;

  std::unordered_map<RunKey, std::unique_ptr<Run>> runs;  // in memory; never iterated to decide anything
  std::map<Hash256, std::shared_ptr<const Program>> programs;
  std::size_t programs_at_most = 64;                     // then those that no run has are dropped
  std::map<Hash256, Error> unreadable;                   // stored definitions that are damaged
  std::map<std::string, std::vector<Hash256>> versions;  // of each workflow; version n stands at n − 1
  std::map<std::string, Queue> queues;
  std::map<model::Blocker, Line> blocked;
  std::deque<model::Blocker> releasing;           // one for each `release` in `work`
  std::deque<std::string> admitting;              // one for each `admit` in `work`
  std::deque<PauseOver> pauses_over;              // one for each `anew` in `work`
  std::map<model::Blocker, model::Pause> pauses;  // of records, see pauses.hpp
  std::map<std::string, Breaker> breakers;
  std::map<std::string, Limit> limits;  // that are set or in use
  std::map<TaskKey, LetPast> let_past;
  // By limit: runs that have not begun because it is full, by urgency and age. See run_limits.hpp.
  std::map<std::string, std::set<std::pair<std::uint8_t, RunKey>>> waiting_runs;
  std::deque<std::string> entering;  // one for each `enter` in `work`
  // Of tasks that stand before a blocker and were in no queue yet: their order there. It is not kept.
  std::map<TaskKey, std::uint64_t> order_of_pending;
  std::map<std::string, model::QueueRow> queue_settings;  // those that are set
  std::map<std::string, model::RouteRow> routes;          // by pattern
  std::map<std::string, Rate> rates;
  std::string rates_seen;  // how far those were looked through that are used up no more
  std::map<std::string, Worker> workers;
  std::deque<Claim> claims;
  std::set<Timer> timers;
  std::deque<Work> work;
  bool dispatch_pending = false;  // a dispatch stands in `work`
  ValueCache values;
  std::map<std::string, IdempotencyRecord> idempotency;
  std::map<model::RecordKey, KnownRecord> records;
  std::vector<model::RecordKey> passing;   // of `records`: those that leave once they are durable
  std::map<TaskKey, std::string> lookups;  // by task: the key of the cached result that it waits to be loaded
  std::optional<ShardTime> orphan_scan;    // its entry in `timers`
  std::map<RunKey, Error> absent;          // runs that `orphans` asked for in vain, and why
  // See residency.hpp.
  std::unordered_set<RunKey> cold;  // open runs that are not in memory
  std::vector<RunKey> ended;        // terminal runs that leave memory once that is durable
  // Removed in that commit, and not to be brought back by what was read before.
  std::unordered_map<RunKey, JournalSequence> removed;
  std::map<RunKey, model::RunHead> heads;  // that a command has asked for
  std::vector<RunKey> idle;                // that may become cold once that is durable

  Run* find(RunKey key) {
    const auto found = runs.find(key);
    return found == runs.end() ? nullptr : found->second.get();
  }
  const Run* find(RunKey key) const { return const_cast<State*>(this)->find(key); }

  // Whether the run has not ended, or its end is not durable yet.
  bool is_open(RunKey key) const { return find(key) != nullptr || cold.contains(key); }

  void know(const model::RecordKey& key, KnownRecord known) {
    if (!known.record || !model::is_resident(key.kind)) passing.push_back(key);
    records.insert_or_assign(key, std::move(known));
  }
  // Null if there is none; one of a kind that is not resident must have been asked for by needs_of().
  const model::Record* record(const model::RecordKey& key) const {
    const auto found = records.find(key);
    return found == records.end() || !found->second.record ? nullptr : &*found->second.record;
  }
};

inline model::PayloadKey input_of(RunKey run) {
  return {run, model::PayloadSlot::run_input};
}
inline model::PayloadKey context_of(RunKey run) {
  return {run, model::PayloadSlot::run_context};
}
inline model::PayloadKey input_of(TaskKey task) {
  return {task.run, model::PayloadSlot::task_input, task.ordinal};
}
inline model::PayloadKey result_of(TaskKey task) {
  return {task.run, model::PayloadSlot::task_result, task.ordinal};
}

}  // namespace baton::engine
