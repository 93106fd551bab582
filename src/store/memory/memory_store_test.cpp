// The part of the memory store that only tests use: commits that are held, and their fate.
#include "store/memory/memory_store.hpp"

#include <gtest/gtest.h>

#include "store/conformance.hpp"

namespace baton::store {
namespace {

using model::Batch;
using testing::key;
using testing::kShard;
using testing::run_row;
using testing::text;

class HeldCommits : public ::testing::Test {
 protected:
  HeldCommits() { writer.hold_commits(); }

  // Begins the next commit, which makes one run.
  void begin() {
    Batch batch;
    batch.shard = kShard;
    batch.incarnation = meta.incarnation;
    batch.sequence = ++meta.sequence;
    batch.runs.push_back({run_row(key(batch.sequence)), true, text("{}"), nullptr});
    writer.begin_commit(std::move(batch), [this](CommitDone done) { answers.push_back(std::move(done)); });
  }
  std::size_t stored() { return MemoryReader(data, kShard).list_runs({}, {}, 100)->rows.size(); }

  std::shared_ptr<MemoryData> data = make_memory_data();
  MemoryWriter writer{data};
  ShardMeta meta = writer.open_shard(kShard).value();
  std::vector<CommitDone> answers;
};

TEST_F(HeldCommits, NothingIsStoredOrAnsweredUntilTheyAreCompleted) {
  begin();
  begin();
  EXPECT_EQ(writer.held(), 2U);
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(stored(), 0U);
  writer.complete_next();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].sequence, 1);
  EXPECT_EQ(answers[0].result, CommitResult::committed);
  EXPECT_EQ(stored(), 1U);
}

TEST_F(HeldCommits, WhatFollowsARefusedCommitIsRefused) {
  begin();
  begin();
  writer.complete_next(CommitResult::not_committed);
  writer.complete_next();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].result, CommitResult::not_committed);
  EXPECT_EQ(answers[0].error.code, ErrorCode::read_only);
  EXPECT_EQ(answers[1].result, CommitResult::not_committed);
  EXPECT_EQ(stored(), 0U);
}

TEST_F(HeldCommits, AnUnknownCommitIsStoredOrLost) {
  begin();
  writer.complete_next(CommitResult::unknown, MemoryWriter::Truth::stored);
  EXPECT_EQ(answers.at(0).result, CommitResult::unknown);
  EXPECT_EQ(stored(), 1U);
  begin();
  writer.complete_next(CommitResult::unknown, MemoryWriter::Truth::lost);
  EXPECT_EQ(answers.at(1).result, CommitResult::unknown);
  EXPECT_EQ(stored(), 1U);
}

TEST_F(HeldCommits, AProbeSaysWhatTheTestWants) {
  EXPECT_TRUE(writer.probe());
  writer.set_probe(fail(ErrorCode::read_only, "full"));
  EXPECT_EQ(writer.probe().error().message, "full");
}

}  // namespace
}  // namespace baton::store
