// Records in their table. May throw SQLite::Exception.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/record.hpp"
#include "store/sqlite/query.hpp"
#include "store/store.hpp"

namespace baton::store::sqlite {

void write_record(Connection& connection, ShardId shard, const model::RecordChange& change);
std::optional<model::Record> read_record(Connection& connection, ShardId shard, const model::RecordKey& key);
void each_resident_record(Connection& connection, ShardId shard,
                          const std::function<void(model::Record)>& record);
std::vector<model::Record> list_records(Connection& connection, ShardId shard, const RecordFilter& filter,
                                        const std::optional<std::string>& after, std::size_t limit);
std::vector<RecordGroup> count_records(Connection& connection, ShardId shard, model::RecordKind kind);

}  // namespace baton::store::sqlite
