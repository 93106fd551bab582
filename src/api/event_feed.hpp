// GET /api/v1/events: what happens to all runs, as server-sent events.
#pragma once

#include "api/core.hpp"

namespace baton::api {

// From now on, or behind the event that the client has seen last; also after a restart of the owner, since
// events are read from the journal. `workflow` and `type` narrow it. An id that the journal does not reach
// back to, or does not have yet, gets the event `reset`: the client asks for the state of what it shows, and
// goes on from there.
void event_feed(const CorePtr& core, CallPtr call);

// The key of Watches that every commit wakes; no run has it.
inline constexpr RunKey kAnyRun{};

}  // namespace baton::api
