// Tasks of kind `wait` (SEMANTICS 37, 56): running from their start to their end, and with a worker only
// while a poll is. They take no place of the run's max_parallel. Spans and timeouts are shard time; an
// instant is asked of the wall's clock again whenever its timer is due, so that a clock that jumps makes it
// neither early nor, by more than a minute, late.
#pragma once

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/outcome.hpp"

namespace baton::engine {

// What serves a step of this kind does not wait itself.
inline bool is_wait(const Run& run, const model::TaskRow& row) {
  return row.role == model::TaskRole::main && run.program->step(row.step).wait != nullptr;
}

// A ready task begins to wait: what it waits for is evaluated, and recorded in its row.
void begin_wait(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);
// The timer of a wait that nobody holds, after a restart as well.
void set_wait_timer(State& state, const Run& run, Task& task, const Moment& moment);
// That timer is due: the wait is over, has lasted too long, or its next poll is queued.
void wake(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);
// Puts a wait's next poll into its queue; its row does not change.
void queue_poll(State& state, Run& run, Task& task, Effects& effects);
// What a lost poll had made is given back: the next one may come.
void poll_again(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// A poll succeeded: the wait is over, or goes on. `result`: JSON.
void end_poll(State& state, Run& run, Task& task, std::string result, const Moment& moment, Effects& effects);
// A poll failed: the wait goes on, or has failed.
void fail_poll(State& state, Run& run, Task& task, const model::Failure& failure, const Moment& moment,
               Effects& effects);

// What the wait was for has come.
void end_wait(State& state, Run& run, Task& task, std::string result, const Moment& moment, Effects& effects);

// The first task of the run that waits for a signal of this name; null if none does.
Task* first_waiter(Run& run, const std::string& signal);
// The task waits, as it begins to or as it is loaded: a signal of its name finds it.
void join_waiters(Run& run, const Task& task);
// The task has ended: no signal finds it, and nobody is asked any more.
void stop_waiting(Run& run, const Task& task, Effects& effects);

}  // namespace baton::engine
