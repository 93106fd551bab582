#include "store/sqlite/remains.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/addition.hpp"
#include "model/fact.hpp"
#include "model/record.hpp"
#include "store/sqlite/journal_table.hpp"
#include "store/sqlite/payload_table.hpp"

namespace baton::store::sqlite {
namespace {

constexpr std::int64_t kRunsAtOnce = 1000;
constexpr std::int64_t kRowsAtOnce = 1000;
constexpr std::size_t kJournalBytes = std::size_t{1} << 20;
// Free pages are kept for what comes: giving them back and taking them again costs more than they do.
constexpr std::int64_t kPagesKept = 1024;
constexpr std::int64_t kFreePart = 8;  // of the file

struct Removed {
  RunKey run;
  std::string id;
  JournalSequence journal = 0;  // the newest entry that is left; 0 = none
  std::int64_t tasks = 0;       // ordinals below may have rows; 0 = none has
  std::int64_t additions = 0;

  bool done() const { return journal == 0 && tasks == 0 && additions == 0; }
  bool operator==(const Removed&) const = default;
};

std::vector<Removed> read(Connection& connection) {
  Query query =
      connection.query("SELECT run, id, journal, tasks, additions FROM remains ORDER BY run LIMIT ?1");
  query.number(1, kRunsAtOnce);
  std::vector<Removed> runs;
  while (query.next()) {
    runs.push_back({{query.number_at(0)},
                    std::string(query.bytes_at(1)),
                    query.number_at(2),
                    query.number_at(3),
                    query.number_at(4)});
  }
  return runs;
}

// Deletes up to `limit` of the run's tasks; how many.
std::int64_t clear_tasks(Connection& connection, Removed& run, std::int64_t limit) {
  std::int64_t end = 0;
  std::int64_t count = 0;
  std::vector<std::int64_t> payloads;
  {
    Query query = connection.query(
        "SELECT ordinal, CASE WHEN typeof(input) = 'integer' THEN input END, "
        "CASE WHEN typeof(result) = 'integer' THEN result END "
        "FROM task WHERE run = ?1 ORDER BY ordinal LIMIT ?2");
    query.number(1, run.run.value).number(2, limit);
    for (; query.next(); ++count) {
      end = query.number_at(0) + 1;
      for (const int column : {1, 2}) {
        if (!query.is_null_at(column)) payloads.push_back(query.number_at(column));
      }
    }
  }
  for (const std::int64_t id : payloads) release_payload(connection, id);
  if (count > 0)
    connection.query("DELETE FROM task WHERE run = ?1 AND ordinal < ?2")
        .number(1, run.run.value)
        .number(2, end)
        .run();
  if (count < limit) run.tasks = 0;
  return count;
}

std::int64_t clear_additions(Connection& connection, Removed& run, std::int64_t limit) {
  const auto id = RunId::parse(run.id);
  if (!id) {
    run.additions = 0;
    return 0;
  }
  const std::string from = model::additions_of(*id);
  const std::string end = from + '~';
  connection
      .query(
          "DELETE FROM record WHERE shard = ?1 AND kind = ?2 AND key IN (SELECT key FROM record "
          "WHERE shard = ?1 AND kind = ?2 AND key >= ?3 AND key < ?4 LIMIT ?5)")
      .number(1, static_cast<std::int64_t>(run.run.shard()))
      .number(2, static_cast<std::int64_t>(model::RecordKind::addition))
      .text(3, from)
      .text(4, end)
      .number(5, limit)
      .run();
  const std::int64_t count = connection.changes();
  if (count < limit) run.additions = 0;
  return count;
}

// Takes the facts of these runs out of one entry of the journal; the bytes that it had.
std::size_t clear_entry(Connection& connection, std::int64_t key, const std::vector<Removed*>& runs) {
  std::vector<model::RunFacts> facts;
  std::size_t size = 0;
  {
    Query query = connection.query("SELECT entry FROM journal WHERE key = ?1");
    query.number(1, key);
    if (query.next()) {
      size = query.bytes_at(0).size();
      // What cannot be read stays as it is: nobody asks for it any more.
      if (auto entry = model::decode_journal_entry(query.bytes_at(0))) facts = std::move(*entry);
    }
  }
  std::map<RunKey, Removed*> wanted;
  for (Removed* run : runs) {
    wanted.emplace(run->run, run);
    run->journal = 0;
  }
  const JournalSequence sequence = key & kLastSequence;
  const auto removed = std::erase_if(facts, [&](const model::RunFacts& one) {
    const auto found = wanted.find(one.run);
    if (found == wanted.end()) return false;
    if (one.previous < sequence) found->second->journal = one.previous;
    return true;
  });
  if (removed == 0) return size;
  if (facts.empty()) {
    connection.query("DELETE FROM journal WHERE key = ?1").number(1, key).run();
  } else {
    const std::string entry = model::encode(facts);
    connection.query("UPDATE journal SET entry = ?2 WHERE key = ?1").number(1, key).blob(2, entry).run();
  }
  return size;
}

}  // namespace

bool Remains::clear_some(bool& committing) {
  committing = false;
  return clear_runs(committing) || give_pages_back(committing);
}

bool Remains::clear_runs(bool& committing) {
  std::vector<Removed> runs = read(connection_);
  if (runs.empty()) return false;
  SQLite::Transaction transaction(connection_.database(), SQLite::TransactionBehavior::IMMEDIATE);
  const std::vector<Removed> before = runs;
  std::int64_t rows = 0;
  for (Removed& run : runs) {
    if (run.tasks > 0 && rows < kRowsAtOnce) rows += clear_tasks(connection_, run, kRowsAtOnce - rows);
    if (run.additions > 0 && rows < kRowsAtOnce)
      rows += clear_additions(connection_, run, kRowsAtOnce - rows);
  }
  std::map<std::int64_t, std::vector<Removed*>> entries;  // by the key of the newest one that is left
  const auto put = [&](Removed& run) {
    if (run.journal > 0) entries[journal_key(run.run.shard(), run.journal)].push_back(&run);
  };
  for (Removed& run : runs) put(run);
  for (std::size_t bytes = 0; !entries.empty() && rows < kRowsAtOnce && bytes < kJournalBytes; ++rows) {
    const auto newest = std::prev(entries.end());
    bytes += clear_entry(connection_, newest->first, newest->second);
    const std::vector<Removed*> moved = std::move(newest->second);
    entries.erase(newest);
    for (Removed* run : moved) put(*run);
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Removed& run = runs[i];
    if (run.done()) {
      connection_.query("DELETE FROM remains WHERE run = ?1").number(1, run.run.value).run();
    } else if (run != before[i]) {
      connection_.query("UPDATE remains SET journal = ?2, tasks = ?3, additions = ?4 WHERE run = ?1")
          .number(1, run.run.value)
          .number(2, run.journal)
          .number(3, run.tasks)
          .number(4, run.additions)
          .run();
    }
  }
  committing = true;
  transaction.commit();
  return true;
}

bool Remains::give_pages_back(bool& committing) {
  const std::int64_t free = connection_.pragma("PRAGMA freelist_count");
  if (free <= kPagesKept || free <= connection_.pragma("PRAGMA page_count") / kFreePart) return false;
  SQLite::Transaction transaction(connection_.database(), SQLite::TransactionBehavior::IMMEDIATE);
  connection_.exec("PRAGMA incremental_vacuum(256)");
  committing = true;
  transaction.commit();
  return true;
}

}  // namespace baton::store::sqlite
