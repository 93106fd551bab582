#include "engine/commands/commands.hpp"
#include "engine/limits.hpp"

namespace baton::engine::commands {

void decide(State& state, const model::SetLimit& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  const Status done = set_limit(state, command, moment, effects);
  if (!done) return effects.reply(reply_to, done.error());
  effects.reply(reply_to, model::Done{});
}

}  // namespace baton::engine::commands
