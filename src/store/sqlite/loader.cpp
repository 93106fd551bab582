#include "store/sqlite/loader.hpp"

#include <cstring>
#include <set>

#include "store/sqlite/record_table.hpp"
#include "store/sqlite/run_table.hpp"

namespace baton::store::sqlite {
namespace {

Result<std::optional<IdempotencyEntry>> read_idempotency(Connection& connection, ShardId shard,
                                                         const std::string& key) {
  Query query = connection.query(
      "SELECT i.body, i.run, r.id, i.expires FROM idempotency i JOIN run r ON r.key = i.run "
      "WHERE i.shard = ?1 AND i.key = ?2");
  query.number(1, static_cast<std::int64_t>(shard)).text(2, key);
  if (!query.next()) return std::nullopt;
  IdempotencyEntry entry;
  const std::string_view body = query.bytes_at(0);
  const std::string_view id = query.bytes_at(2);
  if (body.size() != entry.body.bytes.size() || id.size() != entry.id.bytes.size()) {
    return fail(ErrorCode::corrupt, "an idempotency key's row is damaged");
  }
  std::memcpy(entry.body.bytes.data(), body.data(), body.size());
  std::memcpy(entry.id.bytes.data(), id.data(), id.size());
  entry.run.value = query.number_at(1);
  entry.expires_at.us = query.number_at(3);
  return entry;
}

Result<std::optional<model::RunHead>> read_head(Connection& connection, RunKey key) {
  TRY(std::optional<model::RunRow> row, read_run(connection, key));
  if (!row) return std::nullopt;
  model::RunHead head{std::move(*row), false, {}};
  const std::string id = head.row.id.text();
  const std::string end = id + '~';  // behind all of the run's
  {
    Query letters = connection.query(
        "SELECT 1 FROM record WHERE shard = ?1 AND kind = ?2 AND key >= ?3 AND key < ?4 LIMIT 1");
    letters.number(1, static_cast<std::int64_t>(key.shard()))
        .number(2, static_cast<std::int64_t>(model::RecordKind::dead_letter))
        .text(3, id)
        .text(4, end);
    head.dead_letter = letters.next();
  }
  Query keys = connection.query("SELECT coalesce(max(expires), 0) FROM idempotency WHERE run = ?1");
  keys.number(1, key.value);
  if (keys.next()) head.key_until.us = keys.number_at(0);
  return head;
}

}  // namespace

Result<Loaded> load(Connection& connection, const LoadRequest& request) {
  Loaded loaded;
  loaded.wanted = request.definitions;
  for (const model::PayloadKey& key : request.payloads) {
    Result<std::optional<std::string>> text = read_payload(connection, key);
    if (!text) {
      loaded.refused.emplace_back(key, std::move(text).error());
      text = std::string();
    }
    loaded.payloads.emplace_back(key,
                                 *text ? std::make_shared<const std::string>(std::move(**text)) : nullptr);
  }
  std::set<Hash256> definitions(request.definitions.begin(), request.definitions.end());
  for (const RunKey key : request.runs) {
    Result<std::optional<RunImage>> image = read_image(connection, key);
    if (!image) {
      loaded.damaged.emplace_back(key, std::move(image).error());
      continue;
    }
    if (*image) definitions.insert((*image)->run.definition);
    loaded.runs.emplace_back(key, std::move(*image));
  }
  for (const RunKey key : request.heads) {
    Result<std::optional<model::RunHead>> head = read_head(connection, key);
    if (!head) {
      loaded.damaged.emplace_back(key, std::move(head).error());
    } else if (*head) {
      loaded.heads.push_back(std::move(**head));
    }
  }
  for (const Hash256& hash : definitions) {
    TRY(std::optional<StoredDefinition> definition, read_definition(connection, request.shard, hash));
    if (definition) loaded.definitions.emplace_back(hash, std::move(definition->canonical));
  }
  for (const std::string& key : request.idempotency_keys) {
    TRY(std::optional<IdempotencyEntry> entry, read_idempotency(connection, request.shard, key));
    loaded.idempotency.emplace_back(key, std::move(entry));
  }
  for (const model::RecordKey& key : request.records) {
    loaded.records.emplace_back(key, read_record(connection, request.shard, key));
  }
  return loaded;
}

}  // namespace baton::store::sqlite
