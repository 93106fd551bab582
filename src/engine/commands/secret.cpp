#include "model/secret.hpp"

#include "base/text.hpp"
#include "engine/commands/commands.hpp"
#include "engine/edits.hpp"

namespace baton::engine::commands {
namespace {

constexpr std::size_t kReasonLimit = 1000;

std::size_t bytes_of(const model::SecretRow& row) {
  std::size_t bytes = row.sealed.size();
  for (const std::string& value : row.earlier) bytes += value.size();
  return bytes;
}

// Whether there is room for `row` beside all others.
Status check_room(const State& state, const model::SecretRow& row) {
  std::size_t count = 1;
  std::size_t bytes = bytes_of(row);
  for (auto it = state.records.lower_bound(model::secret_key("")); it != state.records.end(); ++it) {
    if (it->first.kind != model::RecordKind::secret) break;
    if (!it->second.record || it->first.key == row.name) continue;
    ++count;
    if (const auto other = model::secret_of(*it->second.record)) bytes += bytes_of(*other);
  }
  if (count > model::kMaxSecrets) {
    return fail(ErrorCode::conflict,
                "there are " + std::to_string(count - 1) + " secrets; delete one that nobody needs any more");
  }
  if (bytes > model::kMaxSealed) {
    return fail(ErrorCode::too_large, "the secrets, with the values before the present ones, would take " +
                                          std::to_string(bytes) + " bytes; the limit is " +
                                          std::to_string(model::kMaxSealed));
  }
  return {};
}

Status set(const State& state, const model::SetSecret& command, const Moment& moment, Effects& effects) {
  if (!is_name(command.name)) {
    return fail(ErrorCode::invalid_request,
                "a secret's name has letters, digits and . _ - (at most 128), and begins with a letter or "
                "digit",
                "/name");
  }
  if (command.sealed.empty()) return fail(ErrorCode::invalid_request, "a secret needs a value", "/value");
  TRY_VOID(check_unchanged(state, model::secret_key(command.name), command.expected));
  model::SecretRow row{.name = command.name, .at = moment.wall};
  if (const model::Record* record = state.record(model::secret_key(command.name))) {
    // One that cannot be read is replaced as a whole.
    if (auto known = model::secret_of(*record)) {
      row = std::move(*known);
      row.earlier.insert(row.earlier.begin(), std::move(row.sealed));
      if (row.earlier.size() > model::kEarlierSecrets) row.earlier.resize(model::kEarlierSecrets);
      ++row.version;
    }
  }
  row.sealed = command.sealed;
  row.by = effects.actor();
  row.why = utf8_prefix(command.reason, kReasonLimit);
  row.changed_at = moment.wall;
  TRY_VOID(check_room(state, row));
  effects.put(model::to_record(row));
  return {};
}

Status forget(const State& state, const model::DeleteSecret& command, Effects& effects) {
  TRY_VOID(check_unchanged(state, model::secret_key(command.name), command.expected));
  if (state.record(model::secret_key(command.name)) == nullptr) {
    return fail(ErrorCode::not_found,
                "there is no secret \"" + printable(utf8_prefix(command.name, 128)) + "\"");
  }
  effects.erase(model::secret_key(command.name));
  return {};
}

}  // namespace

void decide(State& state, const model::SetSecret& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  const Status done = set(state, command, moment, effects);
  if (!done) return effects.reply(reply_to, done.error());
  effects.reply(reply_to, model::Done{});
}

void decide(State& state, const model::DeleteSecret& command, model::ReplyTo reply_to, const Moment&,
            Effects& effects) {
  const Status done = forget(state, command, effects);
  if (!done) return effects.reply(reply_to, done.error());
  effects.reply(reply_to, model::Done{});
}

}  // namespace baton::engine::commands
