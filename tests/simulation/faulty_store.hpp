// A store in memory that may fail in every way that the interface allows:
//
//  - a commit is refused (disk full) and stores nothing; then probes fail for a while as well;
//  - its outcome is unknown: it is stored, or it is not;
//  - it is never answered;
//  - a crash stores a prefix of the commits under way and drops the rest;
//  - what a dead owner still had under way arrives when the next one has opened the shard: it must be
//  refused.
//
// What was answered with `committed` is never lost: that is the promise of a disk that honours fsync.
#pragma once

#include <deque>
#include <memory>

#include "diary.hpp"
#include "options.hpp"
#include "simulate/world.hpp"
#include "store/memory/memory_store.hpp"

namespace baton::simulation {

// What outlives the owners: moods and the commits that are late.
struct Disk {
  Disk(const Options& from, Diary& to) : options(from), diary(to), random(stream(from.seed, Stream::store)) {}

  bool has(Switch fault) const { return !calm && options.has(fault); }
  bool one_in(int n) { return random.up_to(n - 1) == 0; }

  const Options& options;
  Diary& diary;
  engine::Random random;
  bool calm = false;   // nothing goes wrong any more
  bool hangs = false;  // the present owner waits for a commit that will never end
  Duration full_until;
  std::vector<model::Batch> late;
};

class FaultyStore final : public store::Writer {
 public:
  FaultyStore(simulate::World& world, std::shared_ptr<store::MemoryData> data, Disk& disk);
  // The crash of its owner.
  ~FaultyStore() override;

  Result<store::ShardMeta> open_shard(ShardId shard) override;
  Result<std::vector<RunKey>> list_open_runs(ShardId shard) override;
  Status load_runs(std::span<const RunKey> keys, const std::function<void(store::RunImage)>& run,
                   const std::function<void(RunKey, Error)>& damaged) override;
  Result<std::vector<store::DefinitionKey>> load_definition_keys(ShardId shard) override;
  Result<store::StoredDefinition> load_definition(ShardId shard, const Hash256& hash) override;
  Status load_records(ShardId shard, const std::function<void(model::Record)>& record) override;
  void begin_commit(model::Batch batch, std::function<void(store::CommitDone)> done) override;
  void begin_load(store::LoadRequest request, std::function<void(Result<store::Loaded>)> done) override;
  Status probe() override;
  void idle() override {}

 private:
  enum class Fate : std::uint8_t { stored, refused, unknown_stored, unknown_lost, never };
  Fate draw_fate();
  void complete(Fate fate);

  simulate::World& world_;
  std::shared_ptr<store::MemoryData> data_;
  Disk& disk_;
  store::MemoryWriter inner_;
  std::deque<model::Batch> under_way_;
  Duration last_done_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // false: the owner is gone, nobody is told
};

}  // namespace baton::simulation
