#include "store/sqlite/run_table.hpp"

#include <algorithm>
#include <cstring>

#include "model/addition.hpp"
#include "store/item_list.hpp"
#include "store/sqlite/payload_table.hpp"
#include "store/sqlite/record_table.hpp"

namespace baton::store::sqlite {
namespace {

using model::PayloadSlot;
using model::RunRow;
using model::RunStatus;
using model::TaskRow;
using model::TaskStatus;

// With its first task.
constexpr const char* kRun =
    "SELECT r.key, r.id, r.status, w.name, r.version, r.job_id, r.created, r.ended, r.state, "
    "r.task_step, r.task_index, r.task_status, r.task_state "
    "FROM run r LEFT JOIN workflow w ON w.id = r.workflow WHERE r.key = ?1";
constexpr const char* kFirstTask =
    "SELECT 0, task_step, task_index, task_status, task_state, task_result "
    "FROM run WHERE key = ?1 AND task_state IS NOT NULL";
constexpr const char* kOtherTasks =
    "SELECT ordinal, step, idx, status, state, result "
    "FROM task WHERE run = ?1 AND ordinal >= ?2 AND ordinal < ?3 ORDER BY ordinal LIMIT ?4";

std::unexpected<Error> damaged(std::string what) {
  return fail(ErrorCode::corrupt, std::move(what));
}

const char* payload_sql(const model::PayloadKey& key) {
  const bool first = key.ordinal == 0;
  switch (key.slot) {
    case PayloadSlot::run_input:
      return "SELECT input FROM run WHERE key = ?1";
    case PayloadSlot::run_context:
      return "SELECT context FROM run WHERE key = ?1";
    case PayloadSlot::task_input:
      return first ? "SELECT task_input FROM run WHERE key = ?1"
                   : "SELECT input FROM task WHERE run = ?1 AND ordinal = ?2";
    default:
      return first ? "SELECT task_result FROM run WHERE key = ?1"
                   : "SELECT result FROM task WHERE run = ?1 AND ordinal = ?2";
  }
}

// On damage `row` has those parts that could be read.
Status decode_run(const Query& query, RunRow& row) {
  row.key.value = query.number_at(0);
  const std::string name = "run " + std::to_string(row.key.value);
  row.version = static_cast<std::uint32_t>(query.number_at(4));
  row.job_id = query.bytes_at(5);
  row.created_at.us = query.number_at(6);
  row.ended_at.us = query.number_at(7);
  row.workflow = query.bytes_at(3);

  const std::string_view id = query.bytes_at(1);
  if (id.size() != row.id.bytes.size()) return damaged(name + ": its id is damaged");
  std::memcpy(row.id.bytes.data(), id.data(), id.size());
  if (row.id.key() != row.key) return damaged(name + ": its id belongs to another run");
  const std::int64_t status = query.number_at(2);
  if (status < 0 || status > static_cast<std::int64_t>(RunStatus::cancelled)) {
    return damaged(name + ": its status " + std::to_string(status) + " is unknown");
  }
  row.status = static_cast<RunStatus>(status);
  if (row.workflow.empty()) return damaged(name + ": its workflow's name is missing");
  if (!decode_state(query.bytes_at(8), row)) return damaged(name + ": its state is damaged");
  return {};
}

Result<std::string> item_results(Connection& connection, const model::PayloadKey& key) {
  ItemList list(key);
  TRY_VOID(each_task(connection, key.run, key.ordinal, std::uint64_t{key.ordinal} + key.count, SIZE_MAX,
                     [&](const TaskCursor& task) -> Status {
                       // What a failed one has left is no result of the list.
                       if (!task.completed()) return {};
                       TRY(const std::optional<std::string> result, task.result(connection));
                       return result ? list.add(task.ordinal, *result) : Status{};
                     }));
  return list.take();
}

// From four columns: step, index, status, state.
Result<TaskRow> decode_task(const Query& query, int first_column, TaskKey key) {
  TaskRow row;
  row.key = key;
  row.step = static_cast<std::uint32_t>(query.number_at(first_column));
  row.index = static_cast<std::int32_t>(query.number_at(first_column + 1));
  const std::int64_t status = query.number_at(first_column + 2);
  if (status < 0 || status > static_cast<std::int64_t>(TaskStatus::cancelled) ||
      !decode_state(query.bytes_at(first_column + 3), row)) {
    return damaged("task " + std::to_string(key.ordinal) + " of run " + std::to_string(key.run.value) +
                   " is damaged");
  }
  row.status = static_cast<TaskStatus>(status);
  return row;
}

}  // namespace

bool TaskCursor::completed() const {
  return query.number_at(3) == static_cast<std::int64_t>(TaskStatus::completed);
}

Result<TaskRow> TaskCursor::row(RunKey run) const {
  return decode_task(query, 1, {run, ordinal});
}

Result<std::optional<std::string>> TaskCursor::result(Connection& connection, std::size_t max_size) const {
  return payload_at(connection, query, 5, max_size);
}

Status each_task(Connection& connection, RunKey run, Ordinal from, std::uint64_t end, std::size_t limit,
                 const std::function<Status(const TaskCursor&)>& visit) {
  if (from == 0 && end > 0 && limit > 0) {
    Query query = connection.query(kFirstTask);
    query.number(1, run.value);
    if (query.next()) {
      TRY_VOID(visit({query, 0}));
      --limit;
    }
  }
  Query query = connection.query(kOtherTasks);
  query.number(1, run.value)
      .number(2, from)
      .number(3, static_cast<std::int64_t>(end))
      .number(4, static_cast<std::int64_t>(std::min<std::size_t>(limit, INT64_MAX)));
  while (query.next()) {
    const std::int64_t ordinal = query.number_at(0);
    if (ordinal > UINT32_MAX) return damaged("a task's ordinal is out of range");
    TRY_VOID(visit({query, static_cast<Ordinal>(ordinal)}));
  }
  return {};
}

std::optional<std::int64_t> find_workflow(Connection& connection, ShardId shard, std::string_view name) {
  const std::string text(name);
  Query query = connection.query("SELECT id FROM workflow WHERE shard = ?1 AND name = ?2");
  query.number(1, static_cast<std::int64_t>(shard)).text(2, text);
  return query.next() ? std::optional(query.number_at(0)) : std::nullopt;
}

Result<std::optional<RunRow>> read_run(Connection& connection, RunKey key) {
  Query query = connection.query(kRun);
  query.number(1, key.value);
  if (!query.next()) return std::nullopt;
  RunRow row;
  TRY_VOID(decode_run(query, row));
  return row;
}

Result<std::optional<RunRow>> read_run_for_list(Connection& connection, RunKey key) {
  Query query = connection.query(kRun);
  query.number(1, key.value);
  if (!query.next()) return std::nullopt;
  RunRow row;
  if (Status decoded = decode_run(query, row); !decoded) {
    row.error_type = "corrupt";
    row.error_message = decoded.error().message;
  }
  return row;
}

Result<std::optional<RunImage>> read_image(Connection& connection, RunKey key) {
  RunImage image;
  {
    Query query = connection.query(kRun);
    query.number(1, key.value);
    if (!query.next()) return std::nullopt;
    TRY_VOID(decode_run(query, image.run));
    if (!query.is_null_at(12)) {
      TRY(TaskRow first, decode_task(query, 9, {key, 0}));
      image.tasks.push_back(std::move(first));
    }
  }
  if (image.run.additions > 0) {
    const std::string prefix = model::additions_of(image.run.id);
    const RecordFilter filter{.kind = model::RecordKind::addition, .group = {}};
    for (model::Record& record : list_records(connection, key.shard(), filter, prefix, image.run.additions)) {
      if (record.id.key.starts_with(prefix)) image.additions.push_back(std::move(record));
    }
  }
  if (image.run.next_ordinal == 1) return image;  // it has no other task
  TRY_VOID(each_task(connection, key, 1, kAllOrdinals, SIZE_MAX, [&](const TaskCursor& task) -> Status {
    TRY(TaskRow row, task.row(key));
    image.tasks.push_back(std::move(row));
    return {};
  }));
  return image;
}

Result<std::optional<std::string>> read_payload(Connection& connection, const model::PayloadKey& key) {
  if (key.slot == PayloadSlot::item_results) return item_results(connection, key);
  Query query = connection.query(payload_sql(key));
  query.number(1, key.run.value);
  const bool of_task = key.slot == PayloadSlot::task_input || key.slot == PayloadSlot::task_result;
  if (of_task && key.ordinal != 0) query.number(2, key.ordinal);
  if (!query.next()) return std::nullopt;
  return payload_at(connection, query, 0);
}

Result<Hash256> hash_at(const Query& query, int column, std::string_view workflow) {
  Hash256 hash;
  const std::string_view bytes = query.bytes_at(column);
  if (bytes.size() != hash.bytes.size())
    return damaged("the hash of a definition of " + std::string(workflow) + " is damaged");
  std::memcpy(hash.bytes.data(), bytes.data(), bytes.size());
  return hash;
}

Result<std::optional<StoredDefinition>> read_definition(Connection& connection, ShardId shard,
                                                        const Hash256& hash) {
  Query query = connection.query(
      "SELECT w.name, d.version, d.created, d.canonical "
      "FROM definition d JOIN workflow w ON w.id = d.workflow WHERE d.shard = ?2 AND d.hash = ?1");
  query.number(2, static_cast<std::int64_t>(shard))
      .blob(1, {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()});
  if (!query.next()) return std::nullopt;
  return StoredDefinition{std::string(query.bytes_at(0)),
                          static_cast<std::uint32_t>(query.number_at(1)),
                          hash,
                          std::string(query.bytes_at(3)),
                          {query.number_at(2)}};
}

Result<std::optional<StoredDefinition>> read_definition(Connection& connection, ShardId shard,
                                                        std::string_view workflow, std::uint32_t version) {
  const auto id = find_workflow(connection, shard, workflow);
  if (!id) return std::nullopt;
  Query query = connection.query(
      "SELECT hash, created, canonical FROM definition WHERE workflow = ?1 AND version = ?2");
  query.number(1, *id).number(2, version);
  if (!query.next()) return std::nullopt;
  StoredDefinition definition{
      std::string(workflow), version, {}, std::string(query.bytes_at(2)), {query.number_at(1)}};
  TRY(definition.hash, hash_at(query, 0, workflow));
  return definition;
}

Result<std::vector<VersionView>> read_versions(Connection& connection, ShardId shard,
                                               std::string_view workflow, std::optional<std::uint32_t> before,
                                               std::size_t limit) {
  const auto id = find_workflow(connection, shard, workflow);
  if (!id) return std::vector<VersionView>{};
  Query query = connection.query(
      "SELECT version, hash, created FROM definition WHERE workflow = ?1 AND version < ?2 "
      "ORDER BY version DESC LIMIT ?3");
  query.number(1, *id)
      .number(2, before ? std::int64_t{*before} : INT64_MAX)
      .number(3, static_cast<std::int64_t>(std::min<std::size_t>(limit, INT64_MAX)));
  std::vector<VersionView> versions;
  while (query.next()) {
    VersionView view{static_cast<std::uint32_t>(query.number_at(0)), {}, {query.number_at(2)}};
    TRY(view.hash, hash_at(query, 1, workflow));
    versions.push_back(view);
  }
  return versions;
}

Result<std::vector<DefinitionKey>> read_definition_keys(Connection& connection, ShardId shard) {
  Query query = connection.query(
      "SELECT w.name, d.version, d.hash FROM definition d JOIN workflow w ON w.id = d.workflow "
      "WHERE d.shard = ?1 ORDER BY w.name, d.version");
  query.number(1, static_cast<std::int64_t>(shard));
  std::vector<DefinitionKey> keys;
  while (query.next()) {
    DefinitionKey key{std::string(query.bytes_at(0)), static_cast<std::uint32_t>(query.number_at(1)), {}};
    TRY(key.hash, hash_at(query, 2, key.workflow));
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace baton::store::sqlite
