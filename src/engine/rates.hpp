// Rates: how many attempts may start in a span of time (SEMANTICS 40). What was used is not given back.
//
// The generic cell rate algorithm (ITU-T I.371) in shard time, in integers: RateRow::used_until is the
// instant until which the starts so far have used the rate up. A start is possible while that is at most
// (burst − 1) intervals ahead of now. So any span of n intervals has at most n + burst − 1 starts, and with a
// burst of 1 never more than n.
//
// Each batch that starts something stores the rates that it used, one record each: a new owner goes on from
// there, and since shard time passes while nobody owns the shard, an outage gives neither more nor less. A
// rate that is not used up any more is as good as unknown, and its record is taken away by and by.
//
// Tasks wait in a line for each queue, as before a limit (limits.hpp); a timer lets them past.
#pragma once

#include <optional>
#include <string>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/blocker.hpp"

namespace baton::engine {

// Why the task may not start now, if its rate is the reason.
std::optional<model::Blocker> reached_rate(const State& state, const Run& run, const Task& task);
// When the rate allows the next start; 0: now.
ShardTime next_start(const Rate& rate);

// An attempt of the task starts.
void use_rate(State& state, const Run& run, const Task& task, const Moment& moment, Effects& effects);
// Its timer: lets those past that may start now.
void rate_due(State& state, const std::string& name, const Moment& moment);
// A task that was let past has not started.
void break_rate_promise(State& state, const model::Blocker& line);

// After a load: what is stored. A record that cannot be read counts as a rate that nobody has used.
void load_rates(State& state, const Moment& moment);

}  // namespace baton::engine
