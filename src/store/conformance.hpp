// Helpers of the stores' tests: rows with something in every field, and calls that wait for their answer.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/store.hpp"

namespace baton::store::testing {

inline constexpr ShardId kShard{3};

inline model::Text text(std::string value) {
  return std::make_shared<const std::string>(std::move(value));
}

inline RunKey key(std::int64_t sequence, ShardId shard = kShard) {
  return RunKey::make(shard, sequence);
}

inline model::RunRow run_row(RunKey run, model::RunStatus status = model::RunStatus::pending) {
  model::RunRow row;
  row.key = run;
  row.created_at = {1'700'000'000'000'123 + run.sequence()};
  row.id = RunId::make(run, row.created_at, {static_cast<std::uint64_t>(run.value), 77});
  row.status = status;
  row.workflow = "nightly";
  row.version = 2;
  row.definition = Hash256::of("definition");
  row.priority = 7;
  row.journal_head = 1;
  row.counts.total = 1;
  row.next_ordinal = UINT32_MAX;  // above the ordinals of all its tasks
  return row;
}

inline model::TaskRow task_row(TaskKey task, model::TaskStatus status = model::TaskStatus::queued) {
  model::TaskRow row;
  row.key = task;
  row.step = task.ordinal;
  row.status = status;
  row.priority = 7;
  row.ready_at = {1'700'000'000'000'456};
  return row;
}

inline model::RunFacts facts_of(RunKey run, JournalSequence previous = 0, std::string cause = "submit") {
  model::RunFacts facts{run, previous, std::move(cause), "cli:alice", {}};
  facts.facts.push_back({.kind = model::FactKind::run_submitted, .at = {5}, .number = 2, .text = "nightly"});
  return facts;
}

// One owner of one shard: numbers its batches.
struct Owner {
  explicit Owner(Writer& to, ShardId of = kShard) : writer(to), shard(of) {
    const Result<ShardMeta> opened = writer.open_shard(shard);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    if (opened) meta = *opened;
  }

  model::Batch next() {
    model::Batch batch;
    batch.shard = shard;
    batch.incarnation = meta.incarnation;
    batch.sequence = ++meta.sequence;
    batch.shard_time = {meta.sequence * 1000};
    batch.last_run = meta.last_run;
    return batch;
  }
  CommitDone commit(model::Batch batch) {
    std::promise<CommitDone> promise;
    auto future = promise.get_future();
    writer.begin_commit(std::move(batch), [&](CommitDone done) { promise.set_value(std::move(done)); });
    return future.get();
  }
  // Commits and expects success.
  void must(model::Batch batch) {
    const JournalSequence sequence = batch.sequence;
    const CommitDone done = commit(std::move(batch));
    EXPECT_EQ(done.result, CommitResult::committed) << done.error.message;
    EXPECT_EQ(done.sequence, sequence);
  }
  // Commits and expects that nothing is stored; the next batch takes the same sequence.
  Error must_refuse(model::Batch batch) {
    const CommitDone done = commit(std::move(batch));
    EXPECT_EQ(done.result, CommitResult::not_committed);
    EXPECT_FALSE(done.error.message.empty());
    --meta.sequence;
    return done.error;
  }
  // A run with one queued task, in one commit.
  RunKey submit(std::int64_t sequence, model::RunStatus status = model::RunStatus::pending) {
    const RunKey run = key(sequence, shard);
    model::Batch batch = next();
    batch.runs.push_back({run_row(run, status), true, text("{}"), text("{}")});
    batch.tasks.push_back({task_row({run, 0}), true, nullptr, nullptr});
    batch.facts.push_back(facts_of(run));
    must(std::move(batch));
    return run;
  }
  Loaded load(LoadRequest request) {
    Result<Loaded> loaded = try_load(std::move(request));
    EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
    return loaded ? std::move(*loaded) : Loaded{};
  }
  Result<Loaded> try_load(LoadRequest request) {
    std::promise<Result<Loaded>> promise;
    auto future = promise.get_future();
    writer.begin_load(std::move(request),
                      [&](Result<Loaded> loaded) { promise.set_value(std::move(loaded)); });
    return future.get();
  }
  model::Text payload(model::PayloadKey wanted) {
    LoadRequest request;
    request.payloads.push_back(wanted);
    const Loaded loaded = load(std::move(request));
    EXPECT_EQ(loaded.payloads.size(), 1U);
    return loaded.payloads.empty() ? nullptr : loaded.payloads[0].second;
  }
  std::vector<RunImage> open_runs() {
    std::vector<RunImage> images;
    const Result<std::vector<RunKey>> keys = writer.list_open_runs(shard);
    EXPECT_TRUE(keys) << (keys ? "" : keys.error().message);
    if (!keys) return images;
    const Status loaded = writer.load_runs(
        *keys, [&](RunImage image) { images.push_back(std::move(image)); },
        [&](RunKey run, Error error) { ADD_FAILURE() << run.value << " is damaged: " << error.message; });
    EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message);
    return images;
  }

  Writer& writer;
  ShardId shard;
  ShardMeta meta;
};

// A folder that ends with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string database() const { return path_ + "/baton.db"; }

 private:
  std::string path_;
};

}  // namespace baton::store::testing
