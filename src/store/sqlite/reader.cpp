#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "store/sqlite/database_file.hpp"
#include "store/sqlite/errors.hpp"
#include "store/sqlite/journal_table.hpp"
#include "store/sqlite/record_table.hpp"
#include "store/sqlite/run_filter.hpp"
#include "store/sqlite/run_table.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace baton::store {
namespace {

using model::RunRow;
using sqlite::Connection;
using sqlite::guarded;
using sqlite::Query;

// Bytes of journal that one call reads before it stops.
constexpr std::size_t kJournalBytes = 8 << 20;

// Read-only connections; each call borrows one.
class ConnectionPool {
 public:
  ConnectionPool(std::string path, std::string vfs) : path_(std::move(path)), vfs_(std::move(vfs)) {}

  // Calls `body(connection)` within one read transaction: it sees one state of the database.
  template <typename Body>
  auto snapshot(std::string_view doing, Body&& body) -> decltype(body(std::declval<Connection&>())) {
    return guarded(doing, [&]() -> decltype(body(std::declval<Connection&>())) {
      TRY(std::unique_ptr<Connection> connection, borrow());
      const Loan loan{*this, connection};
      connection->query("BEGIN").run();
      const Transaction transaction{*connection};
      return body(*connection);
    });
  }

  Result<std::unique_ptr<Connection>> borrow() {
    {
      std::unique_lock lock(mutex_);
      freed_.wait(lock, [this] { return !idle_.empty() || open_ < kMost; });
      if (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
      ++open_;
    }
    auto connection = guarded("opening " + path_, [&] { return sqlite::open_for_reading(path_, vfs_); });
    if (!connection) give_back(nullptr);
    return connection;
  }

  void give_back(std::unique_ptr<Connection> connection) {
    {
      const std::lock_guard lock(mutex_);
      if (connection) {
        idle_.push_back(std::move(connection));
      } else {
        --open_;
      }
    }
    freed_.notify_one();
  }

 private:
  static constexpr std::size_t kMost = 4;

  struct Loan {
    ConnectionPool& pool;
    std::unique_ptr<Connection>& connection;
    ~Loan() { pool.give_back(std::move(connection)); }
  };
  struct Transaction {
    Connection& connection;
    ~Transaction() { (void)connection.database().tryExec("COMMIT"); }
  };

  const std::string path_;
  const std::string vfs_;
  std::mutex mutex_;  // guards the rest
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t open_ = 0;
};

class SqliteReader final : public Reader {
 public:
  SqliteReader(std::shared_ptr<ConnectionPool> pool, ShardId shard) : pool_(std::move(pool)), shard_(shard) {}

  // Fails if the file cannot be opened.
  Status check() {
    TRY(std::unique_ptr<Connection> connection, pool_->borrow());
    pool_->give_back(std::move(connection));
    return {};
  }

  ShardId shard() const override { return shard_; }
  std::unique_ptr<Reader> of(ShardId shard) const override {
    return std::make_unique<SqliteReader>(pool_, shard);
  }

  Result<RunPage> list_runs(const RunFilter& filter, std::optional<RunKey> before,
                            std::size_t limit) override;
  Result<std::optional<RunView>> get_run(const RunId& id) override;
  Result<std::vector<TaskView>> list_tasks(RunKey run, Ordinal from, std::size_t limit,
                                           std::size_t max_result) override;
  Result<std::optional<TaskView>> get_task(TaskKey key) override;
  Result<std::optional<std::string>> get_payload(const model::PayloadKey& key) override;
  Result<std::optional<StoredDefinition>> get_definition(const Hash256& hash) override;
  Result<std::optional<StoredDefinition>> get_version(std::string_view workflow,
                                                      std::uint32_t version) override;
  Result<std::vector<std::string>> list_workflows() override;
  Result<std::vector<VersionView>> list_versions(std::string_view workflow,
                                                 std::optional<std::uint32_t> before,
                                                 std::size_t limit) override;
  Result<std::vector<JournalView>> run_journal(RunKey run, std::optional<JournalSequence> before,
                                               std::size_t limit) override;
  Result<sqlite::JournalEntries> journal_after(JournalSequence after, std::size_t limit) override;
  Result<std::vector<model::Record>> list_records(const RecordFilter& filter,
                                                  std::optional<std::string> after,
                                                  std::size_t limit) override;
  Result<std::optional<model::Record>> get_record(const model::RecordKey& key) override;
  Result<std::vector<RecordGroup>> count_records(model::RecordKind kind) override;

 private:
  std::shared_ptr<ConnectionPool> pool_;
  ShardId shard_;
};

Result<RunPage> SqliteReader::list_runs(const RunFilter& filter, std::optional<RunKey> before,
                                        std::size_t limit) {
  return pool_->snapshot("listing runs", [&](Connection& connection) -> Result<RunPage> {
    const sqlite::SelectedRuns selected = sqlite::select_runs(connection, shard_, filter, before, limit);
    RunPage page{.rows = {}, .next = selected.next};
    for (const RunKey key : selected.keys) {
      TRY(std::optional<RunRow> row, sqlite::read_run_for_list(connection, key));
      if (row) page.rows.push_back(std::move(*row));
    }
    return page;
  });
}

Result<std::optional<RunView>> SqliteReader::get_run(const RunId& id) {
  if (id.key().shard() != shard_) return std::nullopt;
  return pool_->snapshot("reading a run", [&](Connection& connection) -> Result<std::optional<RunView>> {
    const RunKey key = id.key();
    TRY(std::optional<RunRow> row, sqlite::read_run(connection, key));
    if (!row || row->id != id) return std::nullopt;
    TRY(std::optional<std::string> context,
        sqlite::read_payload(connection, {key, model::PayloadSlot::run_context, 0, 0}));
    return RunView{std::move(*row), context ? std::move(*context) : std::string()};
  });
}

Result<std::vector<TaskView>> SqliteReader::list_tasks(RunKey run, Ordinal from, std::size_t limit,
                                                       std::size_t max_result) {
  if (run.shard() != shard_) return std::vector<TaskView>{};
  return pool_->snapshot("listing tasks", [&](Connection& connection) -> Result<std::vector<TaskView>> {
    std::vector<TaskView> views;
    TRY_VOID(sqlite::each_task(connection, run, from, sqlite::kAllOrdinals, limit,
                               [&](const sqlite::TaskCursor& task) -> Status {
                                 TRY(model::TaskRow row, task.row(run));
                                 std::optional<std::string> result;
                                 if (max_result > 0) {
                                   TRY(result, task.result(connection, max_result));
                                 }
                                 views.push_back({std::move(row), std::move(result)});
                                 return {};
                               }));
    return views;
  });
}

Result<std::optional<TaskView>> SqliteReader::get_task(TaskKey key) {
  if (key.run.shard() != shard_) return std::nullopt;
  return pool_->snapshot("reading a task", [&](Connection& connection) -> Result<std::optional<TaskView>> {
    std::optional<TaskView> view;
    TRY_VOID(sqlite::each_task(connection, key.run, key.ordinal, std::uint64_t{key.ordinal} + 1, 1,
                               [&](const sqlite::TaskCursor& task) -> Status {
                                 TRY(model::TaskRow row, task.row(key.run));
                                 TRY(std::optional<std::string> result, task.result(connection));
                                 view = TaskView{std::move(row), std::move(result)};
                                 return {};
                               }));
    return view;
  });
}

Result<std::optional<std::string>> SqliteReader::get_payload(const model::PayloadKey& key) {
  if (key.run.shard() != shard_) return std::nullopt;
  return pool_->snapshot("reading a value",
                         [&](Connection& connection) { return sqlite::read_payload(connection, key); });
}

Result<std::optional<StoredDefinition>> SqliteReader::get_definition(const Hash256& hash) {
  return pool_->snapshot("reading a definition", [&](Connection& connection) {
    return sqlite::read_definition(connection, shard_, hash);
  });
}

Result<std::optional<StoredDefinition>> SqliteReader::get_version(std::string_view workflow,
                                                                  std::uint32_t version) {
  return pool_->snapshot("reading a definition", [&](Connection& connection) {
    return sqlite::read_definition(connection, shard_, workflow, version);
  });
}

Result<std::vector<std::string>> SqliteReader::list_workflows() {
  return pool_->snapshot("listing workflows",
                         [&](Connection& connection) -> Result<std::vector<std::string>> {
                           Query query = connection.query(
                               "SELECT name FROM workflow w WHERE shard = ?1 AND EXISTS (SELECT 1 FROM "
                               "definition WHERE workflow = w.id) "
                               "ORDER BY name");
                           query.number(1, static_cast<std::int64_t>(shard_));
                           std::vector<std::string> names;
                           while (query.next()) names.emplace_back(query.bytes_at(0));
                           return names;
                         });
}

Result<std::vector<VersionView>> SqliteReader::list_versions(std::string_view workflow,
                                                             std::optional<std::uint32_t> before,
                                                             std::size_t limit) {
  return pool_->snapshot("listing versions", [&](Connection& connection) {
    return sqlite::read_versions(connection, shard_, workflow, before, limit);
  });
}

// Where the walk to the entries older than `before` begins: pages end at an entry of the run, so that the
// walk need not come from the head each time.
Result<JournalSequence> chain_from(Connection& connection, const RunRow& row,
                                   std::optional<JournalSequence> before) {
  if (!before || *before > row.journal_head) return row.journal_head;
  if (*before > 1) {
    TRY(const std::optional<model::RunFacts> next, sqlite::read_journal(connection, row.key, *before - 1));
    if (next) return *before - 1;
  }
  TRY(const std::optional<model::RunFacts> last, sqlite::read_journal(connection, row.key, *before));
  return last ? last->previous : row.journal_head;
}

Result<std::vector<JournalView>> SqliteReader::run_journal(RunKey run, std::optional<JournalSequence> before,
                                                           std::size_t limit) {
  if (run.shard() != shard_) return std::vector<JournalView>{};
  return pool_->snapshot(
      "reading a run's journal", [&](Connection& connection) -> Result<std::vector<JournalView>> {
        std::vector<JournalView> views;
        TRY(const std::optional<RunRow> row, sqlite::read_run(connection, run));
        if (!row) return views;
        TRY(JournalSequence at, chain_from(connection, *row, before));
        while (at > 0 && views.size() < limit) {
          TRY(std::optional<model::RunFacts> facts, sqlite::read_journal(connection, run, at));
          if (!facts) break;  // older entries are pruned
          const JournalSequence previous = facts->previous;
          if (previous >= at) return fail(ErrorCode::corrupt, "the journal of a run does not lead back");
          if (!before || at < *before) views.push_back({at, std::move(*facts)});
          at = previous;
        }
        return views;
      });
}

Result<sqlite::JournalEntries> SqliteReader::journal_after(JournalSequence after, std::size_t limit) {
  return pool_->snapshot("reading the journal", [&](Connection& connection) {
    return sqlite::read_journal_after(connection, shard_, after, limit, kJournalBytes);
  });
}

Result<std::vector<model::Record>> SqliteReader::list_records(const RecordFilter& filter,
                                                              std::optional<std::string> after,
                                                              std::size_t limit) {
  return pool_->snapshot("listing records",
                         [&](Connection& connection) -> Result<std::vector<model::Record>> {
                           return sqlite::list_records(connection, shard_, filter, after, limit);
                         });
}

Result<std::optional<model::Record>> SqliteReader::get_record(const model::RecordKey& key) {
  return pool_->snapshot("reading a record",
                         [&](Connection& connection) -> Result<std::optional<model::Record>> {
                           return sqlite::read_record(connection, shard_, key);
                         });
}

Result<std::vector<RecordGroup>> SqliteReader::count_records(model::RecordKind kind) {
  return pool_->snapshot("counting records", [&](Connection& connection) -> Result<std::vector<RecordGroup>> {
    return sqlite::count_records(connection, shard_, kind);
  });
}

}  // namespace

Result<std::unique_ptr<Reader>> open_sqlite_reader(const std::string& path, const SqliteOptions& options,
                                                   ShardId shard) {
  auto reader = std::make_unique<SqliteReader>(std::make_shared<ConnectionPool>(path, options.vfs), shard);
  TRY_VOID(reader->check());
  return reader;
}

}  // namespace baton::store
