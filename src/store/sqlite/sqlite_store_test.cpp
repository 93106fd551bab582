// What only the SQLite store has: the file, its schema, damage, other processes.
#include "store/sqlite/sqlite_store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <locale>
#include <random>

#include "store/conformance.hpp"
#include "store/sqlite/checksum_vfs.hpp"

namespace baton::store {
namespace {

using model::Batch;
using model::PayloadSlot;
using model::RunStatus;
using testing::facts_of;
using testing::key;
using testing::kShard;
using testing::Owner;
using testing::run_row;
using testing::task_row;
using testing::text;

class SqliteStore : public ::testing::Test {
 protected:
  std::unique_ptr<Writer> open_writer() {
    auto writer = open_sqlite_writer(path);
    EXPECT_TRUE(writer) << (writer ? "" : writer.error().message);
    return writer ? std::move(*writer) : nullptr;
  }
  std::unique_ptr<Reader> open_reader() {
    auto reader = open_sqlite_reader(path, {}, kShard);
    EXPECT_TRUE(reader) << (reader ? "" : reader.error().message);
    return reader ? std::move(*reader) : nullptr;
  }
  // Runs 1 to `count`, each with two tasks.
  void fill(std::int64_t count) {
    const auto writer = open_writer();
    Owner owner(*writer);
    for (std::int64_t i = 1; i <= count; ++i) {
      owner.submit(i);
      Batch batch = owner.next();
      batch.tasks.push_back({task_row({key(i), 1}), true, nullptr, nullptr});
      owner.must(std::move(batch));
    }
  }
  // Another program's connection, checksums kept.
  SQLite::Database raw() { return {path, SQLite::OPEN_READWRITE, 0, sqlite::checksum_vfs("")}; }
  // The database as a power cut would leave it now.
  void copy_files(const std::string& to) {
    std::filesystem::create_directory(to);
    for (const char* suffix : {"", "-wal"})
      std::filesystem::copy_file(path + suffix, to + "/baton.db" + suffix);
  }
  std::int64_t ask(const std::string& sql) { return raw().execAndGet(sql).getInt64(); }

  testing::TemporaryFolder folder;
  std::string path = folder.database();
};

// ---- Lists

TEST_F(SqliteStore, APageIsLookedForAmongSoManyRuns) {
  constexpr std::int64_t kRuns = kRunsLookedAt + 500;
  const auto writer = open_writer();
  Owner owner(*writer);
  for (std::int64_t first = 1; first <= kRuns; first += 1000) {
    Batch batch = owner.next();
    for (std::int64_t i = first; i < first + 1000 && i <= kRuns; ++i) {
      model::RunRow row = run_row(key(i), i == 7 ? RunStatus::completed : RunStatus::failed);
      row.job_id = "nightly-job";
      batch.runs.push_back({std::move(row), true, text("{}"), nullptr});
    }
    owner.must(std::move(batch));
  }
  const auto reader = open_reader();
  for (const RunFilter& filter :
       {RunFilter{.statuses = {RunStatus::completed}},
        RunFilter{.statuses = {RunStatus::completed}, .workflows = {"nightly"}},
        RunFilter{.statuses = {RunStatus::completed}, .job_ids = {"nightly-job"}}}) {
    const auto first = reader->list_runs(filter, {}, 100);
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->rows.empty());
    EXPECT_EQ(first->next, key(501)) << "the last one that was looked at";
    const auto second = reader->list_runs(filter, first->next, 100);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->next, std::nullopt);
    EXPECT_EQ(second->rows.size(), 1U);
  }
  // Whatever ended before all of them were made is not looked for either.
  EXPECT_EQ(reader->list_runs({.workflows = {"nightly"}, .ended_before = WallTime{1}}, {}, 100)->next,
            std::nullopt);
  // Two paths, each of half as many: the page ends where the first one stopped.
  const auto both =
      reader->list_runs({.statuses = {RunStatus::completed}, .job_ids = {"nightly-job", "none"}}, {}, 100);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->next, key(kRuns - static_cast<std::int64_t>(kRunsLookedAt / 2) + 1));
  // What the filter's index selects is not looked for.
  const auto failed = reader->list_runs({.statuses = {RunStatus::failed}}, {}, 3);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->rows.size(), 3U);
  EXPECT_EQ(failed->next, key(kRuns - 2));
}

// ---- The file

TEST_F(SqliteStore, TheFileIsWhatTheDesignSays) {
  fill(1);
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(ask("PRAGMA page_size"), 4096);
  EXPECT_EQ(ask("PRAGMA auto_vacuum"), 2);  // incremental
  EXPECT_EQ(ask("PRAGMA application_id"), 0x4261746e);
  EXPECT_EQ(ask("PRAGMA user_version"), 5);
  EXPECT_EQ(raw().execAndGet("PRAGMA journal_mode").getString(), "wal");
  EXPECT_EQ(
      ask("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict "
          "AND name NOT LIKE 'sqlite_%'"),
      0);
}

TEST_F(SqliteStore, TheLogIsPrivateTooAndGoneAfterACleanEnd) {
  {
    const auto writer = open_writer();
    Owner owner(*writer);
    owner.submit(1);
    for (const char* suffix : {"-wal", "-shm"}) {
      struct stat status{};
      ASSERT_EQ(::stat((path + suffix).c_str(), &status), 0);
      EXPECT_EQ(status.st_mode & 07777, 0600U);
    }
  }
  EXPECT_FALSE(std::filesystem::exists(path + "-wal"));
}

TEST_F(SqliteStore, AnIdleWriterLengthensTheLog) {
  const auto writer = open_writer();
  Owner owner(*writer);
  writer->idle();
  owner.submit(1);  // behind the lengthening
  EXPECT_EQ(std::filesystem::file_size(path + "-wal"), std::uintmax_t{4} << 20);
  for (std::int64_t i = 2; i < 40; ++i) owner.submit(i);
  EXPECT_EQ(open_reader()->list_runs({}, {}, 100)->rows.size(), 39U);
  // And it is read correctly by the next owner, zeros included.
  copy_files(folder.path() + "/copy");
  auto copy = open_sqlite_writer(folder.path() + "/copy/baton.db");
  ASSERT_TRUE(copy) << copy.error().message;
  Owner next(**copy);
  EXPECT_EQ(next.open_runs().size(), 39U);
}

TEST_F(SqliteStore, OneStepRunsHaveOneRow) {
  fill(0);
  {
    const auto writer = open_writer();
    Owner owner(*writer);
    owner.submit(1);
  }
  EXPECT_EQ(ask("SELECT count(*) FROM run"), 1);
  EXPECT_EQ(ask("SELECT count(*) FROM task"), 0);
  EXPECT_EQ(ask("SELECT count(*) FROM journal"), 1);
}

// What removed runs have left goes in pieces, over several owners if need be, and so does the room.
TEST_F(SqliteStore, NothingIsLeftOfRemovedRuns) {
  constexpr std::int64_t kRuns = 3000;
  std::vector<model::RunRow> rows;
  {
    const auto writer = open_writer();
    Owner owner(*writer);
    for (std::int64_t from = 1; from <= kRuns; from += 500) {
      Batch batch = owner.next();
      for (std::int64_t i = from; i < from + 500; ++i) {
        model::RunRow row = run_row(key(i), RunStatus::completed);
        row.journal_head = batch.sequence;
        row.next_ordinal = i == 7 ? 2500 : 1;
        batch.runs.push_back({row, true, text(std::string(4000, 'x')), text("{}")});
        batch.facts.push_back(facts_of(key(i)));
        rows.push_back(row);
      }
      owner.must(std::move(batch));
    }
    Batch batch = owner.next();
    for (Ordinal i = 1; i < 2500; ++i)
      batch.tasks.push_back({task_row({key(7), i}, model::TaskStatus::completed), true,
                             text(std::string(5000, 'i')), text("1")});
    owner.must(std::move(batch));
  }
  const std::int64_t pages = ask("PRAGMA page_count");
  {
    const auto writer = open_writer();
    Owner owner(*writer);
    for (std::size_t from = 0; from < rows.size(); from += 1000) {
      Batch batch = owner.next();
      for (std::size_t i = from; i < from + 1000; ++i) {
        if (i % 100 == 99) continue;
        const model::RunRow& row = rows[i];
        batch.removals.push_back({row.key, row.id, row.journal_head, row.next_ordinal, row.additions});
      }
      owner.must(std::move(batch));
    }
  }  // what is left is for the next owner
  {
    const auto writer = open_writer();
    Owner owner(*writer);
    writer->idle();
    EXPECT_TRUE(writer->probe());
  }
  EXPECT_EQ(ask("SELECT count(*) FROM run"), kRuns / 100);
  for (const char* table : {"remains", "task", "payload", "payload_content"})
    EXPECT_EQ(ask(std::string("SELECT count(*) FROM ") + table), 0) << table;
  EXPECT_EQ(ask("SELECT count(*) FROM journal"), 6);
  EXPECT_LT(ask("PRAGMA page_count"), pages / 3);
  const auto reader = open_reader();
  for (std::int64_t i = 100; i <= kRuns; i += 100) EXPECT_EQ(reader->run_journal(key(i), {}, 9)->size(), 1U);
}

TEST_F(SqliteStore, LargePayloadsAreStoredOnceAndGoWithTheirLastUse) {
  const std::string large(5'000, 'x');
  const auto counts = [&] {
    SQLite::Database database = raw();
    SQLite::Statement query(database,
                            "SELECT (SELECT count(*) FROM payload), (SELECT count(*) FROM payload_content), "
                            "(SELECT coalesce(sum(refs), 0) FROM payload)");
    query.executeStep();
    return std::array{query.getColumn(0).getInt(), query.getColumn(1).getInt(), query.getColumn(2).getInt()};
  };
  using Counts = std::array<int, 3>;
  const auto writer = open_writer();
  Owner owner(*writer);
  Batch batch = owner.next();
  batch.runs.push_back({run_row(key(1)), true, text(large), text(large)});
  batch.tasks.push_back({task_row({key(1), 0}), true, text(large), text(std::string(4'096, 'x'))});
  batch.tasks.push_back({task_row({key(1), 1}), true, nullptr, text(large)});
  owner.must(std::move(batch));
  EXPECT_EQ(counts(), (Counts{1, 1, 4}));

  Batch fewer = owner.next();
  fewer.runs.push_back({run_row(key(1)), false, text("{}"), text(std::string(5'000, 'y'))});
  fewer.tasks.push_back({task_row({key(1), 0}), false, nullptr, text(large)});
  owner.must(std::move(fewer));
  EXPECT_EQ(counts(), (Counts{2, 2, 4}));

  Batch none = owner.next();
  none.runs.push_back({run_row(key(1)), false, nullptr, text("{}")});
  none.tasks.push_back({task_row({key(1), 0}), false, text("1"), text("2")});
  none.tasks.push_back({task_row({key(1), 1}), false, nullptr, text("3")});
  owner.must(std::move(none));
  EXPECT_EQ(counts(), (Counts{0, 0, 0}));
}

// ---- Schemas

TEST_F(SqliteStore, BringsAnOlderFileToTheNewestSchemaAndKeepsItsRuns) {
  fill(3);
  // What later schemas added, taken away: a file as the first version made it.
  raw().exec(
      "DROP TABLE record; DROP TABLE remains; DROP INDEX idempotency_run; "
      "ALTER TABLE meta DROP COLUMN wall_time; PRAGMA user_version = 1");
  {
    const auto writer = open_writer();
    Owner owner(*writer);
    EXPECT_EQ(owner.open_runs().size(), 3U);
    Batch batch = owner.next();
    batch.records.push_back({{{model::RecordKind::breaker, "nlp"}, "", {1}, "open"}, false});
    owner.must(std::move(batch));
  }
  EXPECT_EQ(ask("PRAGMA user_version"), 5);
  EXPECT_EQ(ask("SELECT count(*) FROM record"), 1);
}

TEST_F(SqliteStore, RefusesTheFileOfANewerBaton) {
  fill(1);
  raw().exec("PRAGMA user_version = 99");
  const auto writer = open_sqlite_writer(path);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::bad_configuration);
  EXPECT_NE(writer.error().message.find("newer Baton"), std::string::npos);
  EXPECT_EQ(open_sqlite_reader(path, {}, kShard).error().code, ErrorCode::bad_configuration);
  EXPECT_EQ(ask("PRAGMA user_version"), 99);
}

TEST_F(SqliteStore, RefusesAnotherProgramsDatabaseAndLeavesItAlone) {
  {
    SQLite::Database other(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    other.exec("CREATE TABLE run(x)");
  }
  const auto writer = open_sqlite_writer(path);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::bad_configuration);
  EXPECT_EQ(raw().execAndGet("PRAGMA journal_mode").getString(), "delete");
}

TEST_F(SqliteStore, RefusesWhatIsNoDatabase) {
  std::ofstream(path) << std::string(10'000, 'x');
  const auto writer = open_sqlite_writer(path);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::corrupt);
  EXPECT_NE(writer.error().message.find(".recover"), std::string::npos);
}

TEST_F(SqliteStore, ContinuesACreationThatWasInterrupted) {
  std::ofstream(path).flush();
  std::ofstream(path + ".new") << "half a database";
  fill(1);
  EXPECT_EQ(ask("SELECT count(*) FROM run"), 1);
  EXPECT_EQ(ask("PRAGMA auto_vacuum"), 2);
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_F(SqliteStore, ALogWithoutItsDatabaseIsNotForgotten) {
  const auto writer = open_writer();
  Owner owner(*writer);
  owner.submit(1);
  const std::string half = folder.path() + "/half";
  copy_files(half);
  std::filesystem::remove(half + "/baton.db");
  EXPECT_EQ(open_sqlite_writer(half + "/baton.db").error().code, ErrorCode::corrupt);
  EXPECT_GT(std::filesystem::file_size(half + "/baton.db-wal"), 0U);
}

TEST_F(SqliteStore, AReaderNeedsADatabase) {
  const auto reader = open_sqlite_reader(path, {}, kShard);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::io);
  EXPECT_FALSE(std::filesystem::exists(path));
}

// ---- Folders that refuse

TEST_F(SqliteStore, AMissingFolderIsAnErrorThatNamesTheFile) {
  const auto writer = open_sqlite_writer(folder.path() + "/none/baton.db");
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::io);
  EXPECT_NE(writer.error().message.find("none/baton.db"), std::string::npos);
}

TEST_F(SqliteStore, AFolderWithoutPermissionIsReadOnly) {
  ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);  // root is allowed everything
  }
  const auto writer = open_sqlite_writer(path);
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::read_only);
}

TEST_F(SqliteStore, AFileWithoutPermissionIsReadOnly) {
  fill(1);
  ASSERT_EQ(::chmod(path.c_str(), 0444), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto writer = open_sqlite_writer(path);
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::read_only) << writer.error().message;
}

TEST_F(SqliteStore, AFullDiskRefusesCommitsUntilThereIsSpace) {
  const std::string small = folder.path() + "/small";
  ASSERT_EQ(::mkdir(small.c_str(), 0700), 0);
  if (::mount("none", small.c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "mounting a small file system needs privileges";
  }
  {
    std::ofstream(small + "/ballast") << std::string(300'000, 'b');
    auto writer = open_sqlite_writer(small + "/baton.db");
    ASSERT_TRUE(writer) << writer.error().message;
    auto reader = open_sqlite_reader(small + "/baton.db", {}, kShard);
    ASSERT_TRUE(reader) << reader.error().message;
    Owner owner(**writer);
    (*writer)->idle();  // the log cannot be lengthened: no harm
    std::int64_t stored = 0;
    CommitDone done;
    while (done.result == CommitResult::committed) {
      Batch batch = owner.next();
      batch.runs.push_back(
          {run_row(key(stored + 1)), true, text(std::to_string(stored) + std::string(30'000, 'x')), nullptr});
      done = owner.commit(std::move(batch));
      if (done.result == CommitResult::committed) ++stored;
    }
    EXPECT_EQ(done.result, CommitResult::not_committed);
    EXPECT_EQ(done.error.code, ErrorCode::read_only) << done.error.message;
    EXPECT_NE(done.error.message.find("free space"), std::string::npos);
    EXPECT_GT(stored, 3);
    EXPECT_EQ((*reader)->list_runs({}, {}, 1000)->rows.size(), static_cast<std::size_t>(stored));

    std::filesystem::remove(small + "/ballast");
    EXPECT_TRUE((*writer)->probe());
    Owner next(**writer);
    next.submit(stored + 1);
    EXPECT_EQ((*reader)->list_runs({}, {}, 1000)->rows.size(), static_cast<std::size_t>(stored + 1));
  }
  EXPECT_EQ(::umount(small.c_str()), 0);
}

// ---- Damage

TEST_F(SqliteStore, DamagedRowsAreReportedAndTheOthersLoad) {
  fill(7);
  {
    SQLite::Database database = raw();
    database.exec("UPDATE run SET state = x'ff' WHERE key = " + std::to_string(key(1).value));
    database.exec("UPDATE run SET workflow = 99 WHERE key = " + std::to_string(key(2).value));
    database.exec("UPDATE run SET id = x'00' WHERE key = " + std::to_string(key(3).value));
    database.exec("UPDATE task SET state = x'ff' WHERE run = " + std::to_string(key(4).value));
    database.exec("UPDATE run SET task_status = 88 WHERE key = " + std::to_string(key(5).value));
    database.exec("UPDATE run SET status = 99 WHERE key = " + std::to_string(key(6).value));
  }
  const auto writer = open_writer();
  std::vector<std::int64_t> loaded;
  std::vector<std::int64_t> damaged;
  const auto keys = writer->list_open_runs(kShard);
  ASSERT_TRUE(keys) << keys.error().message;
  const Status status = writer->load_runs(
      *keys, [&](RunImage image) { loaded.push_back(image.run.key.sequence()); },
      [&](RunKey run, Error error) {
        damaged.push_back(run.sequence());
        EXPECT_EQ(error.code, ErrorCode::corrupt) << error.message;
      });
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(loaded, (std::vector<std::int64_t>{7}));
  EXPECT_EQ(damaged, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));

  const auto reader = open_reader();
  const auto rows = reader->list_runs({}, {}, 100);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->rows.size(), 7U);
  EXPECT_EQ(rows->rows[6].error_type, "corrupt");
  EXPECT_EQ(rows->rows[6].workflow, "nightly");
  EXPECT_EQ(rows->rows[0].error_type, "");
  EXPECT_EQ(reader->get_run(run_row(key(1)).id).error().code, ErrorCode::corrupt);
  EXPECT_EQ(reader->list_tasks(key(4), 0, 10, 0).error().code, ErrorCode::corrupt);

  // Nor does it keep others from being loaded together with it.
  Owner owner(*writer);
  LoadRequest request;
  request.runs = {key(1), key(7)};
  const Loaded together = owner.load(request);
  ASSERT_EQ(together.runs.size(), 1U);
  EXPECT_EQ(together.runs[0].first, key(7));
  ASSERT_EQ(together.damaged.size(), 1U);
  EXPECT_EQ(together.damaged[0].first, key(1));
  EXPECT_EQ(together.damaged[0].second.code, ErrorCode::corrupt);
}

TEST_F(SqliteStore, AMissingPayloadIsAnErrorNotNull) {
  {
    const auto writer = open_writer();
    Owner owner(*writer);
    Batch batch = owner.next();
    batch.runs.push_back({run_row(key(1)), true, text(std::string(5'000, 'x')), nullptr});
    owner.must(std::move(batch));
  }
  raw().exec("DELETE FROM payload_content");
  EXPECT_EQ(open_reader()->get_payload({key(1), PayloadSlot::run_input, 0, 0}).error().code,
            ErrorCode::corrupt);
  const auto writer = open_writer();
  Owner owner(*writer);
  LoadRequest request;
  request.payloads.push_back({key(1), PayloadSlot::run_input, 0, 0});
  const Loaded loaded = owner.load(request);
  ASSERT_EQ(loaded.refused.size(), 1U);
  EXPECT_EQ(loaded.refused[0].second.code, ErrorCode::corrupt);
  EXPECT_EQ(*loaded.payloads.at(0).second, "");
}

TEST_F(SqliteStore, ADamagedJournalIsAnErrorNotAnEndlessWalk) {
  fill(1);
  const auto writer = open_writer();
  Owner owner(*writer);
  model::RunRow row = run_row(key(1));
  Batch batch = owner.next();
  row.journal_head = batch.sequence;
  batch.runs.push_back({row, false, nullptr, nullptr});
  batch.facts.push_back(facts_of(key(1), batch.sequence));  // leads to itself
  owner.must(std::move(batch));
  const auto reader = open_reader();
  EXPECT_EQ(reader->run_journal(key(1), {}, 100).error().code, ErrorCode::corrupt);
  raw().exec("UPDATE journal SET entry = x'0aff'");
  EXPECT_EQ(reader->run_journal(key(1), {}, 100).error().code, ErrorCode::corrupt);
  EXPECT_EQ(reader->journal_after(0, 100).error().code, ErrorCode::corrupt);
}

// Reads everything; what can be read must be what was written.
void read_everything(const std::string& path, std::int64_t runs) {
  auto reader = open_sqlite_reader(path, {}, kShard);
  if (!reader) return;
  for (std::int64_t i = 1; i <= runs; ++i) {
    const auto view = (*reader)->get_run(run_row(key(i)).id);
    if (!view) continue;
    ASSERT_TRUE(*view) << "run " << i << " is missing without an error";
    EXPECT_EQ((*view)->row, run_row(key(i)));
    const auto input = (*reader)->get_payload({key(i), PayloadSlot::run_input, 0, 0});
    if (input) EXPECT_EQ(*input, "{}");
    const auto tasks = (*reader)->list_tasks(key(i), 0, 10, 0);
    if (!tasks) continue;
    ASSERT_EQ(tasks->size(), 2U);
    EXPECT_EQ((*tasks)[1].row, task_row({key(i), 1}));
  }
  (void)(*reader)->journal_after(0, 1000);
  (void)(*reader)->list_runs({}, {}, 1000);
}

TEST_F(SqliteStore, FlippedBitsGiveErrorsOrTheRightAnswer) {
  constexpr std::int64_t kRuns = 40;
  fill(kRuns);
  std::string content;
  {
    std::ifstream in(path, std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::mt19937 random(7);
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    SCOPED_TRACE(i);
    std::string damaged = content;
    // Half of them in the first page, where everything hangs on.
    const std::size_t at = random() % (i % 2 == 0 ? 4096 : damaged.size());
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    std::ofstream(path, std::ios::binary | std::ios::trunc) << damaged;
    ASSERT_NO_FATAL_FAILURE(read_everything(path, kRuns)) << "byte " << at;
    auto writer = open_sqlite_writer(path);
    if (!writer) {
      ++refused;
      continue;
    }
    (void)(*writer)->open_shard(kShard);
    const auto keys = (*writer)->list_open_runs(kShard);
    if (!keys) continue;
    (void)(*writer)->load_runs(
        *keys, [](const RunImage& image) { EXPECT_EQ(image.run, run_row(image.run.key)); },
        [](RunKey, const Error& error) { EXPECT_EQ(error.code, ErrorCode::corrupt); });
    if (HasFailure()) FAIL() << "byte " << at;
  }
  EXPECT_GT(refused, 50);
}

TEST_F(SqliteStore, ADamagedLogIsRefusedAndNoCommitUndoneInSilence) {
  constexpr std::int64_t kCommits = 12;
  const auto writer = open_writer();
  std::uintmax_t before_last = 0;  // size of the log without the last two commits
  {
    Owner owner(*writer);
    for (std::int64_t i = 1; i <= kCommits; ++i) {
      if (i == kCommits - 1) before_last = std::filesystem::file_size(path + "-wal");
      owner.submit(i);
    }
  }
  const auto size = std::filesystem::file_size(path + "-wal");
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    const std::size_t at = round < 32 ? static_cast<std::size_t>(round) : random() % size;
    SCOPED_TRACE(at);
    const std::string dead = folder.path() + "/dead" + std::to_string(round);
    copy_files(dead);
    {
      std::fstream log(dead + "/baton.db-wal", std::ios::binary | std::ios::in | std::ios::out);
      log.seekg(static_cast<std::streamoff>(at));
      const char bit = static_cast<char>(log.get() ^ (1 << random() % 8));
      log.seekp(static_cast<std::streamoff>(at)).put(bit);
    }
    auto heir = open_sqlite_writer(dead + "/baton.db");
    if (heir) {
      Owner owner(**heir);
      // Damage of the last commits cannot be told from a power cut; that of earlier ones can.
      EXPECT_GE(at, before_last);
      EXPECT_GE(owner.open_runs().size(), static_cast<std::size_t>(kCommits - 2));
    } else {
      EXPECT_EQ(heir.error().code, ErrorCode::corrupt) << heir.error().message;
    }
    std::filesystem::remove_all(dead);
    if (HasFailure()) return;
  }
}

TEST_F(SqliteStore, ALogThatEndsAnywhereIsRead) {
  const auto writer = open_writer();
  Owner owner(*writer);
  for (std::int64_t i = 1; i <= 6; ++i) owner.submit(i);
  const auto size = std::filesystem::file_size(path + "-wal");
  std::size_t last = 6;
  for (std::uintmax_t keep = size; keep > 0; keep -= std::min<std::uintmax_t>(keep, 1'777)) {
    SCOPED_TRACE(keep);
    const std::string dead = folder.path() + "/dead" + std::to_string(keep);
    copy_files(dead);
    std::filesystem::resize_file(dead + "/baton.db-wal", keep);
    auto heir = open_sqlite_writer(dead + "/baton.db");
    ASSERT_TRUE(heir) << heir.error().message;
    Owner next(**heir);
    const std::size_t runs = next.open_runs().size();
    EXPECT_LE(runs, last);
    last = runs;
    std::filesystem::remove_all(dead);
  }
  EXPECT_EQ(last, 0U);
}

// Once it came back with zeros in its place, which nothing noticed.
TEST_F(SqliteStore, AMissingEndIsRefusedThoughNobodyAsksForIt) {
  fill(40);
  const auto size = std::filesystem::file_size(path);
  for (const std::uintmax_t cut : {1U, 20U, 600U, 4'095U}) {
    std::filesystem::resize_file(path, size - cut);
    const auto writer = open_sqlite_writer(path);
    ASSERT_FALSE(writer) << cut;
    EXPECT_EQ(writer.error().code, ErrorCode::corrupt) << writer.error().message;
    EXPECT_NE(writer.error().message.find("restore a backup"), std::string::npos) << writer.error().message;
    EXPECT_EQ(std::filesystem::file_size(path), size - cut);
  }
  std::filesystem::resize_file(path, 25);  // less than its header
  const auto writer = open_sqlite_writer(path);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::corrupt) << writer.error().message;
}

TEST_F(SqliteStore, ACheckpointDoesNotMakeAMissingEndZeros) {
  fill(40);
  const std::string dead = folder.path() + "/dead";
  {
    const auto writer = open_writer();
    Owner owner(*writer);
    copy_files(dead);  // the log has what the owner began with
  }
  const std::string copy = dead + "/baton.db";
  const auto size = std::filesystem::file_size(copy);
  std::filesystem::resize_file(copy, size - 20);
  if (auto heir = open_sqlite_writer(copy)) (void)(*heir)->open_shard(kShard);  // its end is a checkpoint
  EXPECT_EQ(std::filesystem::file_size(copy), size - 20);
  std::filesystem::remove(copy + "-wal");
  EXPECT_FALSE(open_sqlite_writer(copy));
}

TEST_F(SqliteStore, ATruncatedFileGivesErrors) {
  fill(40);
  const auto size = std::filesystem::file_size(path);
  for (std::uintmax_t keep = size - 1; keep > 0; keep -= std::min<std::uintmax_t>(keep, 3'333)) {
    std::filesystem::resize_file(path, keep);
    read_everything(path, 40);
    if (auto writer = open_sqlite_writer(path)) (void)(*writer)->open_shard(kShard);
    if (HasFailure()) FAIL() << keep << " bytes kept";
  }
}

TEST_F(SqliteStore, AnotherProgramMayLookEvenIfItCopiesTheLogOfADeadOwner) {
  const auto writer = open_writer();
  Owner owner(*writer);
  for (std::int64_t i = 1; i <= 20; ++i) owner.submit(i);
  // As if the owner had died now: the files as they are, opened and closed by a program without checksums.
  const std::string dead = folder.path() + "/dead";
  copy_files(dead);
  ASSERT_GT(std::filesystem::file_size(dead + "/baton.db-wal"), 0U);
  {
    SQLite::Database other(dead + "/baton.db", SQLite::OPEN_READWRITE);
    EXPECT_EQ(other.execAndGet("SELECT count(*) FROM run").getInt(), 20);
  }
  ASSERT_FALSE(std::filesystem::exists(dead + "/baton.db-wal"));
  auto next = open_sqlite_writer(dead + "/baton.db");
  ASSERT_TRUE(next) << next.error().message;
  Owner heir(**next);
  EXPECT_EQ(heir.open_runs().size(), 20U);
  heir.submit(21);
}

// ---- Other processes

TEST_F(SqliteStore, AForeignWritersLockRefusesTheCommit) {
  const auto writer = open_writer();
  Owner owner(*writer);
  {
    SQLite::Database other = raw();
    other.exec("BEGIN IMMEDIATE");
    Batch batch = owner.next();
    batch.runs.push_back({run_row(key(1)), true, text("{}"), nullptr});
    EXPECT_EQ(owner.must_refuse(std::move(batch)).code, ErrorCode::read_only);
    other.exec("ROLLBACK");
  }
  EXPECT_TRUE(writer->probe());
  owner.submit(1);
}

TEST_F(SqliteStore, WhatWasAnsweredSurvivesAKill) {
  for (int round = 0; round < 5; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // Commits for ever and says so, one number per answer.
      auto writer = open_sqlite_writer(path, {"", 20});
      if (!writer) ::_exit(1);
      Owner owner(**writer);
      std::int64_t sequence = owner.meta.last_run;
      while (true) {
        Batch batch = owner.next();
        const std::int64_t rows = sequence % 7 == 0 ? 30 : 1;
        for (std::int64_t i = 0; i < rows; ++i) {
          batch.runs.push_back({run_row(key(++sequence)), true, text(std::string(6'000, 'x')), nullptr});
        }
        batch.last_run = sequence;
        if (owner.commit(std::move(batch)).result != CommitResult::committed) ::_exit(2);
        if (::write(pipe_ends[1], &sequence, sizeof sequence) != sizeof sequence) ::_exit(3);
      }
    }
    ::close(pipe_ends[1]);
    std::int64_t answered = 0;
    for (int i = 0; i < 40 + round * 17; ++i) {
      ASSERT_EQ(::read(pipe_ends[0], &answered, sizeof answered), static_cast<ssize_t>(sizeof answered));
    }
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    while (::read(pipe_ends[0], &answered, sizeof answered) == static_cast<ssize_t>(sizeof answered)) {
    }
    ::close(pipe_ends[0]);

    const auto writer = open_writer();
    Owner owner(*writer);
    EXPECT_EQ(owner.meta.incarnation, static_cast<std::uint32_t>(2 * round + 2));
    EXPECT_GE(owner.meta.last_run, answered);
    EXPECT_EQ(owner.open_runs().size(), static_cast<std::size_t>(owner.meta.last_run));
    EXPECT_EQ(ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
  }
}

// ---- Locale

TEST_F(SqliteStore, TheLocaleDoesNotMatter) {
  struct Grouped final : std::numpunct<char> {
    char do_thousands_sep() const override { return '.'; }
    char do_decimal_point() const override { return ','; }
    std::string do_grouping() const override { return "\3"; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Grouped));
  fill(3);
  const auto writer = open_writer();
  Owner owner(*writer);
  const auto rows = open_reader()->list_runs({.workflows = {"nightly"}}, {}, 100);
  Batch gap = owner.next();
  gap.sequence += 1'000'000;
  const Error error = owner.must_refuse(std::move(gap));
  std::locale::global(before);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->rows.size(), 3U);
  EXPECT_NE(error.message.find("1000007"), std::string::npos) << error.message;
}

}  // namespace
}  // namespace baton::store
