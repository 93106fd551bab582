// Whether who asked may still be answered: a key is revoked, expires or goes with its namespace, a session
// ends, while an answer waits or goes on. What is answered at once needs none of this.
#pragma once

#include "api/core.hpp"

namespace baton::api {

bool may_go_on(Core& core, const Call& call);
// Answers who may not be here any more, as a new request would be answered. False: he may, or was not
// answered.
bool turn_away(Core& core, Call& call);
// Has whatever waits or goes on look at that, in all namespaces: after keys have changed, or a session has
// ended.
void recheck_admissions(Common& common);

}  // namespace baton::api
