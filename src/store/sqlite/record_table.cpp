#include "store/sqlite/record_table.hpp"

#include <algorithm>
#include <limits>

namespace baton::store::sqlite {
namespace {

std::int64_t number(auto value) {
  return static_cast<std::int64_t>(value);
}

// Columns: kind, key, grp, at, state.
model::Record record_at(const Query& query) {
  model::Record record;
  record.id.kind = static_cast<model::RecordKind>(query.number_at(0));
  record.id.key = query.bytes_at(1);
  record.group = query.bytes_at(2);
  record.at.us = query.number_at(3);
  record.state = query.bytes_at(4);
  return record;
}

}  // namespace

void write_record(Connection& connection, ShardId shard, const model::RecordChange& change) {
  const model::Record& record = change.record;
  if (change.erased) {
    connection.query("DELETE FROM record WHERE shard = ?1 AND kind = ?2 AND key = ?3")
        .number(1, number(shard))
        .number(2, number(record.id.kind))
        .text(3, record.id.key)
        .run();
    return;
  }
  connection
      .query(
          "INSERT INTO record(shard, kind, key, grp, at, state) VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
          "ON CONFLICT DO UPDATE SET grp = ?4, at = ?5, state = ?6")
      .number(1, number(shard))
      .number(2, number(record.id.kind))
      .text(3, record.id.key)
      .text(4, record.group)
      .number(5, record.at.us)
      .blob(6, record.state)
      .run();
}

std::optional<model::Record> read_record(Connection& connection, ShardId shard, const model::RecordKey& key) {
  Query query = connection.query(
      "SELECT kind, key, grp, at, state FROM record WHERE shard = ?1 AND kind = ?2 AND key = ?3");
  query.number(1, number(shard)).number(2, number(key.kind)).text(3, key.key);
  if (!query.next()) return std::nullopt;
  return record_at(query);
}

void each_resident_record(Connection& connection, ShardId shard,
                          const std::function<void(model::Record)>& record) {
  std::int64_t kind = 0;
  for (;;) {
    // From kind to kind, so that those which are not resident are never read.
    {
      Query next = connection.query("SELECT min(kind) FROM record WHERE shard = ?1 AND kind > ?2");
      next.number(1, number(shard)).number(2, kind);
      if (!next.next() || next.is_null_at(0)) return;
      kind = next.number_at(0);
    }
    if (!model::is_resident(static_cast<model::RecordKind>(kind))) continue;
    Query query = connection.query(
        "SELECT kind, key, grp, at, state FROM record WHERE shard = ?1 AND kind = ?2 ORDER BY key");
    query.number(1, number(shard)).number(2, kind);
    while (query.next()) record(record_at(query));
  }
}

std::vector<model::Record> list_records(Connection& connection, ShardId shard, const RecordFilter& filter,
                                        const std::optional<std::string>& after, std::size_t limit) {
  std::string sql = "SELECT kind, key, grp, at, state FROM record WHERE shard = ?1 AND kind = ?2";
  if (filter.group) sql += " AND grp = ?3";
  if (after) sql += filter.descending ? " AND key < ?4" : " AND key > ?4";
  sql += filter.descending ? " ORDER BY key DESC" : " ORDER BY key";
  Query query = connection.query(sql + " LIMIT ?5");
  query.number(1, number(shard)).number(2, number(filter.kind));
  if (filter.group) query.text(3, *filter.group);
  if (after) query.text(4, *after);
  constexpr std::size_t kMost = std::numeric_limits<std::int64_t>::max();
  query.number(5, number(std::min(limit, kMost)));
  std::vector<model::Record> list;
  while (query.next()) list.push_back(record_at(query));
  return list;
}

std::vector<RecordGroup> count_records(Connection& connection, ShardId shard, model::RecordKind kind) {
  Query query = connection.query(
      "SELECT grp, count(*), min(at), max(at), max(key) FROM record WHERE shard = ?1 AND kind = ?2 "
      "GROUP BY grp ORDER BY grp");
  query.number(1, number(shard)).number(2, number(kind));
  std::vector<RecordGroup> groups;
  while (query.next()) {
    groups.push_back({std::string(query.bytes_at(0)),
                      static_cast<std::uint64_t>(query.number_at(1)),
                      {query.number_at(2)},
                      {query.number_at(3)},
                      std::string(query.bytes_at(4))});
  }
  return groups;
}

}  // namespace baton::store::sqlite
