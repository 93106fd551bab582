// What the dispatcher knows, for an answer.
#pragma once

#include <utility>
#include <variant>

#include "api/core.hpp"
#include "model/command.hpp"

namespace baton::api {

// Asks the dispatcher and answers with what `render` (Survey → Result<std::string>) makes of it, on a worker.
template <typename Render>
void ask_survey(const CorePtr& core, const CallPtr& call, Render render) {
  core->runs.send(model::AskSurvey{}, call->actor, [core, call, render](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    core->workers.post([call, render, survey = std::get<model::Survey>(std::move(reply))] {
      answer(*call, render(survey));
    });
  });
}

}  // namespace baton::api
