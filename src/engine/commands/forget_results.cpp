#include "engine/commands/commands.hpp"

namespace baton::engine::commands {

void decide(State& /*state*/, const model::ForgetResults& command, model::ReplyTo reply_to,
            const Moment& /*moment*/, Effects& effects) {
  for (const std::string& key : command.keys) effects.erase({model::RecordKind::cached_result, key});
  effects.reply(reply_to, model::Discarded{static_cast<std::uint32_t>(command.keys.size()), {}});
}

}  // namespace baton::engine::commands
