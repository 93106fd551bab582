#include "engine/decide.hpp"

#include "engine/audit.hpp"
#include "engine/commands/commands.hpp"
#include "engine/requests.hpp"

namespace baton::engine {

namespace {

// In a deleted namespace nothing begins; what is over is cleared away.
bool begins(const model::CommandBody& body) {
  return std::holds_alternative<model::SubmitRun>(body) || std::holds_alternative<model::RecoverRun>(body) ||
         std::holds_alternative<model::DecideTask>(body) || std::holds_alternative<model::AddTasks>(body) ||
         std::holds_alternative<model::ApplyWorkflow>(body) || std::holds_alternative<model::SetSecret>(body);
}

}  // namespace

void decide(State& state, const model::Command& command, const Moment& moment, Effects& effects) {
  effects.begin(name(command.body), command.actor);
  if (state.closed && begins(command.body)) {
    return effects.reply(command.reply_to, Error{ErrorCode::not_found, "the namespace was deleted", ""});
  }
  if (answer_again(state, command, moment, effects)) return;
  std::visit([&](const auto& body) { commands::decide(state, body, command.reply_to, moment, effects); },
             command.body);
  audit(state, command, moment, effects);
  remember(state, command, moment, effects);
}

}  // namespace baton::engine
