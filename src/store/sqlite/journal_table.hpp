// The journal: one packed entry per commit. All functions may throw SQLite::Exception.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "model/fact.hpp"
#include "store/sqlite/query.hpp"

namespace baton::store::sqlite {

// One integer key, growing within a shard: 12 bits shard, 51 bits sequence.
constexpr std::int64_t journal_key(ShardId shard, JournalSequence sequence) {
  return static_cast<std::int64_t>(shard) << 51 | sequence;
}
inline constexpr JournalSequence kLastSequence = (JournalSequence{1} << 51) - 1;

void append_journal(Connection& connection, ShardId shard, JournalSequence sequence,
                    const std::vector<model::RunFacts>& facts);

// The facts of one run in one commit; nullopt: the entry is gone (pruned) or does not touch the run.
Result<std::optional<model::RunFacts>> read_journal(Connection& connection, RunKey run,
                                                    JournalSequence sequence);

using JournalEntries = std::vector<std::pair<JournalSequence, std::vector<model::RunFacts>>>;
// Entries after `after`, oldest first: at most `limit`, and no more once they have `max_bytes` together.
Result<JournalEntries> read_journal_after(Connection& connection, ShardId shard, JournalSequence after,
                                          std::size_t limit, std::size_t max_bytes);

}  // namespace baton::store::sqlite
