// One namespace of an owner: its shard's loop, its view of the store, its metrics, its worker of this
// process, its secrets, and who removes what is over.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/worker_facts.hpp"
#include "base/error.hpp"
#include "embedded/loop_driver.hpp"
#include "embedded/retention.hpp"
#include "model/space.hpp"
#include "net/loop.hpp"
#include "runtime/fact_log.hpp"
#include "runtime/fact_meter.hpp"
#include "runtime/local_worker.hpp"
#include "secrets/vault.hpp"
#include "store/store.hpp"
#include "telemetry/log.hpp"
#include "telemetry/meter.hpp"

namespace baton::embedded {

// What all namespaces of an owner have the same.
struct SpaceSurroundings {
  net::Loop& loop;
  store::Writer& writer;
  store::Reader& reader;               // of any shard
  telemetry::Meter& meter;             // of the process: the loop's lag and turns
  telemetry::Log* events;              // null = dropped
  runtime::Surroundings world;         // without wake, act, fatal and observers
  runtime::LocalWorkerOptions worker;  // without the namespace and its secrets
  std::string secrets_key_file;
  RetentionOptions retention;
  std::function<void(const Error&)> fatal;  // of any: the process must end
  std::function<void()> run_ended;          // on the loop's thread
  std::function<void()> files_left;         // on the loop's thread
};

class Space {
 public:
  Space(const SpaceSurroundings& around, ShardId shard, std::string name);

  // Takes the shard, loads what is open, recovers. Blocks on the store; before begin(), on any thread. One
  // that fails leaves the others alone.
  Status open();
  // Posts the first turn.
  void begin() { driver_.begin(); }
  // On the loop's thread.
  void close() { driver_.close(); }

  const std::string& name() const { return name_; }
  runtime::ShardLoop& loop() { return driver_.shard(); }
  store::Reader& reader() { return *reader_; }
  runtime::LocalWorker& worker() { return *worker_; }
  secrets::Vault& vault() { return vault_; }
  const std::shared_ptr<RetentionKeeper>& retention() const { return retention_; }
  std::size_t open_runs() const { return driver_.open_runs(); }
  // Of the tokens of its attempts: no other namespace has it.
  std::uint32_t incarnation() const { return incarnation_; }
  // Deleted: another one may have its name.
  void retire() { retired_ = true; }
  bool retired() const { return retired_; }
  // When nobody asks any more: the store's readers end before its writer does.
  void release_reader() { reader_.reset(); }

  // Its metrics. Not on the loop's thread. `own`: what its worker of this process says of itself.
  std::vector<telemetry::Sample> metrics(WallTime now, const api::WorkerFacts& own);

 private:
  runtime::Surroundings world_of(const SpaceSurroundings& around);

  net::Loop& loop_;
  const std::string name_;
  const std::string worker_name_;
  std::uint32_t incarnation_ = 0;
  std::atomic<bool> retired_ = false;
  telemetry::Meter meter_;
  runtime::FactMeter fact_meter_{meter_};
  std::optional<runtime::FactLog> fact_log_;
  std::unique_ptr<store::Reader> reader_;
  std::function<void()> run_ended_;
  std::function<void()> files_left_;
  LoopDriver driver_;
  const std::function<void(std::string_view)> log_;
  secrets::Vault vault_;
  std::shared_ptr<runtime::LocalWorker> worker_;
  std::shared_ptr<RetentionKeeper> retention_;
};

}  // namespace baton::embedded
