// The clocks of tasks and runs beside the timeout of an attempt (SEMANTICS 24, 25): timeout.start,
// timeout.heartbeat, deadline and sla. When each runs out stands in the rows or follows from them; a task and
// a run have one timer each, for what is due first.
//
// Deadlines and start timeouts stand still while the run is paused: they are kept in *run time*, shard time
// minus what the run was paused so far (RunRow::paused_for). An sla is about the world and goes on.
#pragma once

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"

namespace baton::engine {

// Shard time without the pauses of the run.
ShardTime run_time(const Run& run, ShardTime now);

// The run starts: its deadline and sla count from now. The row is touched by the caller.
void start_run_clocks(State& state, Run& run, const Moment& moment);
// A step is ready (a mapped one: has its items): its deadline and sla count from now, if they do not already.
// The row is touched by the caller.
void start_task_clocks(Run& run, Task& task, const Moment& moment);

// Sets the timer to what is due first, or clears it. After each change of a row that a clock depends on: the
// task's status, its attempt, its clocks; for all tasks of the run when it was paused or goes on.
void arm_clock(State& state, const Run& run, Task& task);
void arm_run_clock(State& state, Run& run);
void clear_clock(State& state, Task& task);
void clear_run_clock(State& state, Run& run);

// A pause of a step, queue or target is over: the waits for a start that it held up begin anew, bit by bit
// (the next piece of the first of State::pauses_over; true: there is more). No worker could have taken the
// tasks. What an owner has not come to when it goes is not made up for: these waits count from when they
// began.
void want_waits_anew(State& state, const model::Blocker& pause, const Moment& moment);
bool begin_waits_anew(State& state, Effects& effects, std::size_t row_limit);

// The attempt that holds the task gave a sign of life.
void note_heartbeat(State& state, const Run& run, Task& task, const Moment& moment);

// From now until an attempt of the task is asked to end, and until it is ended, by what is known now: its
// timeout, the deadlines of its step and of the run. 0 = by none of them.
struct TimeLeft {
  Duration soft, hard;
};
TimeLeft time_left(const State& state, const Run& run, const Task& task, const Moment& moment);

// Does what is due.
void on_clock(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);
void on_run_clock(State& state, Run& run, const Moment& moment, Effects& effects);

}  // namespace baton::engine
