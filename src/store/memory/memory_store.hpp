// The store in memory: the same behaviour as on disk (the conformance suite runs over both), for tests of the
// shard loop and for the simulator. What survives a "restart" is MemoryData: give it to the next writer.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "store/store.hpp"

namespace baton::store {

// Everything that is stored. Shared by a writer and its readers; opaque.
struct MemoryData;
std::shared_ptr<MemoryData> make_memory_data();

// One thread. Commits complete before begin_commit returns, unless they are held.
class MemoryWriter final : public Writer {
 public:
  explicit MemoryWriter(std::shared_ptr<MemoryData> data) : data_(std::move(data)) {}

  Result<ShardMeta> open_shard(ShardId shard) override;
  Result<std::vector<RunKey>> list_open_runs(ShardId shard) override;
  Status load_runs(std::span<const RunKey> keys, const std::function<void(RunImage)>& run,
                   const std::function<void(RunKey, Error)>& damaged) override;
  Result<std::vector<DefinitionKey>> load_definition_keys(ShardId shard) override;
  Result<StoredDefinition> load_definition(ShardId shard, const Hash256& hash) override;
  Status load_records(ShardId shard, const std::function<void(model::Record)>& record) override;
  void begin_commit(model::Batch batch, std::function<void(CommitDone)> done) override;
  void begin_load(LoadRequest request, std::function<void(Result<Loaded>)> done) override;
  Status probe() override { return probe_; }
  void idle() override {}

  // ---- For tests: the order and the fate of commits.
  //
  // From here on begin_commit only holds what it is given. Held commits that are never completed are lost
  // with the writer, as in a crash.
  void hold_commits() { holding_ = true; }
  std::size_t held() const { return held_.size(); }
  // Which of the two things behind `unknown` is the truth.
  enum class Truth : std::uint8_t { stored, lost };
  // Completes the oldest held commit. `committed` still checks fences and rows and may end as not_committed;
  // not_committed stores nothing; unknown stores the batch or loses it, as `truth` says.
  void complete_next(CommitResult result = CommitResult::committed, Truth truth = Truth::lost);
  // What probe() answers; success unless set.
  void set_probe(Status answer) { probe_ = std::move(answer); }

 private:
  struct Held {
    model::Batch batch;
    std::function<void(CommitDone)> done;
  };

  std::shared_ptr<MemoryData> data_;
  bool holding_ = false;
  std::deque<Held> held_;
  Status probe_;
};

class MemoryReader final : public Reader {
 public:
  explicit MemoryReader(std::shared_ptr<MemoryData> data, ShardId shard = {})
      : data_(std::move(data)), shard_(shard) {}

  ShardId shard() const override { return shard_; }
  std::unique_ptr<Reader> of(ShardId shard) const override {
    return std::make_unique<MemoryReader>(data_, shard);
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
  Result<std::vector<std::pair<JournalSequence, std::vector<model::RunFacts>>>> journal_after(
      JournalSequence after, std::size_t limit) override;
  Result<std::vector<model::Record>> list_records(const RecordFilter& filter,
                                                  std::optional<std::string> after,
                                                  std::size_t limit) override;
  Result<std::optional<model::Record>> get_record(const model::RecordKey& key) override;
  Result<std::vector<RecordGroup>> count_records(model::RecordKind kind) override;

 private:
  std::shared_ptr<MemoryData> data_;
  ShardId shard_;
};

}  // namespace baton::store
