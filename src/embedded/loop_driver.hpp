// Gives the shard loop a thread and a clock: turns it on a net::Loop whenever something came in or a timer is
// due.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "base/error.hpp"
#include "net/loop.hpp"
#include "runtime/shard_loop.hpp"
#include "store/store.hpp"
#include "telemetry/meter.hpp"

namespace baton::embedded {

class LoopDriver {
 public:
  // `world` without monotonic, wall, seed and wake: the driver adds them. `meter`: of the loop's lag and
  // turns; null = nobody asks. Everything must outlive the driver.
  LoopDriver(net::Loop& loop, store::Writer& store, runtime::Surroundings world, runtime::LoopOptions options,
             telemetry::Meter* meter = nullptr);

  // Before the loop runs.
  Status start(ShardId shard) { return shard_.start(shard); }
  runtime::ShardLoop& shard() { return shard_; }
  // Posts the first turn.
  void begin();
  // On the loop's thread: from here on only commits under way are taken note of, and the store is not used:
  // it may end before the loop does.
  void close();

  std::size_t open_runs() const { return open_runs_.load(); }

 private:
  runtime::Surroundings complete(runtime::Surroundings world);
  void drive();
  void drive_since(net::MonoTime wanted);
  bool turn();
  void arm();

  net::Loop& loop_;
  store::Writer& store_;
  telemetry::Meter* meter_;
  net::Timer timer_;
  bool closed_ = false;
  std::optional<Duration> armed_;
  std::atomic<std::size_t> open_runs_ = 0;
  runtime::ShardLoop shard_;
};

}  // namespace baton::embedded
