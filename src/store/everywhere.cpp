#include "store/everywhere.hpp"

#include <memory>
#include <optional>

#include "model/space.hpp"

namespace baton::store {

Result<std::vector<ShardId>> shards_in_use(const Reader& any) {
  std::vector<ShardId> shards{ShardId{0}};
  const std::unique_ptr<Reader> home = any.of(ShardId{0});
  TRY(const auto records,
      home->list_records({.kind = model::RecordKind::space}, std::nullopt, model::kLastShard));
  for (const model::Record& record : records) {
    // One that cannot be read is not opened either.
    const auto row = model::space_of(record);
    if (row && !row->cleared) shards.push_back(row->shard);
  }
  return shards;
}

Result<std::uint64_t> count_everywhere(const Reader& any, model::RecordKind kind) {
  TRY(const std::vector<ShardId> shards, shards_in_use(any));
  std::uint64_t count = 0;
  for (const ShardId shard : shards) {
    TRY(const std::vector<RecordGroup> groups, any.of(shard)->count_records(kind));
    for (const RecordGroup& group : groups) count += group.count;
  }
  return count;
}

}  // namespace baton::store
