// Namespaces: each is one shard, with an owner, limits and queues of its own. `default` is shard 0 and always
// there; the others are records of shard 0.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

inline constexpr std::string_view kDefaultNamespace = "default";
// Of a key: that it opens all of them.
inline constexpr std::string_view kEveryNamespace = "*";

inline constexpr std::size_t kMaxNamespaces = 64;  // at a time, `default` included
inline constexpr std::uint16_t kLastShard = 4095;  // numbers are never used again

struct SpaceRow {
  ShardId shard{};
  std::string name;
  std::string by;  // who made it
  std::string why;
  WallTime at;
  std::optional<WallTime> deleted_at;  // its name is free from then on
  bool cleared = false;  // deleted, and nothing of its runs is left: its shard is opened no more

  friend bool operator==(const SpaceRow&, const SpaceRow&) = default;
};

RecordKey space_key(ShardId shard);
Record to_record(const SpaceRow& row);
Result<SpaceRow> space_of(const Record& record);  // or corrupt

// In a deleted namespace's own shard: nothing begins there any more.
inline RecordKey closed_key() {
  return {RecordKind::space, "closed"};
}

}  // namespace baton::model
