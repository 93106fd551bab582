#include "engine/commands/commands.hpp"
#include "model/dead_letter.hpp"

namespace baton::engine::commands {

void decide(State& state, const model::DiscardDeadLetters& command, model::ReplyTo reply_to,
            const Moment& /*moment*/, Effects& effects) {
  model::Discarded discarded;
  for (const std::string& id : command.ids) {
    const model::RecordKey key{model::RecordKind::dead_letter, id};
    if (state.record(key) == nullptr) {
      discarded.unknown.push_back(id);
      continue;
    }
    effects.erase(key);
    ++discarded.count;
  }
  effects.reply(reply_to, std::move(discarded));
}

}  // namespace baton::engine::commands
