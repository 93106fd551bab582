#include "base/text.hpp"
#include "engine/commands/commands.hpp"
#include "model/api_key.hpp"

namespace baton::engine::commands {
namespace {

// Of a key that cannot be read: it lets nobody in, and goes.
Status revoke(const State& state, const model::RevokeKey& command, const Moment& moment, Effects& effects) {
  const model::Record* record = state.record(model::api_key_key(command.name));
  if (record == nullptr) {
    return fail(ErrorCode::not_found,
                "there is no key \"" + printable(utf8_prefix(command.name, 128)) + "\"");
  }
  auto row = model::api_key_of(*record);
  if (!row) {
    effects.erase(model::api_key_key(command.name));
    return {};
  }
  if (row->revoked_at) return {};
  row->revoked_at = moment.wall;
  row->revoked_by = effects.actor();
  effects.put(model::to_record(*row));
  return {};
}

}  // namespace

void decide(State& state, const model::RevokeKey& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  const Status done = revoke(state, command, moment, effects);
  if (!done) return effects.reply(reply_to, done.error());
  effects.reply(reply_to, model::Done{});
}

void decide(State& state, const model::NoteKeyUse& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  if (const model::Record* record = state.record(model::api_key_key(command.name))) {
    if (auto row = model::api_key_of(*record)) {
      row->used_at = moment.wall;
      effects.put(model::to_record(*row));
    }
  }
  effects.reply(reply_to, model::Done{});
}

}  // namespace baton::engine::commands
