// The shard's circuit breakers: what attempts tell them, whom they hold, and whom they let go when they close
// (SEMANTICS 41).
//
// The gate asks is_closed_to(); tasks that it holds stand in State::blocked like all others. When a breaker has
// recovered, as many of them as there are probes are let past; when it closes, at most a tenth of those that stood
// there each second, so that the service behind it is not run over.
#pragma once

#include <string>

#include "engine/effects.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "model/breaker.hpp"
#include "model/outcome.hpp"

namespace baton::engine {

// The breaker that the task's next attempt, or the one that it has, is about; null if there is none. Only a
// step's own action counts, not its fallback or cleanup.
const model::BreakerSettings* breaker_settings(const Run& run, const Task& task);

// Whether the task has a breaker that lets nothing start now.
bool is_held_by_breaker(const State& state, const Run& run, const Task& task);

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
void load_breakers(State& state);

}  // namespace baton::engine
