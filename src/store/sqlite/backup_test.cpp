#include "store/sqlite/backup.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "store/conformance.hpp"
#include "store/sqlite/checksum_vfs.hpp"
#include "store/sqlite/faulty_vfs.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace baton::store {
namespace {

namespace fs = std::filesystem;
using sqlite::FaultyVfs;
using testing::key;
using testing::Owner;
using testing::run_row;

class Backup : public ::testing::Test {
 protected:
  void SetUp() override { reopen(); }
  void reopen() {
    owner.reset();
    writer.reset();
    auto opened = open_sqlite_writer(path);
    ASSERT_TRUE(opened) << opened.error().message;
    writer = std::move(*opened);
    owner.emplace(*writer);
  }
  void close() {
    owner.reset();
    writer.reset();
  }
  void submit(std::int64_t from, std::int64_t to) {
    for (std::int64_t i = from; i <= to; ++i) owner->submit(i);
  }
  // Restores into a folder of its own and counts its runs.
  std::int64_t runs_of(const std::string& backup) {
    const testing::TemporaryFolder other;
    const auto restored = restore_sqlite(backup, other.database(), false);
    EXPECT_TRUE(restored) << restored.error().message;
    auto reopened = open_sqlite_writer(other.database());
    EXPECT_TRUE(reopened) << reopened.error().message;
    Owner next(**reopened);
    const auto images = next.open_runs();
    next.submit(900'000);
    return static_cast<std::int64_t>(images.size());
  }
  static std::size_t files_in(const std::string& place) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(place), fs::directory_iterator()));
  }

  testing::TemporaryFolder folder;
  testing::TemporaryFolder elsewhere;
  std::string path = folder.database();
  std::string target = elsewhere.database();
  std::unique_ptr<Writer> writer;
  std::optional<Owner> owner;
};

TEST_F(Backup, IsOneMomentOfADatabaseInUse) {
  submit(1, 6'000);
  std::int64_t next = 6'001;
  // Its owner commits between any two pieces of the copy.
  const auto made = backup_sqlite(path, target, [&] {
    owner->submit(next++);
    return false;
  });
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_GT(next, 6'001) << "nothing was committed meanwhile";
  EXPECT_EQ(made->runs, 6'000);
  EXPECT_EQ(made->open_runs, 6'000);
  EXPECT_EQ(static_cast<std::uintmax_t>(made->bytes), fs::file_size(target));
  struct stat status{};
  ASSERT_EQ(::stat(target.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(status.st_nlink, 1U);
  EXPECT_EQ(files_in(fs::path(target).parent_path()), 1U) << "something is left beside it";
  EXPECT_EQ(runs_of(target), 6'000);
}

TEST_F(Backup, EveryPageHasItsChecksum) {
  submit(1, 6'000);
  ASSERT_TRUE(backup_sqlite(path, target));
  std::ifstream file(target, std::ios::binary);
  std::string page(4096, '\0');
  for (int n = 1; file.read(page.data(), 4096); ++n) {
    EXPECT_NE(page.substr(4088), std::string(8, '\0')) << "page " << n;
  }
}

TEST_F(Backup, NeverTakesThePlaceOfAFile) {
  submit(1, 1);
  std::ofstream(target) << "precious";
  const auto made = backup_sqlite(path, target);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::conflict);
  EXPECT_EQ(fs::file_size(target), 8U);
}

TEST_F(Backup, LeavesNothingWhenItIsInterrupted) {
  submit(1, 6'000);
  const auto made = backup_sqlite(path, target, [] { return true; });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::interrupted);
  EXPECT_EQ(files_in(fs::path(target).parent_path()), 0U);
}

TEST_F(Backup, OfADamagedDatabaseIsRefused) {
  submit(1, 500);
  close();
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(fs::file_size(path) / 4096 / 2 * 4096 + 100));
    file.put('!').put('?');
  }
  const auto made = backup_sqlite(path, target);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::corrupt) << made.error().message;
  EXPECT_FALSE(fs::exists(target));
}

TEST_F(Backup, IsWholeOrNotThereWhateverTheDiskDoes) {
  submit(1, 300);
  bool failed = true;
  for (int n = 1; failed; ++n) {
    SCOPED_TRACE("operation " + std::to_string(n));
    FaultyVfs disk;
    disk.fail_at(n, FaultyVfs::Operations::both, n % 2 == 0 ? SQLITE_FULL : SQLITE_IOERR_WRITE, n % 3 != 0);
    const testing::TemporaryFolder place;
    const auto made = backup_sqlite(path, place.database(), {}, disk.name());
    failed = disk.failed();
    disk.heal();
    EXPECT_EQ(fs::exists(place.database()), made.has_value());
    EXPECT_EQ(files_in(fs::path(place.database()).parent_path()), made ? 1U : 0U);
    if (made) {
      EXPECT_EQ(runs_of(place.database()), 300);
    }
    if (HasFailure()) return;
  }
}

TEST_F(Backup, RestoredTokensAreNew) {
  submit(1, 3);
  ASSERT_TRUE(backup_sqlite(path, target));
  for (int i = 0; i < 3; ++i) reopen();
  const auto before = owner->meta.incarnation;
  close();
  const auto restored = restore_sqlite(target, path, true);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_TRUE(fs::exists(restored->replaced));
  reopen();
  EXPECT_GT(owner->meta.incarnation, before);
  EXPECT_EQ(owner->open_runs().size(), 3U);
}

TEST_F(Backup, WhatIsReplacedIsKeptWithItsLog) {
  submit(1, 3);
  ASSERT_TRUE(backup_sqlite(path, target));
  submit(4, 9);
  const std::string dead = folder.database() + ".dead";
  fs::copy_file(path, dead);  // as a kill would leave them: what came last is in the log only
  fs::copy_file(path + "-wal", dead + "-wal");
  close();
  fs::rename(dead, path);
  fs::rename(dead + "-wal", path + "-wal");

  const auto refused = restore_sqlite(target, path, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  const auto restored = restore_sqlite(target, path, true);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_FALSE(fs::exists(path + "-wal"));
  reopen();
  EXPECT_EQ(owner->open_runs().size(), 3U);

  auto old = open_sqlite_writer(restored->replaced);
  ASSERT_TRUE(old) << old.error().message;
  Owner reader(**old);
  EXPECT_EQ(reader.open_runs().size(), 9U);
}

// Between any two of its steps: what is there is refused, and doing it again mends it.
TEST_F(Backup, ARestoreThatIsInterruptedIsDoneAgain) {
  submit(1, 3);
  ASSERT_TRUE(backup_sqlite(path, target));
  submit(4, 5);
  const auto must_refuse = [&] {
    const auto opened = open_sqlite_writer(path);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::corrupt) << opened.error().message;
  };
  const std::string dead = path + ".dead";
  fs::copy_file(path + "-wal", dead);
  close();
  fs::copy_file(target, sqlite::unfinished_restore(path));
  fs::rename(path, path + ".replaced-1");
  fs::rename(dead, path + "-wal");
  must_refuse();  // the database is away, its log is not
  fs::rename(path + "-wal", path + ".replaced-1-wal");
  must_refuse();  // both are away
  const auto restored = restore_sqlite(target, path, false);
  ASSERT_TRUE(restored) << restored.error().message;
  reopen();
  EXPECT_EQ(owner->open_runs().size(), 3U);
  EXPECT_FALSE(fs::exists(sqlite::unfinished_restore(path)));
}

TEST_F(Backup, WhatIsNoBackupIsRefusedAndNothingChanges) {
  submit(1, 3);
  close();
  const auto refuse = [&](ErrorCode code) {
    const auto restored = restore_sqlite(target, path, true);
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, code) << restored.error().message;
    reopen();
    EXPECT_EQ(owner->open_runs().size(), 3U);
    close();
    EXPECT_EQ(files_in(fs::path(path).parent_path()), 1U);
    fs::remove_all(target);
  };
  refuse(ErrorCode::not_found);
  std::ofstream(target) << "hello";
  refuse(ErrorCode::corrupt);
  {
    SQLite::Database other(target, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    other.exec("CREATE TABLE t(x)");
  }
  refuse(ErrorCode::bad_configuration);
  fs::create_directory(target);
  refuse(ErrorCode::bad_configuration);
  ASSERT_TRUE(backup_sqlite(path, target));
  {
    SQLite::Database newer(target, SQLite::OPEN_READWRITE, 0, sqlite::checksum_vfs(""));
    newer.exec("PRAGMA user_version = 9999");
  }
  refuse(ErrorCode::bad_configuration);
}

TEST_F(Backup, FlippedBitsAreFound) {
  submit(1, 200);
  ASSERT_TRUE(backup_sqlite(path, target));
  std::ifstream whole(target, std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(whole), {}};
  std::mt19937 random(7);
  for (int i = 0; i < 100; ++i) {
    std::string bad = good;
    const std::size_t at = random() % bad.size();
    bad[at] = static_cast<char>(bad[at] ^ (1 << random() % 8));
    if (i % 10 == 0) bad.resize(random() % bad.size());
    std::ofstream(target, std::ios::binary | std::ios::trunc) << bad;
    const testing::TemporaryFolder place;
    const auto restored = restore_sqlite(target, place.database(), false);
    ASSERT_FALSE(restored) << "byte " << at;
    EXPECT_TRUE(restored.error().code == ErrorCode::corrupt ||
                restored.error().code == ErrorCode::bad_configuration)
        << at << ": " << restored.error().message;
    EXPECT_EQ(files_in(fs::path(place.database()).parent_path()), 0U);
  }
}

}  // namespace
}  // namespace baton::store
