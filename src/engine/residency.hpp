// Which runs are in memory. Terminal ones leave it; of those that do nothing but stand in a queue only the
// first Settings::runs_in_memory are kept: the others are *cold*. A cold run is in the store as it is, its
// task keeps its place in the queue's line, and the run comes back (needs_of) when a command is about it or
// when its turn comes near. So a million queued runs cost memory for their places only.
//
// A run may become cold when a new owner of the shard would do no more for it than put one task into a queue:
// no timer, no work under way, no line but a queue's knows of it.
#pragma once

#include "engine/state.hpp"

namespace baton::engine {

// The run has one more task in a queue, or was loaded: evict() looks at it.
void note_idle(State& state, const Run& run);

// What was changed up to commit `durable` is in the store: terminal runs leave memory, idle ones become cold
// if there are too many, and so do records and idempotency keys that were used.
void evict(State& state, JournalSequence durable);

// At a start, for a run that was admitted and stands in no line yet: makes it cold if that is possible and
// there are too many.
void make_cold_at_start(State& state, RunKey run);

// A cold run cannot be loaded: nothing knows of it any more.
void forget_cold(State& state, RunKey run);

// A cold run was admitted again: its task finds its place in the queue's line.
void warm(State& state, Run& run);

}  // namespace baton::engine
