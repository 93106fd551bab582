#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "store/sqlite/batch_writer.hpp"
#include "store/sqlite/database_file.hpp"
#include "store/sqlite/errors.hpp"
#include "store/sqlite/loader.hpp"
#include "store/sqlite/record_table.hpp"
#include "store/sqlite/remains.hpp"
#include "store/sqlite/run_table.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/sqlite/store_thread.hpp"
#include "store/sqlite/write_ahead_log.hpp"

namespace baton::store {
namespace {

using sqlite::Connection;
using sqlite::guarded;
using sqlite::Query;

// Loads of up to this many payloads (and nothing that may be large) are answered on the caller's thread.
constexpr std::size_t kInlinePayloads = 8;

bool is_small(const LoadRequest& request) {
  return request.runs.empty() && request.heads.empty() &&
         request.payloads.size() + request.idempotency_keys.size() + request.records.size() <=
             kInlinePayloads &&
         std::ranges::none_of(request.payloads,
                              [](const auto& key) { return key.slot == model::PayloadSlot::item_results; });
}

class SqliteWriter final : public Writer {
 public:
  SqliteWriter(std::unique_ptr<Connection> connection, const SqliteOptions& options)
      : connection_(std::move(connection)),
        batches_(*connection_),
        log_(*connection_, options.checkpoint_pages),
        remains_(*connection_),
        inline_rows_(options.inline_rows) {}
  ~SqliteWriter() override { closing_ = true; }

  Result<ShardMeta> open_shard(ShardId shard) override;
  Result<std::vector<RunKey>> list_open_runs(ShardId shard) override;
  Status load_runs(std::span<const RunKey> keys, const std::function<void(RunImage)>& run,
                   const std::function<void(RunKey, Error)>& damaged) override;
  Result<std::vector<DefinitionKey>> load_definition_keys(ShardId shard) override;
  Result<StoredDefinition> load_definition(ShardId shard, const Hash256& hash) override;
  Status load_records(ShardId shard, const std::function<void(model::Record)>& record) override;
  void begin_commit(model::Batch batch, std::function<void(CommitDone)> done) override;
  void begin_load(LoadRequest request, std::function<void(Result<Loaded>)> done) override;
  Status probe() override;
  void idle() override;

 private:
  // In a turn:
  void commit(const model::Batch& batch, const std::function<void(CommitDone)>& done);
  void keep_log();
  void checkpoint();
  void lengthen();
  void clear_later();
  void clear();
  Result<Loaded> load(const LoadRequest& request);

  std::unique_ptr<Connection> connection_;
  sqlite::BatchWriter batches_;
  sqlite::WriteAheadLog log_;
  sqlite::Remains remains_;
  std::size_t inline_rows_;
  bool checkpoint_posted_ = false;
  bool clear_posted_ = false;
  bool began_to_clear_ = false;
  std::atomic<bool> closing_ = false;
  std::optional<Error> broken_;  // the medium failed: nothing is written any more
  sqlite::StoreThread thread_;   // guards all of the above; ends first
};

Result<ShardMeta> SqliteWriter::open_shard(ShardId shard) {
  const auto turn = thread_.enter();
  return guarded("opening a shard", [&]() -> Result<ShardMeta> {
    Query query = connection_->query(
        "INSERT INTO meta(shard, incarnation, sequence, shard_time, last_run) "
        "SELECT ?1, coalesce(max(incarnation), 0) + 1, 0, 0, 0 FROM meta WHERE true "
        "ON CONFLICT DO UPDATE SET incarnation = excluded.incarnation "
        "RETURNING incarnation, sequence, shard_time, last_run, wall_time");
    query.number(1, static_cast<std::int64_t>(shard));
    query.next();
    const ShardMeta meta{static_cast<std::uint32_t>(query.number_at(0)),
                         query.number_at(1),
                         {query.number_at(2)},
                         query.number_at(3),
                         {query.number_at(4)}};
    query.run();  // commits
    return meta;
  });
}

Result<std::vector<RunKey>> SqliteWriter::list_open_runs(ShardId shard) {
  const auto turn = thread_.enter();
  return guarded("listing the open runs", [&]() -> Result<std::vector<RunKey>> {
    std::vector<RunKey> keys;
    // Ranges of statuses, since the index has them: the open ones, and those that this version does not know.
    for (const std::string_view statuses : {"status < 5", "status > 7"}) {
      Query query = connection_->query("SELECT key FROM run INDEXED BY run_status WHERE " +
                                       std::string(statuses) + " AND status <> 5 AND key >= ?1 AND key < ?2");
      query.number(1, RunKey::make(shard, 0).value).number(2, sqlite::end_of(shard).value);
      while (query.next()) keys.push_back({query.number_at(0)});
    }
    std::ranges::sort(keys);
    return keys;
  });
}

Status SqliteWriter::load_runs(std::span<const RunKey> keys, const std::function<void(RunImage)>& run,
                               const std::function<void(RunKey, Error)>& damaged) {
  const auto turn = thread_.enter();
  return guarded("loading runs", [&]() -> Status {
    SQLite::Transaction snapshot(connection_->database());  // one for all: each costs as much as a row
    for (const RunKey key : keys) {
      Result<std::optional<RunImage>> image = read_image(*connection_, key);
      if (!image) {
        damaged(key, std::move(image).error());
      } else if (*image) {
        run(std::move(**image));
      }
    }
    return {};
  });
}

Result<std::vector<DefinitionKey>> SqliteWriter::load_definition_keys(ShardId shard) {
  const auto turn = thread_.enter();
  return guarded("loading the definitions' keys",
                 [&] { return sqlite::read_definition_keys(*connection_, shard); });
}

Result<StoredDefinition> SqliteWriter::load_definition(ShardId shard, const Hash256& hash) {
  const auto turn = thread_.enter();
  return guarded("loading a definition", [&]() -> Result<StoredDefinition> {
    TRY(std::optional<StoredDefinition> definition, sqlite::read_definition(*connection_, shard, hash));
    if (!definition)
      return fail(ErrorCode::not_found, "no definition with the hash " + hash.hex() + " is stored");
    return std::move(*definition);
  });
}

Status SqliteWriter::load_records(ShardId shard, const std::function<void(model::Record)>& record) {
  const auto turn = thread_.enter();
  return guarded("loading the records", [&]() -> Status {
    sqlite::each_resident_record(*connection_, shard, record);
    return {};
  });
}

void SqliteWriter::begin_commit(model::Batch batch, std::function<void(CommitDone)> done) {
  if (batch.rows() <= inline_rows_) {
    if (const auto turn = thread_.try_enter()) return commit(batch, done);
  }
  thread_.post([this, batch = std::move(batch), done = std::move(done)] { commit(batch, done); });
}

void SqliteWriter::commit(const model::Batch& batch, const std::function<void(CommitDone)>& done) {
  if (broken_) return done({batch.sequence, CommitResult::unknown, *broken_});
  CommitDone result = batches_.commit(batch);
  if (result.result == CommitResult::unknown) broken_ = result.error;
  done(std::move(result));
  keep_log();
  // Also what an earlier owner left, but not before this one has started.
  if (!batch.removals.empty() || !began_to_clear_) clear_later();
}

// One piece at a time, behind what waits already. What a closing owner leaves, the next one clears.
void SqliteWriter::clear_later() {
  began_to_clear_ = true;
  if (clear_posted_) return;
  clear_posted_ = true;
  thread_.post([this] { clear(); });
}

void SqliteWriter::clear() {
  clear_posted_ = false;
  if (broken_ || closing_) return;
  bool committing = false;
  try {
    if (!remains_.clear_some(committing)) return;
    keep_log();
    clear_later();
  } catch (const SQLite::Exception& e) {
    // A full disk puts it off until the next removal or owner. As with a commit, nobody must go on after an
    // outcome that nobody knows.
    const bool open = sqlite3_get_autocommit(connection_->handle()) == 0;
    if (open || (committing && !sqlite::leaves_nothing(sqlite::code_in(e))))
      broken_ = sqlite::error_of(e, "clearing away removed runs");
  }
}

// After the callers of the last commit have their answer.
void SqliteWriter::keep_log() {
  if (!log_.due() || checkpoint_posted_) return;
  checkpoint_posted_ = true;
  thread_.post([this] { checkpoint(); });
}

void SqliteWriter::checkpoint() {
  checkpoint_posted_ = false;
  if (broken_) return;
  if (Status kept = log_.checkpoint(); !kept) broken_ = std::move(kept).error();
}

void SqliteWriter::lengthen() {
  if (broken_) return;
  if (Status done = log_.lengthen(); !done) broken_ = std::move(done).error();
}

void SqliteWriter::begin_load(LoadRequest request, std::function<void(Result<Loaded>)> done) {
  if (is_small(request)) {
    if (const auto turn = thread_.try_enter()) return done(load(request));
  }
  thread_.post([this, request = std::move(request), done = std::move(done)] { done(load(request)); });
}

Result<Loaded> SqliteWriter::load(const LoadRequest& request) {
  return guarded("loading values", [&] { return sqlite::load(*connection_, request); });
}

Status SqliteWriter::probe() {
  const auto turn = thread_.enter();
  if (broken_) return fail(*broken_);
  return guarded("probing whether writes succeed", [&]() -> Status {
    connection_->exec("BEGIN IMMEDIATE");
    try {
      // Rewrites the page of every shard and one page that lengthens the log by more than it may have to
      // spare.
      connection_->exec("UPDATE meta SET sequence = sequence");
      connection_->exec("COMMIT");
    } catch (const SQLite::Exception&) {
      (void)connection_->database().tryExec("ROLLBACK");
      throw;
    }
    return {};
  });
}

void SqliteWriter::idle() {
  const auto turn = thread_.try_enter();
  if (!turn || broken_ || checkpoint_posted_) return;
  if (!log_.is_sized()) thread_.post([this] { lengthen(); });
  if (!began_to_clear_) clear_later();
  if (log_.half_due()) {
    checkpoint_posted_ = true;
    thread_.post([this] { checkpoint(); });
  }
}

}  // namespace

Result<std::unique_ptr<Writer>> open_sqlite_writer(const std::string& path, const SqliteOptions& options) {
  return guarded("opening " + path, [&]() -> Result<std::unique_ptr<Writer>> {
    TRY(std::unique_ptr<Connection> connection, sqlite::open_for_writing(path, options.vfs));
    return std::make_unique<SqliteWriter>(std::move(connection), options);
  });
}

}  // namespace baton::store
