// How attempts end, in whatever way, and what follows for their task (SEMANTICS 17–22, 48).
#pragma once

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/outcome.hpp"

namespace baton::engine {

// A result that is too large makes the attempt failed (SEMANTICS 7).
void limit_result(const Settings& settings, model::Outcome& outcome);
// So does one that does not fit the step's `result_schema`.
void check_result(const Run& run, const Task& task, model::Phase phase, model::Outcome& outcome);

// The attempt that holds the (running) task ended as its executor says. The outcome has passed
// limit_result().
void settle(State& state, Run& run, Task& task, model::Outcome outcome, const Moment& moment,
            Effects& effects);

// It ended without a word: its worker died or lost its lease (lost), the server stopped under it
// (interrupted), or the worker gave it back untouched (released). None of them uses up an attempt.
void lose(State& state, Run& run, Task& task, model::AttemptEnd end, const Moment& moment, Effects& effects);

// What follows from a failure of the task, which no worker holds (any more): the rules of `on_error`, the
// retry policy, the fallback, and then the end (SEMANTICS 16–21).
void fail_attempt(State& state, Run& run, Task& task, const model::Failure& failure, const Moment& moment,
                  Effects& effects);
// The same where nothing has started or may start any more: of the rules, only whether the failure counts
// and whom to tell.
void fail_unstarted(State& state, Run& run, Task& task, const model::Failure& failure, const Moment& moment,
                    Effects& effects);

model::Failure deadline_failure(const model::Step& step);

// Every attempt that the worker holds is lost.
void lose_worker(State& state, const std::string& worker, const Moment& moment, Effects& effects);

// The task whose attempt has this token now; null if there is none.
Task* holder(State& state, const Token& token, const TaskId& id, Run*& run);
// The answer to whoever has a token that does not hold the task.
Error stale(const Token& token, const TaskId& task);

}  // namespace baton::engine
