#include "engine/decide.hpp"

#include "engine/audit.hpp"
#include "engine/commands/commands.hpp"
#include "engine/requests.hpp"

namespace baton::engine {

void decide(State& state, const model::Command& command, const Moment& moment, Effects& effects) {
  effects.begin(name(command.body), command.actor);
  if (answer_again(state, command, moment, effects)) return;
  std::visit([&](const auto& body) { commands::decide(state, body, command.reply_to, moment, effects); },
             command.body);
  audit(state, command, moment, effects);
  remember(state, command, moment, effects);
}

}  // namespace baton::engine
