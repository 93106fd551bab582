// How queues and pauses are shown.
#pragma once

#include <map>
#include <string>

#include "api/core.hpp"
#include "model/command.hpp"

namespace baton::api {

// As JSON. not_found if nothing waits in it, no worker asks for it and nothing is set for it.
Result<std::string> known_queue(Core& core, const model::Survey& survey, const std::string& name);
// The same, but an unknown one is shown as an empty one: it may have been known a moment ago.
Result<std::string> shown_queue(Core& core, const model::Survey& survey, const std::string& name);

// What is paused of this kind, by name.
Result<std::map<std::string, model::Pause>> pauses_of(Core& core, model::BlockerKind kind);

}  // namespace baton::api
