#include "store/sqlite/journal_table.hpp"

#include <algorithm>

namespace baton::store::sqlite {

void append_journal(Connection& connection, ShardId shard, JournalSequence sequence,
                    const std::vector<model::RunFacts>& facts) {
  const std::string entry = model::encode(facts);
  connection.query("INSERT INTO journal(key, entry) VALUES(?1, ?2)")
      .number(1, journal_key(shard, sequence))
      .blob(2, entry)
      .run();
}

Result<std::optional<model::RunFacts>> read_journal(Connection& connection, RunKey run,
                                                    JournalSequence sequence) {
  Query query = connection.query("SELECT entry FROM journal WHERE key = ?1");
  query.number(1, journal_key(run.shard(), sequence));
  if (!query.next()) return std::nullopt;
  TRY(std::vector<model::RunFacts> entry, model::decode_journal_entry(query.bytes_at(0)));
  const auto facts = std::ranges::find(entry, run, &model::RunFacts::run);
  if (facts == entry.end()) return std::nullopt;
  return std::move(*facts);
}

Result<JournalEntries> read_journal_after(Connection& connection, ShardId shard, JournalSequence after,
                                          std::size_t limit, std::size_t max_bytes) {
  Query query =
      connection.query("SELECT key, entry FROM journal WHERE key > ?1 AND key <= ?2 ORDER BY key LIMIT ?3");
  query.number(1, journal_key(shard, std::clamp<JournalSequence>(after, 0, kLastSequence)))
      .number(2, journal_key(shard, kLastSequence))
      .number(3, static_cast<std::int64_t>(std::min<std::size_t>(limit, INT64_MAX)));
  JournalEntries entries;
  std::size_t bytes = 0;
  while (bytes < max_bytes && query.next()) {
    const std::string_view entry = query.bytes_at(1);
    bytes += entry.size();
    TRY(std::vector<model::RunFacts> facts, model::decode_journal_entry(entry));
    entries.emplace_back(query.number_at(0) & kLastSequence, std::move(facts));
  }
  return entries;
}

}  // namespace baton::store::sqlite
