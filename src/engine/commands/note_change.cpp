#include "engine/commands/commands.hpp"

namespace baton::engine::commands {

// What was done besides the engine: only the audit has it.
void decide(State&, const model::NoteChange&, model::ReplyTo reply_to, const Moment&, Effects& effects) {
  effects.reply(reply_to, model::Done{});
}

}  // namespace baton::engine::commands
