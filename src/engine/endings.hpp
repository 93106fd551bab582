// How a run ends once its main phase is over (SEMANTICS 26–28): a small machine of stages,
//
//   main → compensate → cleanup → leftovers → finally → (leftovers, if finally steps left some) → ended
//
// each of which ends when nothing of it is open; stages without work are passed over. What they do are tasks
// of their own (helpers): they serve another task, their parent, and go through queues, attempts and retries
// like any other. Helpers are made by pieces of work only, never within the end of another task: making one
// moves the run's tasks in memory.
//
// Nothing here is kept beside the rows and the ledger: resume_endings() finds again what was to be done.
#pragma once

#include <string>
#include <string_view>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/resource.hpp"

namespace baton::engine {

// Serves another task.
inline bool is_helper(const Task& task) {
  return task.row.role != model::TaskRole::main;
}

// The task that `self`, `item` and `index` are about: the parent of a helper, else the task itself.
inline const Task& subject_of(const Run& run, const Task& task) {
  return is_helper(task) ? run.tasks[task.row.parent] : task;
}

// The main phase is over: decides the outcome and begins the endings.
void end_main_phase(State& state, Run& run, const Moment& moment, Effects& effects);
// The present stage has nothing open any more.
void next_stage(State& state, Run& run, const Moment& moment, Effects& effects);

// The run goes on after a pause: so does its stage, if its end was held up.
void go_on_with_stage(State& state, Run& run);

// A step of the main phase has ended: begins the cleanups that were put forward to this (`cleanup.after`).
void begin_early_cleanups(State& state, Run& run, Ordinal step);
// A helper that was made: evaluates what it needs and queues it.
void advance_helper(State& state, Run& run, Task& helper, const Moment& moment, Effects& effects);
// A helper has ended; its row says how.
void end_helper(State& state, Run& run, Task& helper, const Moment& moment, Effects& effects);

// Whether something must be given back before another attempt of the task is queued: what its last attempt
// has made, if that was lost, and what its step's cleanup is for, if the server stopped under it
// (`on_shutdown`).
bool has_to_give_back(const State& state, const Run& run, const Task& task);
// Then the task waits (giving_back; retrying, unless it is a wait) and is queued when that has ended, however
// it ended. Does nothing if it waits for that already.
void give_back_first(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// Whether what the task's last attempt did was given back, undone or cleaned up in its present generation
// (SEMANTICS 35): a recovery must then do it again.
bool was_given_back(const Run& run, const Task& task);

// Takes a helper that was made or loaded into the run's counters; in the order of ordinals.
void count_helper(Run& run, const Task& helper);

constexpr bool is_ending(WorkKind kind) {
  return kind == WorkKind::undo || kind == WorkKind::cleanup || kind == WorkKind::give_back ||
         kind == WorkKind::leftovers || kind == WorkKind::orphans;
}
// One piece of work of kind undo, cleanup, give_back or leftovers; true if it is to be continued.
bool work_on_endings(State& state, Work& work, const Moment& moment, Effects& effects, std::size_t row_limit);

// After a load: takes up the endings of a live run.
void resume_endings(State& state, Run& run);

// A helper that gives one resource of the ledger back; for a leaked declared cleanup or compensation, that
// again. Not within the end of another task.
void clean_resource(State& state, Run& run, model::Resource resource, const Moment& moment, Effects& effects);

// Whether resources of the run are open or being cleaned.
bool has_open_resources(const State& state, const Run& run);

}  // namespace baton::engine
