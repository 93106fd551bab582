// Edits of what one has seen: ETag says which state that was, If-Match that it must still be so.
#pragma once

#include <string>

#include "api/call.hpp"
#include "api/queries.hpp"
#include "api/survey.hpp"

namespace baton::api {

// The tag of `If-Match: "TAG"`; "" without the field; "*": it must be set, however.
Result<std::string> read_if_match(const net::Request& request);

// With the body and its ETag, or the problem.
void answer(Call& call, Result<Tagged> shown, int status = 200, net::Headers more = {});
// An edit was refused. 412 with what is there now as the member `current`, and its ETag, if that is not what
// was `expected` ("" = nothing was; not_found has the tag "0"); else the problem.
void fail_edit(Call& call, const Error& error, const std::string& expected, Result<Tagged> now);

// Sends an edit; answers with what `render` (Survey → Result<Tagged>) makes of the state afterwards, a
// refusal by fail_edit().
template <typename Command, typename Render>
void send_edit(const CorePtr& core, const CallPtr& call, Command command, Render render) {
  const std::string expected = command.expected;
  core->runs.send(std::move(command), call->actor, [core, call, render, expected](model::ReplyBody reply) {
    const auto* error = std::get_if<Error>(&reply);
    if (error == nullptr) return ask_survey(core, call, render);
    if (expected.empty() || error->code != ErrorCode::conflict) return call->fail(*error);
    core->runs.send(model::AskSurvey{}, call->actor,
                    [core, call, render, expected, why = *error](model::ReplyBody said) {
                      if (const auto* failure = std::get_if<Error>(&said)) return call->fail(*failure);
                      core->workers.post(
                          [call, render, expected, why, survey = std::get<model::Survey>(std::move(said))] {
                            fail_edit(*call, why, expected, render(survey));
                          });
                    });
  });
}

}  // namespace baton::api
