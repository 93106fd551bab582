// The images at rest: what the store keeps of a run and of a task. A task without a row is pending: its row
// is written when it first changes, so that a run of 100,000 steps starts with one row.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/rare.hpp"
#include "base/time.hpp"
#include "model/flow.hpp"
#include "model/outcome.hpp"
#include "model/states.hpp"

namespace baton::model {

// Stored as numbers: append at the end, never reorder.
enum class AttemptEnd : std::uint8_t { running, completed, failed, lost, interrupted, released, cancelled };
std::string_view name(AttemptEnd end);

// Which sub-step of its step a task's attempts carry out. Stored as numbers: append at the end, never
// reorder.
enum class Phase : std::uint8_t { primary, preflight, poll, fallback };
std::string_view name(Phase phase);

struct AttemptRecord {
  std::uint32_t number = 0;  // counts every start of the task, lost and interrupted ones included
  Token token;
  std::string worker;
  WallTime started_at;
  WallTime ended_at;  // 0 while running
  AttemptEnd end = AttemptEnd::running;
  std::string error_type;
  std::string error_message;
  std::optional<int> exit_code;  // of a process that exited badly
  std::optional<int> status;     // of an HTTP response that was an error
  Phase phase = Phase::primary;
  std::uint32_t generation = 1;  // of the task
  // What the task became by the report that ended the attempt, the answer to it; pending: none did.
  TaskStatus became = TaskStatus::pending;

  friend bool operator==(const AttemptRecord&, const AttemptRecord&) = default;
};

// What a task is for. All but `main` serve another task after it, or one of its attempts, has ended: they are
// made at run time, count neither in progress nor in the run's counts, and see `self` = the task that they
// serve. Stored as numbers: append at the end, never reorder.
enum class TaskRole : std::uint8_t {
  main,        // a step, or an item of one
  cleanup,     // the step's `cleanup`
  compensate,  // the step's `compensate`
  resource     // gives a resource of the ledger back
};
std::string_view name(TaskRole role);

// How far a run is (SEMANTICS 26). Stored as numbers: append at the end, never reorder.
enum class RunStage : std::uint8_t {
  main,
  finally,     // its `finally` steps
  compensate,  // completed steps are undone, one after the other, the last completed one first
  cleanup,     // what steps declare to be done at the end
  leftovers    // resources that are still open
};
std::string_view name(RunStage stage);

enum class Stopping : std::uint8_t { none, soft, hard };
// Stored as numbers: append at the end.
enum class StopReason : std::uint8_t { none, timeout, cancelled, heartbeat, deadline };
std::string_view name(StopReason reason);  // "" for none

// How a completed task came to its result, if not by its own attempt. Stored as numbers.
enum class Via : std::uint8_t { none, fallback, operator_, cache };
std::string_view name(Via via);  // "" for none

// The ordinals of an item list that a recovery has put another one in place of.
struct ItemRange {
  Ordinal first = 0;
  std::uint32_t count = 0;
  friend bool operator==(const ItemRange&, const ItemRange&) = default;
};

// What a wait waits for.
struct Waiting {
  ShardTime since;
  ShardTime give_up;   // then it has failed; 0 = never
  WallTime wakes_at;   // of a span or instant: its end on the wall's clock, as far as that is known
  std::string awaits;  // the signal's name, or the question for approval
  RunId child;         // of a step of kind workflow: the run that its last attempt began; zero = none

  friend bool operator==(const Waiting&, const Waiting&) = default;
};

// What an attempt says about how far it is.
struct Progress {
  std::int8_t percent = -1;  // -1 = it has not said
  std::string message;

  friend bool operator==(const Progress&, const Progress&) = default;
};

// Of a task whose step has `cache`.
struct CacheUse {
  std::string key;  // of the record that it looked for and leaves its result in (model/cached_result.hpp)
  TaskId from;      // the task whose result it took; run zero = none

  friend bool operator==(const CacheUse&, const CacheUse&) = default;
};

struct TaskRow {
  TaskKey key;
  std::uint32_t step = 0;   // ordinal of its step in the definition
  std::int32_t index = -1;  // item of a mapped step; -1 = the step's own task
  TaskStatus status = TaskStatus::pending;
  SkipReason skip_reason = SkipReason::none;
  TaskRole role = TaskRole::main;
  std::uint8_t priority = 5;
  Phase phase = Phase::primary;
  bool giving_back = false;  // retrying: the next attempt waits until what the lost one made is given back
  bool in_process = false;   // the worker of its attempt lives in the server's process and dies with it
  Ordinal parent = 0;  // the task that it serves, unless role is main; `step` is that task's, `index` is -1
  std::uint32_t covers = 0;     // cleanup: the number of its parent's last attempt when it was made
  std::uint32_t end_order = 0;  // completed and has `compensate`: the how many-th of the run, from 1
  std::uint32_t generation = 1;
  std::uint32_t attempts = 0;        // all that count: neither lost, interrupted nor released
  std::uint32_t round = 0;           // of `repeat`, or the polls so far
  std::uint32_t group_attempts = 0;  // of this phase and round: what counts against max_attempts
  std::uint32_t starts =
      0;  // all attempts, lost, interrupted and released ones included: the last one's number
  std::uint32_t lost = 0;
  std::uint32_t interrupted = 0;

  // The attempt that holds the task now, if running.
  Token token;
  std::string worker;
  ShardTime attempt_started;
  Rare<Progress> progress;  // of that attempt
  Stopping stopping = Stopping::none;
  StopReason stop_reason = StopReason::none;

  ShardTime due;  // retrying: when it may be queued again; stopping softly: when it is killed; of a wait:
                  // its end, or the next poll
  Duration last_delay;     // of the last retry, for decorrelated jitter
  WallTime ready_at;       // when it was first queued
  WallTime started_at;     // of the first attempt
  WallTime ended_at;       // of its terminal state
  std::string error_type;  // of the terminal failure, or of the last attempt while retrying
  std::string error_message;
  std::optional<int> error_exit_code;
  std::optional<int> error_status;
  std::uint32_t start_timeouts = 0;  // waits in the queue that were too long; each counts as an attempt
  bool held = false;                 // retrying without a timer: waits for a person (SEMANTICS 19)
  bool ignored = false;              // failed, but a rule says that it does not count
  Via via = Via::none;

  // Clocks (deadlines.hpp of the engine); 0 = not running.
  ShardTime queued_at;  // run time: of the present wait in the queue
  ShardTime deadline;   // run time: when all attempts and waits are over
  ShardTime late_at;    // shard time: when the step is late; kReported once that was said

  bool when_held = false;   // its `when` was asked, which is done once, and holds
  bool has_input = false;   // a rendered input is stored (it was not constant)
  bool has_result = false;  // a result is stored

  // Its place in its queue since it joined it the last time, or had when it started: see gates.hpp and
  // turns.hpp of the engine. A wait has an order only while its poll stands there.
  std::uint64_t turn = 0;
  std::uint64_t order = 0;

  Rare<Flow> flow;           // if its names come from expressions: as they were when it became ready
  Rare<CacheUse> cache;      // if its step has one, from when it became ready
  Rare<Waiting> waiting;     // of a wait, from its start on
  std::int32_t branch = -1;  // of a switch that completed: the branch taken; -1 = none

  // Of a mapped step (its items' tasks have the ordinals first_item … first_item + item_count − 1).
  bool expanded = false;
  Ordinal first_item = 0;
  std::uint32_t item_count = 0;
  Rare<std::vector<ItemRange>> old_items;  // of earlier generations; their tasks count nowhere
  std::uint32_t kept_failures =
      0;  // failed items that the present generation did not reset: they close nothing

  std::vector<AttemptRecord> history;  // oldest first; at most kHistoryLimit newest are kept

  friend bool operator==(const TaskRow&, const TaskRow&) = default;
};

// Of TaskRow::late_at: it was said that the step is late, which is done once in a generation.
inline constexpr ShardTime kReported{INT64_MAX};

// Whether a worker holds the task. A wait is running also while nobody does: never ask the status for this.
inline bool has_attempt(const TaskRow& row) {
  return row.status == TaskStatus::running && row.token != Token{};
}

inline constexpr std::size_t kHistoryLimit = 100;
inline constexpr std::size_t kProgressLimit = 512;  // bytes kept of what an attempt says about its progress
inline constexpr std::size_t kMessageLimit = 4096;  // bytes kept of an error message

// Counters of a run's tasks. A mapped step that is not expanded yet counts as one.
struct TaskCounts {
  std::uint32_t total = 0;
  std::uint32_t completed = 0;
  std::uint32_t failed = 0;
  std::uint32_t skipped = 0;
  std::uint32_t cancelled = 0;
  std::uint32_t running = 0;

  std::uint32_t ended() const { return completed + failed + skipped + cancelled; }
  friend bool operator==(const TaskCounts&, const TaskCounts&) = default;
};

// Which tasks a recovery that is under way resets. It is done bit by bit; what is reset already is `pending`,
// so that a new owner finds the rest by looking at the rows.
struct Recovery {
  enum class Scope : std::uint8_t {
    none,  // no recovery is under way
    bad,   // what is not completed, nor skipped for a good reason
    step,  // the same, and step `root` with everything that follows from it
    task   // the task `root` alone, and what was skipped or cancelled because of it
  };
  // What becomes of the task `root` when everything is reset.
  enum class Then : std::uint8_t { again, skip, complete };
  Scope scope = Scope::none;
  Then then = Then::again;
  Ordinal root = 0;
  bool failed_only = false;   // of a mapped root: only its bad items
  std::vector<Ordinal> keep;  // steps that stay as they are; ascending
  ShardTime due;              // not before then
  std::string reason;

  friend bool operator==(const Recovery&, const Recovery&) = default;
};

// Of a run that a step of another one began.
struct Parent {
  TaskId task;                // zero run = none: people began it
  std::uint32_t attempt = 0;  // of that task
  std::uint32_t depth = 0;    // how many runs stand above this one
  bool detached = false;      // the task did not wait for it

  bool any() const { return task.run != RunId{}; }
  friend bool operator==(const Parent&, const Parent&) = default;
};
inline constexpr std::uint32_t kMostDepth = 16;  // levels of child runs

// Of a run whose workflow limits how many go on at a time.
struct Admission {
  std::string limit;      // its name
  bool admitted = false;  // it has a place; without one it has not begun

  friend bool operator==(const Admission&, const Admission&) = default;
};

struct RunRow {
  RunKey key;
  RunId id;
  RunStatus status = RunStatus::pending;
  std::string workflow;       // name
  std::uint32_t version = 1;  // of that workflow
  Hash256 definition;         // of that version
  std::string job_id;         // the submitter's own reference; "" = none
  std::uint8_t priority = 5;
  WallTime created_at;
  WallTime started_at;
  WallTime ended_at;
  std::uint32_t recovery_attempts = 0;
  JournalSequence journal_head = 0;  // the last commit that touched it

  bool cancel_requested = false;
  bool terminate = false;
  bool no_cleanup = false;    // nothing is given back by itself any more, see CancelRun
  bool timed_out = false;     // its deadline is over
  bool given_up = false;      // it was cancelled as stuck, and ends as failed
  ShardTime deadline;         // run time; 0 = none, or not started
  ShardTime late_at;          // shard time; 0 also once that is reported
  Duration paused_for;        // so far; run time is shard time without it
  std::uint32_t retries = 0;  // of all its tasks, for the retry budget
  RunStage stage = RunStage::main;
  RunStatus outcome = RunStatus::pending;  // decided when the main phase ended
  std::string error_type;
  std::string error_message;
  std::uint32_t progress = 0;  // percent, weighted by estimates
  std::uint32_t signals = 0;   // that it got: the last one's number
  TaskCounts counts;
  Ordinal next_ordinal = 0;     // the next free one, for items, added tasks and tasks that serve others
  std::uint32_t additions = 0;  // how often its tasks have added others, see addition.hpp
  Rare<Parent> parent;
  Rare<Admission> admission;

  ShardTime paused_at;  // if paused
  Recovery recovery;
  RunId replay_of;  // the run that this one repeats; zero = none

  friend bool operator==(const RunRow&, const RunRow&) = default;
};

// The packed part of a row: everything except what the store keeps in columns of its own (see each function).
// Decoding fails with ErrorCode::corrupt.
//
// Task: all but key, step, index, status.
std::string encode_state(const TaskRow& row);
Status decode_state(std::string_view bytes, TaskRow& row);
// Run: all but key, id, status, workflow, version, job_id, created_at, ended_at.
std::string encode_state(const RunRow& row);
Status decode_state(std::string_view bytes, RunRow& row);

}  // namespace baton::model
