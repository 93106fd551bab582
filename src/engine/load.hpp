// Runs enter memory: new ones, and stored ones with everything that is derived from their rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "engine/state.hpp"
#include "model/definition.hpp"
#include "model/rows.hpp"

namespace baton::engine {

// The compiled form of a definition, shared by all runs of it.
std::shared_ptr<const Program> program_for(State& state, std::shared_ptr<const model::Workflow> workflow);

// A run without any stored task.
Run& add_run(State& state, model::RunRow row, std::shared_ptr<const Program> program);

// What a task has added, with the program of its text.
struct AddedPart {
  model::Addition is;
  std::shared_ptr<const Program> program;
};

// A stored run. Fails with ErrorCode::corrupt if rows and definition contradict each other; the state is
// unchanged then. Timers, queues and work of a live run come with the StartShard command.
Status admit(State& state, model::RunRow row, std::vector<model::TaskRow> tasks,
             std::shared_ptr<const Program> program, std::vector<AddedPart> additions = {});

// The task begins its next generation, which adds anew: what it has added before counts no more. Those tasks.
std::vector<Ordinal> retire_additions(Run& run, Ordinal parent, std::uint32_t generation);

// Makes room for steps that the run's program has and the run does not have yet; it has no tasks behind its
// steps.
void add_new_steps(Run& run);

// What is derived of a run's tasks is made from their rows anew, and the counters of its row: after tasks
// were reset.
void derive_again(Run& run);

// Whether a pending step is one that take_up() makes ready: its turn has come, whatever becomes of it then.
bool is_ready(const Run& run, Ordinal step);

// Takes up the tasks of a run that nothing in memory takes care of (after a start or a recovery): those that
// are ready, and further items of mapped steps.
void take_up(State& state, Run& run);

// Its step's, else its run's.
std::uint8_t priority_of(const Run& run, Ordinal step);

}  // namespace baton::engine
