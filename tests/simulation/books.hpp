// What the checker has written down of each run, from the journal of facts alone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/definition.hpp"
#include "model/fact.hpp"
#include "model/history.hpp"
#include "model/rows.hpp"

namespace baton::simulation {

struct TaskBook {
  std::uint32_t step = 0;
  std::int32_t index = -1;
  model::TaskRole role = model::TaskRole::main;
  Ordinal parent = 0;        // that it serves, unless role is main
  std::string about;         // of a helper: the resource
  std::uint32_t covers = 0;  // of a helper: its parent's attempts so far

  std::uint32_t generation = 1;
  bool terminal = false;
  model::TaskStatus ended = model::TaskStatus::pending;  // if terminal
  bool ready = false;                                    // what it needs was over
  bool running = false;
  bool waiting = false;   // a wait that has begun
  bool checked = false;   // its preflight is over
  bool fallback = false;  // its fallback has begun
  bool decided = false;   // a person said that it goes on, whatever was before
  std::uint32_t starts = 0;
  std::uint32_t group_attempts = 0;  // that count against max_attempts
  std::uint32_t completions = 0;     // of attempts, in this generation and round
  std::string last_end;              // of its last attempt
  std::optional<Token> completed_by;
  std::string cached_from;           // the task that made its result, if that was taken from the cache
  std::optional<WallTime> retry_at;  // not queued before
  std::optional<WallTime> wakes_at;  // a wait does not end well before
  bool expanded = false;
  Ordinal first_item = 0;
  std::uint32_t items = 0;
  WallTime ended_at;

  // Endings
  std::uint32_t effects = 0;     // the last attempt that may have left something to clean up
  std::uint32_t cleaned = 0;     // attempts up to this one are cleaned up after
  std::uint32_t completion = 0;  // its place among the run's completions
  bool undone = false;           // its compensation has begun, in this generation
  std::map<std::string, std::uint32_t>
      things;  // registered resources that are not given back, and by which attempt
};

struct RunBook {
  std::shared_ptr<const model::Workflow> workflow;
  RunId id;
  std::map<Ordinal, TaskBook> tasks;
  std::uint32_t open_attempts = 0;  // that max_parallel is about
  std::uint32_t retries = 0;
  std::uint32_t completions = 0;
  std::uint32_t recoveries = 0;
  bool ended = false;
  bool recovering = false;  // its tasks are being reset
  bool reranked = false;    // somebody changed its priority, perhaps
  bool paused = false;
  bool was_paused = false;  // ever
  bool cancelled = false;   // asked for since the last recovery
  bool no_cleanup = false;
  bool timed_out = false;
  std::uint32_t late = 0;                        // how often its sla was missed
  std::optional<model::RunStage> stage;          // of its endings; none: its main phase
  std::optional<model::RunStatus> outcome;       // decided
  std::map<std::string, WallTime> paused_steps;  // until when; 0 = until somebody resumes them
  std::optional<WallTime> started_at;
  model::RunHistory history;

  bool terminal(Ordinal step) const {
    const auto found = tasks.find(step);
    return found != tasks.end() && found->second.terminal;
  }
  const model::Step& step(const TaskBook& task) const { return workflow->steps[task.step]; }
};

// Where what it does waits for a worker: there are no routes.
inline std::string queue_of(const model::Step& action) {
  return action.queue.empty() ? "default" : action.queue;
}

// What the present attempts of the task carry out.
inline model::Phase phase_of(const RunBook& run, const TaskBook& task) {
  const model::Step& step = run.step(task);
  if (task.role != model::TaskRole::main) return model::Phase::primary;
  if (step.wait) return model::Phase::poll;
  if (task.fallback) return model::Phase::fallback;
  return step.preflight && !task.checked ? model::Phase::preflight : model::Phase::primary;
}

// The action of the definition that they carry out; null: the command of a registered resource.
inline const model::Step* action_of(const RunBook& run, const TaskBook& task) {
  const model::Step& step = run.step(task);
  switch (task.role) {
    case model::TaskRole::cleanup:
      return step.endings->cleanup.get();
    case model::TaskRole::compensate:
      return step.endings->compensate.get();
    case model::TaskRole::resource:
      return nullptr;
    case model::TaskRole::main:
      break;
  }
  switch (phase_of(run, task)) {
    case model::Phase::poll:
      return step.wait->poll.get();
    case model::Phase::fallback:
      return step.fallback.get();
    case model::Phase::preflight:
      return step.preflight.get();
    case model::Phase::primary:
      break;
  }
  return &step;
}

}  // namespace baton::simulation
