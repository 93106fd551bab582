#include "engine/breakers.hpp"
#include "engine/commands/commands.hpp"

namespace baton::engine::commands {

void decide(State& state, const model::ForceBreaker& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  // Only of a breaker that was ever heard of: a misspelled name would stay for ever.
  if (!state.breakers.contains(command.name)) {
    effects.reply(reply_to, Error{ErrorCode::not_found,
                                  "there is no breaker \"" + command.name +
                                      "\" yet: it comes to be with the first failure behind it",
                                  ""});
    return;
  }
  force(state, command.name, command.force, command.by, command.reason, moment, effects);
  effects.reply(reply_to, model::Done{});
}

}  // namespace baton::engine::commands
