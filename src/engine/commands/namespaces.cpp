// Namespaces come and go: CreateNamespace and DeleteNamespace are for shard 0, which keeps the list;
// CloseShard is for the shard of the namespace itself.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "engine/commands/commands.hpp"
#include "engine/resources.hpp"
#include "model/api_key.hpp"
#include "model/secret.hpp"
#include "model/space.hpp"

namespace baton::engine::commands {
namespace {

constexpr std::size_t kReasonLimit = 1000;

// A record that cannot be read keeps its number.
std::map<std::uint16_t, std::optional<model::SpaceRow>> known(const State& state) {
  std::map<std::uint16_t, std::optional<model::SpaceRow>> rows;
  const model::RecordKey first{model::RecordKind::space, ""};
  for (auto it = state.records.lower_bound(first); it != state.records.end(); ++it) {
    if (it->first.kind != first.kind) break;
    if (!it->second.record || it->first == model::closed_key()) continue;
    auto row = model::space_of(*it->second.record);
    const auto number = static_cast<std::uint16_t>(std::atoi(it->first.key.c_str()));
    rows.emplace(number, row ? std::optional(std::move(*row)) : std::nullopt);
  }
  return rows;
}

Status wrong_shard() {
  return fail(ErrorCode::internal, "the list of namespaces is kept by shard 0");
}

// A key is for a name: whoever could enter what had the name before must not enter what gets it.
void revoke_keys(const State& state, const std::string& name, const Moment& moment, Effects& effects) {
  std::vector<model::KeyRow> rows;
  for (auto it = state.records.lower_bound(model::api_key_key("")); it != state.records.end(); ++it) {
    if (it->first.kind != model::RecordKind::api_key) break;
    if (!it->second.record) continue;
    auto row = model::api_key_of(*it->second.record);
    if (row && row->space == name && !row->revoked_at) rows.push_back(std::move(*row));
  }
  for (model::KeyRow& row : rows) {
    row.revoked_at = moment.wall;
    row.revoked_by = effects.actor();
    effects.put(model::to_record(row));
  }
}

Status create(const State& state, const model::CreateNamespace& command, const Moment& moment,
              Effects& effects) {
  if (state.shard != ShardId{}) return wrong_shard();
  if (!is_name(command.name)) {
    return fail(ErrorCode::invalid_request,
                "a namespace's name has letters, digits and . _ - (at most 128), and begins with a letter or "
                "digit",
                "/name");
  }
  const auto rows = known(state);
  const bool taken =
      command.name == model::kDefaultNamespace || std::ranges::any_of(rows, [&](const auto& e) {
        return e.second && !e.second->deleted_at && e.second->name == command.name;
      });
  if (taken) return fail(ErrorCode::conflict, "there is a namespace \"" + command.name + "\" already");
  const auto there =
      std::ranges::count_if(rows, [](const auto& entry) { return !entry.second || !entry.second->cleared; });
  if (static_cast<std::size_t>(there) + 1 >= model::kMaxNamespaces) {
    return fail(ErrorCode::conflict, "a server has at most " + std::to_string(model::kMaxNamespaces) +
                                         " namespaces, deleted ones included until their runs are cleared "
                                         "away");
  }
  const unsigned number = rows.empty() ? 1 : rows.rbegin()->first + 1U;
  if (number > model::kLastShard) {
    return fail(ErrorCode::conflict,
                "all numbers of namespaces are used: " + std::to_string(model::kLastShard) +
                    " were made in this data directory");
  }
  // Made in the moment of its deletion.
  revoke_keys(state, command.name, moment, effects);
  effects.put(model::to_record(model::SpaceRow{.shard = static_cast<ShardId>(number),
                                               .name = command.name,
                                               .by = effects.actor(),
                                               .why = std::string(utf8_prefix(command.reason, kReasonLimit)),
                                               .at = moment.wall}));
  return {};
}

Status remove(const State& state, const model::DeleteNamespace& command, const Moment& moment,
              Effects& effects) {
  if (state.shard != ShardId{}) return wrong_shard();
  const model::Record* record = state.record(model::space_key(command.shard));
  if (record == nullptr) return fail(ErrorCode::not_found, "there is no such namespace");
  TRY(model::SpaceRow row, model::space_of(*record));
  if (row.deleted_at && (row.cleared || !command.cleared)) return {};
  // Later, when it is cleared, the name and its keys may be another's.
  if (!row.deleted_at) {
    row.deleted_at = moment.wall;
    revoke_keys(state, row.name, moment, effects);
  }
  row.cleared = command.cleared;
  effects.put(model::to_record(row));
  return {};
}

bool is_open(const State& state) {
  return !state.cold.empty() || has_orphans(state) || std::ranges::any_of(state.runs, [](const auto& entry) {
    return !model::is_terminal(entry.second->row.status);
  });
}

// Nothing begins here any more that could need them.
void forget_secrets(const State& state, Effects& effects) {
  std::vector<model::RecordKey> keys;
  for (auto it = state.records.lower_bound(model::secret_key("")); it != state.records.end(); ++it) {
    if (it->first.kind != model::RecordKind::secret) break;
    if (it->second.record) keys.push_back(it->first);
  }
  for (const model::RecordKey& key : keys) effects.erase(key);
}

Status close(State& state, const Moment& moment, Effects& effects) {
  if (state.closed) return {};
  if (state.shard == ShardId{}) return fail(ErrorCode::conflict, "the namespace default cannot be deleted");
  if (is_open(state)) {
    return fail(ErrorCode::conflict,
                "there are runs in the namespace that have not ended, or that have resources to give back: "
                "cancel them first, or wait");
  }
  state.closed = true;
  forget_secrets(state, effects);
  effects.put({model::closed_key(), "", moment.wall, ""});
  return {};
}

void answer(const Status& done, model::ReplyTo reply_to, Effects& effects) {
  if (!done) return effects.reply(reply_to, done.error());
  effects.reply(reply_to, model::Done{});
}

}  // namespace

void decide(State& state, const model::CreateNamespace& command, model::ReplyTo reply_to,
            const Moment& moment, Effects& effects) {
  answer(create(state, command, moment, effects), reply_to, effects);
}

void decide(State& state, const model::DeleteNamespace& command, model::ReplyTo reply_to,
            const Moment& moment, Effects& effects) {
  answer(remove(state, command, moment, effects), reply_to, effects);
}

void decide(State& state, const model::CloseShard&, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  answer(close(state, moment, effects), reply_to, effects);
}

}  // namespace baton::engine::commands
