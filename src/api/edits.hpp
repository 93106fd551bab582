// Edits of what one has seen: ETag says which state that was, If-Match that it must still be so.
#pragma once

#include <string>

#include "api/call.hpp"
#include "api/survey.hpp"

namespace baton::api {

// The tag of `If-Match: "TAG"`; "" without the field; "*": it must be set, however.
Result<std::string> read_if_match(const net::Request& request);

struct Tagged {
  std::string body;
  std::string tag;  // model::tag_of
};
// 200 with the body and its ETag, or the problem.
void answer(Call& call, Result<Tagged> shown);
// 412 with what is there now as the member `current`, and its ETag.
void fail_changed(Call& call, const Error& error, Result<Tagged> now);

// Sends an edit; answers with what `render` (Survey → Result<Tagged>) makes of the state afterwards. An edit
// of something that has changed meanwhile is answered by fail_changed().
template <typename Command, typename Render>
void send_edit(const CorePtr& core, const CallPtr& call, Command command, Render render) {
  const bool conditional = !command.expected.empty();
  core->runs.send(std::move(command), call->actor, [core, call, render, conditional](model::ReplyBody reply) {
    const auto* error = std::get_if<Error>(&reply);
    if (error == nullptr) return ask_survey(core, call, render);
    if (!conditional || error->code != ErrorCode::conflict) return call->fail(*error);
    core->runs.send(
        model::AskSurvey{}, call->actor, [core, call, render, why = *error](model::ReplyBody said) {
          if (const auto* failure = std::get_if<Error>(&said)) return call->fail(*failure);
          core->workers.post([call, render, why, survey = std::get<model::Survey>(std::move(said))] {
            fail_changed(*call, why, render(survey));
          });
        });
  });
}

}  // namespace baton::api
