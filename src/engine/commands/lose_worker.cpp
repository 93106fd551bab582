#include "engine/attempts.hpp"
#include "engine/commands/commands.hpp"
#include "engine/pauses.hpp"

namespace baton::engine::commands {

void decide(State& state, const model::LoseWorker& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  lose_worker(state, command.worker, moment, effects);
  end_drain(state, command.worker, moment, effects);
  effects.reply(reply_to, model::Done{});
}

}  // namespace baton::engine::commands
