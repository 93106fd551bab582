#include "embedded/retention.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "logs/paths.hpp"
#include "model/cached_result.hpp"
#include "model/removal.hpp"
#include "store/memory/memory_store.hpp"

namespace baton::embedded {
namespace {

using model::RunStatus;

constexpr WallTime kNow{1'893'456'000'000'000};

// What the engine would do, without a loop.
class Commands final : public runtime::Handle {
 public:
  std::function<model::ReplyBody(const model::CommandBody&)> answer;
  void send(model::CommandBody body, model::Sender, ReplyHandler on_reply) override {
    on_reply(answer(body));
  }
  std::uint64_t subscribe(std::function<void(const std::vector<RunKey>&)>) override { return 0; }
  void unsubscribe(std::uint64_t) override {}
};

class RetentionTest : public testing::Test {
 protected:
  RetentionTest() {
    std::string pattern = testing::TempDir() + "/baton-retention-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    EXPECT_TRUE(writer_.open_shard(ShardId{0}));
    commands_.answer = [this](const model::CommandBody& command) -> model::ReplyBody {
      if (const auto* remove = std::get_if<model::RemoveRuns>(&command)) {
        model::RunsRemoved reply;
        for (const RunId& run : remove->runs) {
          asked_.insert(run);
          if (keeps_.contains(run)) {
            reply.kept.emplace_back(run, Error{ErrorCode::conflict, "a dead letter", ""});
          } else {
            removed_.insert(run);
          }
        }
        return reply;
      }
      if (const auto* forget = std::get_if<model::ForgetResults>(&command))
        forgotten_.insert(forget->keys.begin(), forget->keys.end());
      if (const auto* deleted = std::get_if<model::FilesDeleted>(&command))
        deleted_.insert(deleted->removals.begin(), deleted->removals.end());
      return model::Done{};
    };
  }
  ~RetentionTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  void commit(model::Batch batch) {
    batch.incarnation = 1;
    batch.sequence = ++sequence_;
    writer_.begin_commit(std::move(batch), [](const store::CommitDone& done) {
      ASSERT_EQ(done.result, store::CommitResult::committed) << done.error.message;
    });
  }
  RunId ended(const std::string& workflow, RunStatus status, Duration ago) {
    model::Batch batch;
    model::RunRow row;
    row.key = RunKey::make(ShardId{0}, ++runs_);
    row.created_at = kNow - ago - Duration::seconds(1);
    row.ended_at = kNow - ago;
    row.id = RunId::make(row.key, row.created_at, {1, 2});
    row.status = status;
    row.workflow = workflow;
    row.definition = Hash256::of(workflow);
    if (workflows_.insert(workflow).second) {
      batch.definitions.push_back(
          {workflow, 1, row.definition, std::make_shared<const std::string>("{}"), kNow});
    }
    batch.runs.push_back({row, true, nullptr, nullptr});
    commit(std::move(batch));
    return row.id;
  }
  void put(model::Record record) {
    model::Batch batch;
    batch.records.push_back({std::move(record), false});
    commit(std::move(batch));
  }
  RetentionKeeper keeper(RetentionOptions options = {}) {
    options.logs = root_ + "/logs";
    options.scratch = root_ + "/scratch";
    options.wall = [] { return kNow; };
    return {commands_, reader_, std::move(options)};
  }

  std::string root_;
  std::shared_ptr<store::MemoryData> data_ = store::make_memory_data();
  store::MemoryWriter writer_{data_};
  store::MemoryReader reader_{data_};
  Commands commands_;
  JournalSequence sequence_ = 0;
  std::int64_t runs_ = 0;
  std::set<std::string> workflows_;
  std::set<RunId> keeps_;
  std::set<RunId> asked_;
  std::set<RunId> removed_;
  std::set<std::string> forgotten_;
  std::set<std::string> deleted_;
};

constexpr Duration days(std::int64_t n) {
  return Duration::hours(24 * n);
}
constexpr Duration kMoment{1};

TEST_F(RetentionTest, BothSidesOfTheUsualTimes) {
  const RunId done = ended("w", RunStatus::completed, days(30) + kMoment);
  const RunId cancelled = ended("w", RunStatus::cancelled, days(30) + kMoment);
  ended("w", RunStatus::completed, days(30));
  ended("w", RunStatus::failed, days(90));
  const RunId failed = ended("w", RunStatus::failed, days(90) + kMoment);
  ended("w", RunStatus::running, days(1000));
  ASSERT_TRUE(keeper().look());
  EXPECT_EQ(removed_, (std::set{done, cancelled, failed}));
}

TEST_F(RetentionTest, AWorkflowMaySayItself) {
  const RunId short_one = ended("short", RunStatus::completed, Duration::hours(1) + kMoment);
  ended("short", RunStatus::completed, Duration::hours(1));
  ended("short", RunStatus::failed, days(90));
  ended("long", RunStatus::completed, days(5000));
  const RunId failed = ended("long", RunStatus::failed, days(2) + kMoment);
  put(model::to_record("short", {Duration::hours(1), std::nullopt}, kNow));
  put(model::to_record("long", {Duration{}, days(2)}, kNow));
  ASSERT_TRUE(keeper().look());
  EXPECT_EQ(removed_, (std::set{short_one, failed}));
}

TEST_F(RetentionTest, TheOwnerMayKeepEverything) {
  ended("w", RunStatus::completed, days(5000));
  ended("w", RunStatus::failed, days(5000));
  ASSERT_TRUE(keeper({.completed = {}, .failed = {}}).look());
  EXPECT_TRUE(asked_.empty());
}

TEST_F(RetentionTest, WhatHasToStayIsNotAskedAboutInEachRound) {
  const RunId kept = ended("w", RunStatus::completed, days(31));
  keeps_.insert(kept);
  RetentionKeeper one = keeper();
  ASSERT_TRUE(one.look());
  EXPECT_EQ(asked_, std::set{kept});
  asked_.clear();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(one.look());
  EXPECT_TRUE(asked_.empty());
  ASSERT_TRUE(one.look());
  EXPECT_EQ(asked_, std::set{kept});
}

TEST_F(RetentionTest, ManyRunsGoPageByPage) {
  std::set<RunId> all;
  for (int i = 0; i < 1203; ++i) all.insert(ended("w", RunStatus::completed, days(31)));
  ASSERT_TRUE(keeper().look());
  EXPECT_EQ(removed_, all);
}

TEST_F(RetentionTest, OfADeletedNamespaceNothingIsKept) {
  const RunId one = ended("w", RunStatus::completed, Duration::hours(1));
  const RunId other = ended("v", RunStatus::failed, Duration{-Duration::hours(1).us});
  keeps_.insert(other);
  put(model::to_record("w", {Duration{}, Duration{}}, kNow));
  int cleared = 0;
  RetentionKeeper keeper(
      commands_, reader_,
      {.logs = root_ + "/logs", .scratch = root_ + "/scratch", .wall = [] { return kNow; }});
  keeper.clear([&] { ++cleared; });
  ASSERT_TRUE(keeper.look());
  EXPECT_EQ(asked_, (std::set{one, other})) << "whatever the workflow says, and whatever the clock";
  EXPECT_EQ(cleared, 0) << "they are still in the store";
  for (const RunId& run : {one, other}) {
    model::Batch batch;
    batch.removals.push_back({.run = run.key(), .id = run});
    commit(std::move(batch));
  }
  ASSERT_TRUE(keeper.look());
  ASSERT_TRUE(keeper.look());
  EXPECT_EQ(cleared, 1) << "said once";
}

TEST_F(RetentionTest, CachedResultsAreForgottenWhenTheirTimeIsOver) {
  const TaskId task{RunId::make(RunKey::make(ShardId{0}, 1), kNow, {1, 2}), 0};
  const auto cached = [&](const std::string& content, WallTime expires) {
    const std::string key = model::cached_key("w", "a", content);
    put(model::to_record(model::CachedResult{key, task, kNow - days(9), expires, "1"}));
    return key;
  };
  const std::string old = cached("1", kNow);
  cached("2", kNow + kMoment);
  ASSERT_TRUE(keeper().look());
  EXPECT_EQ(forgotten_, std::set{old});
}

TEST_F(RetentionTest, FilesOfRemovedRunsAreDeletedAndOthersAreNot) {
  const RunId gone = ended("w", RunStatus::completed, days(1));
  const RunId other = ended("w", RunStatus::completed, days(1));
  std::vector<std::string> folders;
  for (const RunId& run : {gone, other}) {
    folders.push_back(root_ + "/logs/" + logs::run_path(run));
    folders.push_back(root_ + "/scratch/" + run.text());
  }
  for (const std::string& folder : folders) {
    std::filesystem::create_directories(folder + "/deeper");
    std::ofstream(folder + "/deeper/file") << "x";
  }
  const model::Removal open{.key = model::removal_key(kNow, gone), .at = kNow, .count = 1, .runs = {gone}};
  put(model::to_record(open));
  put(model::to_record(model::Removal{.key = "0", .at = kNow, .count = 5}));
  put({{model::RecordKind::removal, "1"}, "", kNow, "\x01"});  // damaged
  EXPECT_EQ(keeper().delete_files().error().code, ErrorCode::corrupt);
  EXPECT_EQ(deleted_, std::set{open.key});
  EXPECT_FALSE(std::filesystem::exists(folders[0]));
  EXPECT_FALSE(std::filesystem::exists(folders[1]));
  EXPECT_TRUE(std::filesystem::exists(folders[2] + "/deeper/file"));
  EXPECT_TRUE(std::filesystem::exists(folders[3] + "/deeper/file"));
}

TEST_F(RetentionTest, WhatCannotBeDeletedKeepsNothingElse) {
  const RunId stuck = ended("w", RunStatus::completed, days(3));
  const RunId other = ended("w", RunStatus::completed, days(1));
  const std::filesystem::path logs = root_ + "/logs/" + logs::run_path(stuck);
  std::filesystem::create_directories(logs.parent_path().parent_path());
  // No folder, but a loop: nobody can look into it.
  std::filesystem::create_symlink(logs.parent_path().filename(), logs.parent_path());
  const std::string scratch = root_ + "/scratch/";
  for (const RunId& run : {stuck, other}) std::filesystem::create_directories(scratch + run.text());
  put(model::to_record(model::Removal{.key = "0", .at = kNow, .count = 2, .runs = {stuck, other}}));
  EXPECT_FALSE(keeper().delete_files());
  EXPECT_TRUE(deleted_.empty()) << "it is tried again";
  EXPECT_FALSE(std::filesystem::exists(scratch + stuck.text()));
  EXPECT_FALSE(std::filesystem::exists(scratch + other.text()));
}

// The thread looks by itself when it begins, also at files that an owner before has left.
TEST_F(RetentionTest, ItBeginsAtOnceAndEndsWhenItIsTold) {
  const RunId old = ended("w", RunStatus::completed, days(31));
  const model::Removal open{.key = model::removal_key(kNow, old), .at = kNow, .count = 1, .runs = {old}};
  put(model::to_record(open));
  std::promise<void> done;
  const auto inner = commands_.answer;
  commands_.answer = [&](const model::CommandBody& command) {
    const model::ReplyBody reply = inner(command);
    if (std::holds_alternative<model::FilesDeleted>(command)) done.set_value();
    return reply;
  };
  Housekeeping one(true, [](std::string_view line) { ADD_FAILURE() << line; });
  one.add(std::make_shared<RetentionKeeper>(
      commands_, reader_,
      RetentionOptions{.logs = root_ + "/logs", .scratch = root_ + "/scratch", .wall = [] { return kNow; }}));
  one.start();
  done.get_future().wait();
  one.stop();
  one.join();
  EXPECT_EQ(removed_, std::set{old});
  EXPECT_EQ(deleted_, std::set{open.key});
}

}  // namespace
}  // namespace baton::embedded
