#include "embedded/space.hpp"

#include <utility>

#include "runtime/state_reading.hpp"
#include "store/everywhere.hpp"

namespace baton::embedded {
namespace {

// What cannot be read is no secret; it is listed as damaged.
Result<std::vector<model::SecretRow>> read_secrets(store::Reader& store) {
  TRY(const std::vector<model::Record> records,
      store.list_records({.kind = model::RecordKind::secret}, std::nullopt, model::kMaxSecrets));
  std::vector<model::SecretRow> rows;
  for (const model::Record& record : records) {
    if (auto row = model::secret_of(record)) rows.push_back(std::move(*row));
  }
  return rows;
}

// Of all namespaces but `own`: they have the same key file.
Result<std::vector<std::pair<ShardId, model::SecretRow>>> read_other_secrets(store::Reader& store,
                                                                             ShardId own) {
  std::vector<std::pair<ShardId, model::SecretRow>> all;
  TRY(const std::vector<ShardId> shards, store::shards_in_use(store));
  for (const ShardId shard : shards) {
    if (shard == own) continue;
    TRY(std::vector<model::SecretRow> rows, read_secrets(*store.of(shard)));
    for (model::SecretRow& row : rows) all.emplace_back(shard, std::move(row));
  }
  return all;
}

std::function<void(std::string_view)> log_of(const SpaceSurroundings& around, const std::string& name) {
  if (name == model::kDefaultNamespace) return around.world.log;
  return [log = around.world.log, name](std::string_view line) {
    log("namespace " + name + ": " + std::string(line));
  };
}

}  // namespace

Space::Space(const SpaceSurroundings& around, ShardId shard, std::string name)
    : loop_(around.loop),
      name_(std::move(name)),
      worker_name_(around.worker.name),
      reader_(around.reader.of(shard)),
      run_ended_(around.run_ended),
      files_left_(around.files_left),
      driver_(around.loop, around.writer, world_of(around), runtime::LoopOptions{}, &around.meter),
      log_(log_of(around, name_)),
      vault_({.key_file = around.secrets_key_file,
              .shard = shard,
              .read = [this] { return read_secrets(*reader_); },
              .others = [&store = around.reader, shard] { return read_other_secrets(store, shard); }}) {
  runtime::LocalWorkerOptions worker = around.worker;
  worker.space = name_;
  worker.vault = &vault_;
  worker_ = std::make_shared<runtime::LocalWorker>(driver_.shard(), std::move(worker));
  retention_ = std::make_shared<RetentionKeeper>(driver_.shard(), *reader_, around.retention);
}

// Called before the members behind it are there; what it captures is used once the loop turns.
runtime::Surroundings Space::world_of(const SpaceSurroundings& around) {
  runtime::Surroundings world = around.world;
  world.act = [this](const model::Action& action) {
    if (const auto* stop_one = std::get_if<model::StopAttempt>(&action)) worker_->act(*stop_one);
    if (std::holds_alternative<model::RunEnded>(action)) run_ended_();
    if (std::holds_alternative<model::FilesLeft>(action)) files_left_();
  };
  world.fatal = around.fatal;
  world.log = log_of(around, name_);
  world.observers = {&fact_meter_};
  if (around.events != nullptr) {
    fact_log_.emplace(*around.events, name_);
    world.observers.push_back(&*fact_log_);
  }
  return world;
}

Status Space::open() {
  TRY_VOID(driver_.start(reader_->shard()));
  incarnation_ = driver_.shard().state().incarnation;
  TRY_VOID(vault_.refresh());
  for (const std::string& problem : vault_.problems())
    log_("secrets cannot be used: " + problem + "; everything else goes on");
  return {};
}

std::vector<telemetry::Sample> Space::metrics(WallTime now, const api::WorkerFacts& own) {
  using telemetry::Metric;
  telemetry::Reading reading;
  loop_.invoke([&] {
    runtime::read_state(loop().state(), now, reading);
    reading.set(Metric::runs_set_aside, static_cast<double>(loop().quarantined().size()));
  });
  reading.set(Metric::mailbox, static_cast<double>(loop().waiting_commands()));
  const Status ready = loop().ready();
  reading.set(Metric::read_only, !ready && ready.error().code == ErrorCode::read_only ? 1 : 0);
  if (own.concurrency) reading.set(Metric::worker_slots, {worker_name_}, *own.concurrency);
  if (own.cpu_percent) reading.set(Metric::worker_cpu, {worker_name_}, *own.cpu_percent / 100);
  if (own.memory_bytes)
    reading.set(Metric::worker_memory, {worker_name_}, static_cast<double>(*own.memory_bytes));
  if (const auto groups = reader_->count_records(model::RecordKind::dead_letter)) {
    std::uint64_t letters = 0;
    for (const store::RecordGroup& group : *groups) letters += group.count;
    reading.set(Metric::dead_letters, static_cast<double>(letters));
  }
  std::vector<telemetry::Sample> samples = meter_.samples(reading);
  std::erase_if(samples, [](const telemetry::Sample& sample) {
    return telemetry::is_of_process(sample.metric) && sample.metric != Metric::metrics_at_limit;
  });
  for (telemetry::Sample& sample : samples) sample.space = name_;
  return samples;
}

}  // namespace baton::embedded
