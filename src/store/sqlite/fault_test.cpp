// What remains when the disk fails: "make the n-th operation fail, n = 1, 2, 3 … until none does, then check"
// (SQLite's own method), and power cuts that keep any part of what was not synced.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "store/conformance.hpp"
#include "store/sqlite/faulty_vfs.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace baton::store {
namespace {

using model::Batch;
using model::PayloadSlot;
using sqlite::FaultyVfs;
using testing::facts_of;
using testing::key;
using testing::kShard;
using testing::Owner;
using testing::run_row;
using testing::task_row;
using testing::text;

// A story of commits, and what each answer allows to be found afterwards.
class Story {
 public:
  explicit Story(const std::string& path, const std::string& vfs) : path_(path), options_{vfs, 12, 8} {}

  void begin() {
    auto opened = open_sqlite_writer(path_, options_);
    ASSERT_TRUE(opened) << opened.error().message;
    writer_ = std::move(*opened);
    owner_.emplace(*writer_);
    turn(0);
  }

  // Goes on until the end or until nobody can say what is stored.
  void tell() {
    for (int i = 1; i <= 10 && !ended_; ++i) turn(i);
  }

  void end() {
    owner_.reset();
    writer_.reset();
  }

  CommitResult worst() const { return worst_; }

  // The database holds what the answers said, and nothing else.
  void check() {
    {
      SQLite::Database raw(path_, SQLite::OPEN_READWRITE);
      EXPECT_EQ(raw.execAndGet("PRAGMA integrity_check").getString(), "ok");
      EXPECT_EQ(raw.execAndGet("SELECT count(*) FROM payload").getInt(),
                raw.execAndGet("SELECT count(*) FROM payload_content").getInt());
      EXPECT_EQ(raw.execAndGet("SELECT coalesce(sum(refs), 0) FROM payload").getInt(),
                raw.execAndGet("SELECT count(*) FROM run WHERE typeof(input) = 'integer'").getInt());
    }
    auto writer = open_sqlite_writer(path_, options_);
    ASSERT_TRUE(writer) << writer.error().message;
    auto reader = open_sqlite_reader(path_, options_, kShard);
    ASSERT_TRUE(reader) << reader.error().message;
    Owner owner(**writer);
    for (const auto& [sequence, allowed] : allowed_) {
      const auto view = (*reader)->get_run(run_row(key(sequence)).id);
      ASSERT_TRUE(view) << view.error().message;
      const std::uint32_t version = *view ? (*view)->row.version : kAbsent;
      EXPECT_TRUE(allowed.contains(version)) << "run " << sequence << " has version " << version;
      if (!*view) continue;
      const auto input = owner.payload({key(sequence), PayloadSlot::run_input, 0, 0});
      ASSERT_TRUE(input);
      EXPECT_TRUE(*input == input_of(sequence));
    }
    const auto journal = (*reader)->journal_after(0, 1000);
    ASSERT_TRUE(journal) << journal.error().message;
    EXPECT_EQ(journal->size(), static_cast<std::size_t>(owner.meta.sequence));
    owner.submit(9'999);
  }

 private:
  static constexpr std::uint32_t kAbsent = 0;

  static std::string input_of(std::int64_t sequence) {
    return std::string(sequence % 4 == 0 ? 9'000 : 20, static_cast<char>('a' + sequence % 26));
  }

  // New runs (few, or many), and an update of the runs of the turn before.
  void turn(int i) {
    Batch batch = owner_->next();
    std::map<std::int64_t, std::uint32_t> changed;
    const std::int64_t runs = i % 3 == 2 ? 10 : 2;
    for (std::int64_t r = 0; r < runs; ++r) {
      const std::int64_t sequence = i * 100 + r + 1;
      model::RunRow row = run_row(key(sequence));
      row.version = 1;
      batch.runs.push_back({row, true, text(input_of(sequence)), nullptr});
      batch.tasks.push_back({task_row({key(sequence), 0}), true, nullptr, nullptr});
      batch.tasks.push_back({task_row({key(sequence), 1}), true, nullptr, nullptr});
      changed[sequence] = 1;
    }
    for (const std::int64_t sequence : last_) {
      model::RunRow row = run_row(key(sequence));
      row.version = 2;
      batch.runs.push_back({row, false, nullptr, nullptr});
      changed[sequence] = 2;
    }
    batch.facts.push_back(facts_of(key(1)));

    const CommitDone done = owner_->commit(std::move(batch));
    worst_ = std::max(worst_, done.result);
    if (done.result == CommitResult::committed) {
      last_.clear();
      for (const auto& [sequence, version] : changed) {
        allowed_[sequence] = {version};
        if (version == 1) last_.push_back(sequence);
      }
      return;
    }
    EXPECT_FALSE(done.error.message.empty());
    for (const auto& [sequence, version] : changed) {
      if (version == 1) allowed_[sequence] = {kAbsent};
      if (done.result == CommitResult::unknown) allowed_[sequence].insert(version);
    }
    if (done.result == CommitResult::unknown) {
      ended_ = true;
      // It stays that way: nothing is written any more.
      Batch next = owner_->next();
      EXPECT_EQ(owner_->commit(std::move(next)).result, CommitResult::unknown);
      EXPECT_FALSE(writer_->probe());
      return;
    }
    --owner_->meta.sequence;
    (void)writer_->probe();
  }

  std::string path_;
  SqliteOptions options_;
  std::unique_ptr<Writer> writer_;
  std::optional<Owner> owner_;
  std::map<std::int64_t, std::set<std::uint32_t>> allowed_;  // versions by sequence of the run
  std::vector<std::int64_t> last_;
  bool ended_ = false;
  CommitResult worst_ = CommitResult::committed;
};

struct Fault {
  const char* name;
  FaultyVfs::Operations which;
  int code;
  bool for_ever;
  CommitResult worst;  // that may be answered
};

class EveryOperationFails : public ::testing::TestWithParam<Fault> {};

TEST_P(EveryOperationFails, AndEveryAnswerHolds) {
  bool failed = true;
  for (int n = 1; failed; ++n) {
    SCOPED_TRACE("operation " + std::to_string(n));
    const testing::TemporaryFolder folder;
    FaultyVfs disk;
    Story story(folder.database(), disk.name());
    ASSERT_NO_FATAL_FAILURE(story.begin());
    disk.fail_at(n, GetParam().which, GetParam().code, GetParam().for_ever);
    story.tell();
    failed = disk.failed();
    if (story.worst() == CommitResult::unknown) {
      // The owner ends without another write, and the disk may keep what it wants of the rest.
      std::mt19937 random(static_cast<unsigned>(n));
      disk.cut_power();
      story.end();
      disk.heal();
      disk.restore(random);
    } else {
      disk.heal();
      story.end();
    }
    EXPECT_LE(story.worst(), GetParam().worst);
    ASSERT_NO_FATAL_FAILURE(story.check());
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Disk, EveryOperationFails,
                         ::testing::Values(Fault{"FullOnce", FaultyVfs::Operations::writes, SQLITE_FULL,
                                                 false, CommitResult::not_committed},
                                           Fault{"FullFromThen", FaultyVfs::Operations::writes, SQLITE_FULL,
                                                 true, CommitResult::not_committed},
                                           Fault{"WriteErrorOnce", FaultyVfs::Operations::writes,
                                                 SQLITE_IOERR_WRITE, false, CommitResult::unknown},
                                           Fault{"SyncErrorOnce", FaultyVfs::Operations::syncs,
                                                 SQLITE_IOERR_FSYNC, false, CommitResult::unknown},
                                           Fault{"BrokenFromThen", FaultyVfs::Operations::both,
                                                 SQLITE_IOERR_WRITE, true, CommitResult::unknown}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(PowerCut, KeepsWhatWasAnswered) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const testing::TemporaryFolder folder;
    FaultyVfs disk;
    Story story(folder.database(), disk.name());
    ASSERT_NO_FATAL_FAILURE(story.begin());
    // The power goes at any operation: that one and all later ones do nothing.
    disk.fail_at(static_cast<int>(random() % 150) + 1, FaultyVfs::Operations::both, SQLITE_IOERR_WRITE, true);
    story.tell();
    disk.cut_power();
    story.end();
    disk.heal();
    disk.restore(random);
    ASSERT_NO_FATAL_FAILURE(story.check());
    if (HasFailure()) return;
  }
}

TEST(OpeningFails, CleanlyAtEveryOperation) {
  bool failed = true;
  for (int n = 1; failed; ++n) {
    SCOPED_TRACE("operation " + std::to_string(n));
    const testing::TemporaryFolder folder;
    FaultyVfs disk;
    disk.fail_at(n, FaultyVfs::Operations::both, SQLITE_IOERR_WRITE, true);
    const auto writer = open_sqlite_writer(folder.database(), {disk.name()});
    failed = disk.failed();
    // An error while a database is closed again is nobody's concern: what counts is that the next one opens.
    if (!writer) {
      EXPECT_EQ(writer.error().code, ErrorCode::io) << writer.error().message;
    }
    disk.heal();
    const auto again = open_sqlite_writer(folder.database(), {disk.name()});
    ASSERT_TRUE(again) << again.error().message;
    Owner owner(**again);
    owner.submit(1);
  }
}

}  // namespace
}  // namespace baton::store
