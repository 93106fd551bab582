// What is asked about all namespaces of a database at once.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "model/record.hpp"
#include "store/store.hpp"

namespace baton::store {

// That of `default` and those of all namespaces that are not cleared away. `any`: of whichever shard.
Result<std::vector<ShardId>> shards_in_use(const Reader& any);

// How many records of a kind they have together.
Result<std::uint64_t> count_everywhere(const Reader& any, model::RecordKind kind);

}  // namespace baton::store
