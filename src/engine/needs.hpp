// What a decision will look at and memory does not hold: loaded before it is taken.
#pragma once

#include <string>
#include <vector>

#include "base/ids.hpp"
#include "engine/state.hpp"
#include "model/command.hpp"
#include "model/payload.hpp"

namespace baton::engine {

struct Needs {
  std::vector<model::PayloadKey> payloads;
  std::vector<RunKey> runs;
  std::vector<RunKey> heads;  // runs of which only the head is asked
  std::vector<std::string> idempotency_keys;
  std::vector<model::RecordKey> records;  // of kinds that are not resident
  std::vector<Hash256> definitions;       // of workflows that a step begins
  JournalSequence after =
      0;  // load only when this commit is durable: the values are on their way to the store

  bool empty() const {
    return payloads.empty() && runs.empty() && heads.empty() && idempotency_keys.empty() && records.empty() &&
           definitions.empty();
  }
};

// Of a command; for Continue: of the pieces of work that stand in front. The answer is bounded (a few hundred
// payloads).
Needs needs_of(const State& state, const model::Command& command);

// The payloads of one ready task that are not in memory.
void add_needs(const State& state, const Run& run, const Task& task, Needs& needs);
// The result of a step.
void want_result(const State& state, const Run& run, Ordinal step, Needs& needs);
// The payloads that handing out a queued task takes.
void add_dispatch_needs(const State& state, const Run& run, const Task& task, Needs& needs);
// The same while the task's run is cold.
void add_cold_needs(const State& state, RunKey run, Needs& needs);

}  // namespace baton::engine
