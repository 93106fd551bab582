// Reading runs and their tasks. The task with ordinal 0 stands in its run's row, the others in the task
// table. Rows that cannot be decoded give ErrorCode::corrupt; all functions may throw SQLite::Exception.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "store/sqlite/query.hpp"
#include "store/store.hpp"

namespace baton::store::sqlite {

// Larger than every key of the shard.
constexpr RunKey end_of(ShardId shard) {
  return {RunKey::make(shard, 0).value + (std::int64_t{1} << RunKey::kSequenceBits)};
}

// The id of the shard's workflow; nullopt = there is none.
std::optional<std::int64_t> find_workflow(Connection& connection, ShardId shard, std::string_view name);
// The ids of a shard's workflows are greater than this, and at most that of the next one.
constexpr std::int64_t before_workflows(ShardId shard) {
  return static_cast<std::int64_t>(shard) << 32;
}

// nullopt = there is no such run.
Result<std::optional<model::RunRow>> read_run(Connection& connection, RunKey key);
// The same for lists: a damaged row stays visible. It has what could be read, error_type "corrupt" and the
// damage as its error_message.
Result<std::optional<model::RunRow>> read_run_for_list(Connection& connection, RunKey key);
// With its tasks.
Result<std::optional<RunImage>> read_image(Connection& connection, RunKey key);

// One row of a task while a query stands on it.
struct TaskCursor {
  const Query& query;
  Ordinal ordinal;

  bool completed() const;
  Result<model::TaskRow> row(RunKey run) const;
  // nullopt: none, or longer than `max_size`.
  Result<std::optional<std::string>> result(Connection& connection, std::size_t max_size = SIZE_MAX) const;
};
inline constexpr std::uint64_t kAllOrdinals = std::uint64_t{1} << 32;
// The stored tasks with ordinals in [from, end), ascending, at most `limit`. Stops at the first error that
// `visit` returns.
Status each_task(Connection& connection, RunKey run, Ordinal from, std::uint64_t end, std::size_t limit,
                 const std::function<Status(const TaskCursor&)>& visit);

// nullopt: there is none, or no such run or task.
Result<std::optional<std::string>> read_payload(Connection& connection, const model::PayloadKey& key);

Result<std::optional<StoredDefinition>> read_definition(Connection& connection, ShardId shard,
                                                        const Hash256& hash);
Result<std::optional<StoredDefinition>> read_definition(Connection& connection, ShardId shard,
                                                        std::string_view workflow, std::uint32_t version);
// Newest first, at most `limit`, older than `before` if given.
Result<std::vector<VersionView>> read_versions(Connection& connection, ShardId shard,
                                               std::string_view workflow, std::optional<std::uint32_t> before,
                                               std::size_t limit);

// By workflow and version.
Result<std::vector<DefinitionKey>> read_definition_keys(Connection& connection, ShardId shard);

}  // namespace baton::store::sqlite
