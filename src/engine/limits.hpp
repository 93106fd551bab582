// Limits: how many attempts at a time may use something (SEMANTICS 40).
//
// All limits of a task are taken when an attempt of it starts, and given back when that ends; which attempts
// hold how much is derived from the rows of running tasks. How much there is of a limit says whoever has set
// it by command, else the task's own definition, else there is nothing of it.
//
// A task that finds a limit full stands in that limit's line, one for each queue, and keeps its place there:
// those behind it in the line wait until it fits, however little they want themselves, so that who wants much
// gets its turn. When something comes free, the first ones of each queue's line are let past to their queue
// as long as they would all fit. They take nothing before they start; until then the line counts on them
// (Limit::let_past), and when one of them does not start after all, the next one is let past.
//
// So it always holds: where a line is not empty, its first task would not fit beside those that hold the
// limit and those that were let past and stand before it in the same queue.
#pragma once

#include <optional>
#include <string>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/blocker.hpp"
#include "model/flow.hpp"

namespace baton::engine {

// What the task's attempts take; empty for most. Only attempts of a step and its fallback take anything.
const model::Flow& flow_of(const Run& run, const Task& task);

// Why the task may not take its limits now: the first one that is full, or that it wants too much of.
std::optional<model::Blocker> full_limit(const State& state, const Run& run, const Task& task);
// How much there is of a limit for this task.
std::uint32_t most_of(const State& state, const model::LimitUse& use);

void take_limits(State& state, const Run& run, const Task& task);
void give_limits_back(State& state, const Run& run, const Task& task);
// The same of one limit and whoever holds it; nothing if it does not.
void give_back(State& state, const std::string& name, const TaskKey& holder);

// Lets those past that fit now, up to `at_most`. True: there are more.
bool let_past_limit(State& state, const std::string& name, std::size_t at_most);
// The same, the rest of it bit by bit.
void let_past_limit(State& state, const std::string& name);

// A task that was let past has not started, or has.
void break_limit_promise(State& state, const LetPast& promise);

// Sets the limit, or takes away what was set. Fails with not_found if there is nothing to be taken away.
Status set_limit(State& state, const model::SetLimit& command, const Moment& moment, Effects& effects);
// After a load: those that are set. A record that cannot be read counts as a limit of 0.
void load_limits(State& state);

}  // namespace baton::engine
