#include "embedded/space.hpp"

#include <utility>

#include "runtime/state_reading.hpp"

namespace baton::embedded {

Space::Space(const SpaceSurroundings& around, ShardId shard, std::string name)
    : loop_(around.loop),
      name_(std::move(name)),
      worker_name_(around.worker.name),
      reader_(around.reader.of(shard)),
      run_ended_(around.run_ended),
      files_left_(around.files_left),
      driver_(around.loop, around.writer, world_of(around), runtime::LoopOptions{}, &around.meter) {
  runtime::LocalWorkerOptions worker = around.worker;
  worker.space = name_;
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
  if (name_ != model::kDefaultNamespace) {
    world.log = [log = around.world.log, name = name_](std::string_view line) {
      log("namespace " + name + ": " + std::string(line));
    };
  }
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
  return {};
}

std::vector<telemetry::Sample> Space::metrics(WallTime now, std::uint32_t slots) {
  using telemetry::Metric;
  telemetry::Reading reading;
  loop_.invoke([&] {
    runtime::read_state(loop().state(), now, reading);
    reading.set(Metric::runs_set_aside, static_cast<double>(loop().quarantined().size()));
  });
  reading.set(Metric::mailbox, static_cast<double>(loop().waiting_commands()));
  const Status ready = loop().ready();
  reading.set(Metric::read_only, !ready && ready.error().code == ErrorCode::read_only ? 1 : 0);
  if (slots > 0) reading.set(Metric::worker_slots, {worker_name_}, slots);
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
