// The shard's circuit breakers: what attempts tell them, whom they hold, and whom they let go when they close
// (SEMANTICS 41).
//
// The gate asks is_closed_to(); tasks that it holds stand in State::blocked like all others. When a breaker
// has recovered, as many of them as there are probes are let past; when it closes, at most a tenth of those
// that stood there each second, so that the service behind it is not run over. How far that has come is in
// its row.
#pragma once

#include <string>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/breaker.hpp"
#include "model/outcome.hpp"

namespace baton::engine {

// The breaker that the task's next attempt, or the one that it has, is about; null if there is none. Only a
// step's own action and its preflight count, not its fallback or cleanup.
const model::BreakerSettings* breaker_settings(const Run& run, const Task& task);

// Whether the task has a breaker that lets nothing start now.
bool is_held_by_breaker(const State& state, const Run& run, const Task& task);

// A queued task that its open breaker holds does not wait for it if a rule for `breaker_open` says what to do
// instead, or if it has a fallback: reject_if_due() sees to it that reject() comes, which hands that failure
// to the rules. No attempt is used up (SEMANTICS 22, 41).
void reject_if_due(State& state, const Run& run, const Task& task);
void reject(State& state, Run& run, Task& task, const Moment& moment, Effects& effects);

// An attempt starts: through a half-open breaker it is a probe.
void note_start(State& state, const Run& run, Task& task);
// An attempt ended; `failure` is that of a failed one. Lost, interrupted and cancelled attempts say nothing.
void note_end(State& state, const Run& run, Task& task, model::AttemptEnd end, const model::Failure& failure,
              const Moment& moment, Effects& effects);

// A person's word: open or closed whatever happens; none: it works by itself again, and from closed on.
void force(State& state, const std::string& name, model::BreakerForce force, std::string by, std::string why,
           const Moment& moment, Effects& effects);

// Its timer: it has recovered, or the next tenth is let go.
void breaker_due(State& state, const std::string& name, const Moment& moment, Effects& effects);

// After a load: the stored ones, with their timers. A record that cannot be read counts as a closed breaker.
void load_breakers(State& state, const Moment& moment);
// After a load: the task's attempt goes on, which may be a probe.
void recall_probe(State& state, const Run& run, Task& task);
// After a load: whether the queued task is one of those that its closed breaker lets go bit by bit.
bool waits_for_release(const State& state, const Run& run, const Task& task);

}  // namespace baton::engine
