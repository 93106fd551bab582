#include "engine/commands/commands.hpp"
#include "engine/queues.hpp"

namespace baton::engine::commands {

void decide(State& state, const model::SetQueue& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  const Status done = set_queue(state, command, moment, effects);
  if (!done) return effects.reply(reply_to, done.error());
  effects.reply(reply_to, model::Done{});
}

void decide(State& state, const model::SetRoute& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  const Status done = set_route(state, command, moment, effects);
  if (!done) return effects.reply(reply_to, done.error());
  effects.reply(reply_to, model::Done{});
}

}  // namespace baton::engine::commands
