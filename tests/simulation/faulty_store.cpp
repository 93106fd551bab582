#include "faulty_store.hpp"

#include <algorithm>

namespace baton::simulation {

using store::CommitDone;
using store::CommitResult;

FaultyStore::FaultyStore(simulate::World& world, std::shared_ptr<store::MemoryData> data, Disk& disk)
    : world_(world), data_(data), disk_(disk), inner_(std::move(data)) {
  inner_.hold_commits();
  disk_.hangs = false;
}

FaultyStore::~FaultyStore() {
  *alive_ = false;
  std::int64_t stored = disk_.random.up_to(static_cast<std::int64_t>(under_way_.size()));
  if (!under_way_.empty()) {
    disk_.diary.hit(stored > 0 ? "crash stores a commit that nobody heard of" : "crash drops a commit");
    disk_.diary.note("disk: {} commits were under way, {} of them are stored", under_way_.size(), stored);
  }
  for (; stored > 0; --stored) {
    inner_.complete_next(CommitResult::unknown, store::MemoryWriter::Truth::stored);
    under_way_.pop_front();
  }
  if (disk_.has(Switch::late_commits)) {
    for (model::Batch& batch : under_way_) disk_.late.push_back(std::move(batch));
  }
}

Result<store::ShardMeta> FaultyStore::open_shard(ShardId shard) {
  if (disk_.has(Switch::failed_starts) && disk_.one_in(4)) {
    disk_.diary.hit("start: the store cannot be opened");
    return fail(ErrorCode::io, "the store cannot be opened");
  }
  auto meta = inner_.open_shard(shard);
  for (model::Batch& batch : std::exchange(disk_.late, {})) {
    disk_.diary.hit("late commit of a dead owner");
    store::MemoryWriter late(data_);
    late.begin_commit(std::move(batch), [this](const CommitDone& done) {
      if (done.result == CommitResult::committed)
        disk_.diary.wrong("I4", "a commit of a dead owner was stored after the next one had begun");
    });
  }
  return meta;
}

Result<std::vector<RunKey>> FaultyStore::list_open_runs(ShardId shard) {
  return inner_.list_open_runs(shard);
}

Status FaultyStore::load_runs(std::span<const RunKey> keys, const std::function<void(store::RunImage)>& run,
                              const std::function<void(RunKey, Error)>& damaged) {
  if (disk_.has(Switch::failed_starts) && disk_.one_in(8)) {
    disk_.diary.hit("start: runs cannot be loaded");
    return fail(ErrorCode::io, "the runs cannot be read");
  }
  return inner_.load_runs(keys, run, damaged);
}

Result<std::vector<store::DefinitionKey>> FaultyStore::load_definition_keys(ShardId shard) {
  return inner_.load_definition_keys(shard);
}
Result<store::StoredDefinition> FaultyStore::load_definition(ShardId shard, const Hash256& hash) {
  return inner_.load_definition(shard, hash);
}
Status FaultyStore::load_records(ShardId shard, const std::function<void(model::Record)>& record) {
  return inner_.load_records(shard, record);
}

FaultyStore::Fate FaultyStore::draw_fate() {
  if (world_.now() < disk_.full_until && !disk_.calm) return Fate::refused;
  if (disk_.has(Switch::refused_commits) && disk_.one_in(40)) {
    disk_.full_until = world_.now() + Duration::millis(disk_.random.up_to(20'000));
    return Fate::refused;
  }
  if (disk_.has(Switch::unknown_commits) && disk_.one_in(100)) {
    return disk_.one_in(2) ? Fate::unknown_stored : Fate::unknown_lost;
  }
  if (disk_.has(Switch::hanging_commits) && disk_.one_in(200)) return Fate::never;
  return Fate::stored;
}

void FaultyStore::begin_commit(model::Batch batch, std::function<void(CommitDone)> done) {
  under_way_.push_back(batch);
  inner_.begin_commit(std::move(batch), [alive = alive_, done = std::move(done)](CommitDone result) {
    if (*alive) done(std::move(result));
  });
  const Fate fate = draw_fate();
  Duration latency;
  if (disk_.has(Switch::slow_commits)) {
    latency = Duration::micros(disk_.random.up_to(disk_.one_in(20) ? 5'000'000 : 20'000));
  }
  last_done_ = std::max(last_done_, world_.now() + latency);
  world_.at(last_done_, [this, alive = alive_, fate] {
    if (*alive) complete(fate);
  });
}

void FaultyStore::complete(Fate fate) {
  if (disk_.hangs) return;
  const JournalSequence sequence = under_way_.front().sequence;
  switch (fate) {
    case Fate::never:
      disk_.hangs = true;
      disk_.diary.hit("commit: never answered");
      disk_.diary.note("disk: commit {} hangs", sequence);
      return;
    case Fate::stored:
      break;
    case Fate::refused:
      disk_.diary.hit("commit: refused");
      disk_.diary.note("disk: commit {} is refused", sequence);
      break;
    case Fate::unknown_stored:
      disk_.diary.hit("commit: unknown, stored");
      disk_.diary.note("disk: commit {} is unknown, and stored", sequence);
      break;
    case Fate::unknown_lost:
      disk_.diary.hit("commit: unknown, lost");
      disk_.diary.note("disk: commit {} is unknown, and lost", sequence);
      break;
  }
  under_way_.pop_front();
  if (fate == Fate::stored) {
    inner_.complete_next();
  } else if (fate == Fate::refused) {
    inner_.complete_next(CommitResult::not_committed);
  } else {
    // Nothing can be said of those behind it either.
    disk_.hangs = true;
    inner_.complete_next(CommitResult::unknown, fate == Fate::unknown_stored
                                                    ? store::MemoryWriter::Truth::stored
                                                    : store::MemoryWriter::Truth::lost);
  }
}

void FaultyStore::begin_load(store::LoadRequest request, std::function<void(Result<store::Loaded>)> done) {
  if (disk_.has(Switch::failed_loads) && disk_.one_in(200)) {
    disk_.diary.hit("load: fails");
    disk_.diary.note("disk: a load fails");
    return done(fail(ErrorCode::io, "the payload cannot be read"));
  }
  if (!disk_.has(Switch::slow_loads)) return inner_.begin_load(std::move(request), std::move(done));
  disk_.diary.hit("load: slow");
  const Duration latency = Duration::micros(disk_.random.up_to(disk_.one_in(10) ? 2'000'000 : 5'000));
  // Reads what is committed when it is answered.
  world_.after(latency, [this, alive = alive_, request = std::move(request), done = std::move(done)] {
    if (*alive) inner_.begin_load(request, done);
  });
}

Status FaultyStore::probe() {
  if (world_.now() < disk_.full_until && !disk_.calm) {
    disk_.diary.hit("probe: still full");
    return fail(ErrorCode::read_only, "no space left on device");
  }
  disk_.diary.hit("probe: takes writes again");
  return {};
}

}  // namespace baton::simulation
