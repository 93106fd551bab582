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

// Whether this request was done before, by its idempotency key: then it goes to the engine whatever has
// become of what it is about, and gets the first answer again.
bool was_asked_before(Core& core, const Call& call);

// Names or aliases, separated by commas.
Status add_statuses(std::string_view list, std::vector<model::RunStatus>& out);

// Sends the command and answers with the run, or with the problem.
void send_and_show(const CorePtr& core, const CallPtr& call, const RunId& run, model::CommandBody command);

// What the task got: an object with those of action, env, with and workdir that its kind has; nullopt: it was
// never computed, or the task has items.
Result<std::optional<boost::json::object>> recorded_input(Core& core, const TaskId& task,
                                                          const model::Step& step);
// What a task's next attempts get instead: what it got last, with `changes` merged in (RFC 7396), as the
// engine takes it; and the generation that this is about. Fails with conflict if that was never known.
struct EditedInput {
  std::string text;
  std::uint32_t generation = 0;
};
// not_allowed: anything but `with`, and with secrets among the arguments that as well, is changed by who may
// write definitions.
Result<EditedInput> edited_input(Core& core, const TaskId& task, const boost::json::object& changes,
                                 const auth::Principal& who);

}  // namespace baton::api
