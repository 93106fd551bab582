// The state of a run at any time: its facts, folded. What `runs history` shows, and what the tests hold
// against the rows (a run's history gives its state).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/fact.hpp"
#include "model/rows.hpp"
#include "model/states.hpp"

namespace baton::model {

struct TaskHistory {
  std::uint32_t step = 0;
  std::int32_t index = -1;
  TaskStatus status = TaskStatus::pending;
  std::string skip_reason;  // of a skipped one
  std::uint32_t generation = 1;
  std::uint32_t starts = 0;      // the number of the last attempt
  std::uint32_t attempts = 0;    // that count against max_attempts
  bool waiting = false;          // it is a wait: running from its start to its end
  bool attempt_running = false;  // between attempt.started and attempt.ended
  std::string worker;            // of the last attempt
  std::int8_t progress = -1;     // percent, as the present attempt said; -1 = it has not
  std::string progress_message;
  std::string error_type;  // of the last attempt that failed, or of the task
  std::string error_message;
  WallTime queued_at;   // first time
  WallTime started_at;  // first attempt
  WallTime ended_at;
  TaskRole role = TaskRole::main;
  Ordinal parent = 0;  // the task that it serves, unless role is main
  bool expanded = false;
  Ordinal first_item = 0;
  std::uint32_t item_count = 0;
  bool held = false;      // retrying: a person decides
  bool fallback = false;  // its fallback has begun
  bool late = false;      // its sla is over

  friend bool operator==(const TaskHistory&, const TaskHistory&) = default;
};

struct RunHistory {
  RunStatus status = RunStatus::pending;
  std::string workflow;
  std::uint32_t version = 0;
  bool cancel_requested = false;
  bool terminate = false;
  bool no_cleanup = false;
  bool timed_out = false;
  bool late = false;  // its sla is over
  RunStage stage = RunStage::main;
  RunStatus outcome = RunStatus::pending;  // once the main phase is over
  WallTime created_at;
  WallTime started_at;
  WallTime ended_at;
  // Resources that are to be given back, by task and name, and those that could not be.
  std::set<std::pair<Ordinal, std::string>> open_resources;
  std::set<std::pair<Ordinal, std::string>> leaked_resources;
  std::map<Ordinal, TaskHistory> tasks;  // those that something happened to; all others are pending

  friend bool operator==(const RunHistory&, const RunHistory&) = default;
};

// One fact later. Facts of a newer version, and those that cannot be (damage), change nothing.
void apply(RunHistory& run, const Fact& fact);

// All facts of a run from its first one on, oldest first; a prefix gives the state at that time.
RunHistory fold(std::span<const Fact> facts);

}  // namespace baton::model
