// Commands to runs and tasks, as requests carry them.
#pragma once

#include <vector>

#include "api/core.hpp"
#include "api/request_body.hpp"
#include "model/command.hpp"

namespace baton::api {

// The JSON object of a request; an empty body is an empty object.
Result<RequestBody> optional_body(const Call& call);

// "until" (an instant) or "for" (a duration), and "reason".
Status read_pause(const RequestBody& body, model::PauseCommand& command);

// Names or aliases, separated by commas.
Status add_statuses(std::string_view list, std::vector<model::RunStatus>& out);

// Sends the command and answers with the run, or with the problem.
void send_and_show(const CorePtr& core, const CallPtr& call, const RunId& run, model::CommandBody command);

}  // namespace baton::api
