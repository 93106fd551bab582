#include <algorithm>

#include "base/text.hpp"
#include "engine/commands/commands.hpp"
#include "model/api_key.hpp"

namespace baton::engine::commands {
namespace {

constexpr std::size_t kReasonLimit = 1000;

// Revoked and expired keys stay listed as long as there is room.
Status make_room(const State& state, const Moment& moment, Effects& effects) {
  std::size_t count = 0;
  std::optional<model::KeyRow> oldest;
  for (auto it = state.records.lower_bound(model::api_key_key("")); it != state.records.end(); ++it) {
    if (it->first.kind != model::RecordKind::api_key) break;
    if (!it->second.record) continue;
    ++count;
    auto row = model::api_key_of(*it->second.record);
    // That of the first key stays: it says that the file is not to be believed any more.
    if (!row || row->is_valid(moment.wall) || row->name == model::kFirstKey) continue;
    if (!oldest || row->at < oldest->at) oldest = std::move(*row);
  }
  if (count < model::kMaxKeys) return {};
  if (!oldest) {
    return fail(ErrorCode::conflict,
                "there are " + std::to_string(count) + " keys; revoke one that nobody needs any more");
  }
  effects.erase(model::api_key_key(oldest->name));
  return {};
}

Status create(const State& state, const model::CreateKey& command, const Moment& moment, Effects& effects) {
  if (!is_name(command.name)) {
    return fail(ErrorCode::invalid_request,
                "a key's name has letters, digits and . _ - (at most 128), and begins with a letter or digit",
                "/name");
  }
  if (command.expires_at && *command.expires_at <= moment.wall) {
    return fail(ErrorCode::invalid_request, "the key would have expired already", "/expires_at");
  }
  const model::Record* record = state.record(model::api_key_key(command.name));
  if (record != nullptr) {
    const auto row = model::api_key_of(*record);
    if (row && row->is_valid(moment.wall)) {
      return fail(ErrorCode::conflict, "there is a key \"" + command.name +
                                           "\" already: revoke it first, or choose "
                                           "another name");
    }
  } else {
    TRY_VOID(make_room(state, moment, effects));
  }
  effects.put(model::to_record(model::KeyRow{.name = command.name,
                                             .hash = command.hash,
                                             .role = command.role,
                                             .space = command.space,
                                             .by = effects.actor(),
                                             .why = std::string(utf8_prefix(command.reason, kReasonLimit)),
                                             .at = moment.wall,
                                             .expires_at = command.expires_at}));
  return {};
}

}  // namespace

void decide(State& state, const model::CreateKey& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  const Status done = create(state, command, moment, effects);
  if (!done) return effects.reply(reply_to, done.error());
  effects.reply(reply_to, model::Done{});
}

}  // namespace baton::engine::commands
