#include "engine/commands/commands.hpp"
#include "engine/pauses.hpp"

namespace baton::engine::commands {
namespace {

void answer(State& state, const model::PauseTarget& target, Status done, model::ReplyTo reply_to,
            Effects& effects) {
  if (!done) {
    effects.reply(reply_to, std::move(done.error()));
  } else if (const Run* run = state.find(target.run.key())) {
    effects.reply(reply_to, model::RunAccepted{target.run, run->row.status});
  } else {
    effects.reply(reply_to, model::Done{});
  }
}

}  // namespace

void decide(State& state, const model::PauseCommand& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  answer(state, command.target, pause(state, command, moment, effects), reply_to, effects);
}

void decide(State& state, const model::ResumeCommand& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  answer(state, command.target, resume(state, command.target, moment, effects), reply_to, effects);
}

}  // namespace baton::engine::commands
