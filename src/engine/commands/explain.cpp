#include "engine/explain.hpp"

#include "engine/commands/commands.hpp"
#include "engine/lookup.hpp"

namespace baton::engine::commands {

void decide(State& state, const model::Explain& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  const auto run = find_run(state, command.run);
  if (!run) {
    effects.reply(reply_to, run.error());
  } else if (!command.task) {
    effects.reply(reply_to, explain_run(state, **run, moment));
  } else if (*command.task >= (*run)->tasks.size()) {
    effects.reply(reply_to, Error{ErrorCode::not_found,
                                  "there is no task " + TaskId{command.run, *command.task}.text(), ""});
  } else {
    effects.reply(reply_to, explain_task(state, **run, (*run)->tasks[*command.task], moment));
  }
}

void decide(State& state, const model::AskSurvey&, model::ReplyTo reply_to, const Moment&, Effects& effects) {
  effects.reply(reply_to, survey(state));
}

}  // namespace baton::engine::commands
