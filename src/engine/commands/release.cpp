#include "engine/attempts.hpp"
#include "engine/commands/commands.hpp"

namespace baton::engine::commands {

void decide(State& state, const model::ReleaseAttempt& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  Run* run = nullptr;
  Task* task = holder(state, command.token, command.task, run);
  if (task == nullptr) {
    effects.reply(reply_to,
                  Error{ErrorCode::stale_token,
                        "token " + command.token.text() + " does not hold task " + command.task.text(),
                        command.task.text()});
    return;
  }
  lose(state, *run, *task, model::AttemptEnd::released, moment, effects);
  effects.reply(reply_to, model::Done{});
}

}  // namespace baton::engine::commands
