// A world of virtual time around the real shard loop: a clock that jumps from one thing that happens to the
// next, a store in memory, workers that pretend, and an owner that can be killed at any moment. The same
// options and the same calls make the same history, on any machine.
//
// One thread. Used by scenario tests (src/scenario); it knows nothing of their format.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "engine/moment.hpp"
#include "model/command.hpp"
#include "runtime/shard_loop.hpp"
#include "simulate/worker.hpp"
#include "store/memory/memory_store.hpp"

namespace baton::simulate {

class World;

struct WorldOptions {
  WallTime begin{1'893'456'000'000'000};  // 2030-01-01T00:00:00Z
  std::uint64_t seed = 1;
  // A new owner after that many commits, as soon as everything that followed from them is done; 0 = never.
  // Nothing may come out differently.
  std::uint32_t restart_every = 0;
  runtime::LoopOptions loop;
  std::shared_ptr<const calendar::ZoneTable> zones;  // null = UTC only

  // Of simulations with faults (tests/simulation).
  //
  // The store of each owner, which is destroyed when its owner dies. None: it always succeeds, at once.
  std::function<std::unique_ptr<store::Writer>(World&, std::shared_ptr<store::MemoryData>)> make_store;
  // The owner could not start or gave up, and is gone. None: that is a failure of the world.
  std::function<void(const Error&)> on_owner_gone;
  // What the owner asks of workers that are not the world's own.
  std::function<void(const model::Action&)> on_action;
  // What the owner says to operators.
  std::function<void(std::string_view)> on_log;
};

class World {
 public:
  explicit World(WorldOptions options = {});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // ---- Time
  // Since the beginning.
  Duration now() const { return clock_ - kBirth; }
  WallTime wall() const { return options_.begin + now() + wall_jump_; }
  // The clock on the wall jumps; shard time does not.
  void jump_wall(Duration by) { wall_jump_ = wall_jump_ + by; }
  // Calls `what` at that time (at once if it is over); where times are equal, in the order of the calls.
  void at(Duration when, std::function<void()> what);
  void after(Duration delay, std::function<void()> what) { at(now() + delay, std::move(what)); }

  // Goes to the next thing that happens, and lets it happen with all that follows from it at that instant.
  // False: nothing happens before `limit` any more; now() is `limit` then.
  bool step(Duration limit);
  // Lets everything happen that can happen now.
  void settle();
  // Why nothing can go on: the loop gave up, or it turns in circles.
  const std::optional<Error>& failure() const { return failure_; }

  // ---- The owner
  // As runtime::Handle::send(). Without an owner the answer is `unavailable`.
  void send(model::CommandBody body, model::Sender sender, runtime::Handle::ReplyHandler on_reply);
  bool has_owner() const { return loop_ != nullptr; }
  // As kill -9: whatever is not committed is gone, and so is what its in-process workers were doing.
  void kill_owner();
  void start_owner();
  std::uint32_t owners() const { return owners_; }

  // ---- Workers
  Worker& add_worker(WorkerOptions options, Behave behave);
  // By its first name; nullptr: there is none.
  Worker* find_worker(std::string_view name);
  // By workers: what they tell the owner.
  void note(const model::ReportAttempt& report) { reports_.push_back(report); }
  const std::vector<model::ReportAttempt>& reports() const { return reports_; }

  // ---- What happened
  struct Event {
    Duration at;
    RunKey run;
    model::Fact fact;
  };
  // Everything that was committed so far, in the order of the journal.
  const std::vector<Event>& events();
  store::Reader& reader() { return reader_; }
  // The present owner; nullptr: there is none.
  const runtime::ShardLoop* owner() const { return loop_.get(); }

 private:
  // Rows use 0 for "never": nothing happens at shard time 0.
  static constexpr Duration kBirth = Duration::seconds(1);

  void act(const model::Action& action);
  void take_owner_away(const Error& why);
  std::optional<Duration> next_due() const;

  WorldOptions options_;
  engine::Random random_;
  Duration clock_;
  Duration wall_jump_;
  std::map<std::pair<Duration, std::uint64_t>, std::function<void()>> agenda_;
  std::uint64_t entries_ = 0;
  std::uint64_t happened_now_ = 0;  // steps since the clock moved
  std::optional<Error> failure_;

  std::shared_ptr<store::MemoryData> data_ = store::make_memory_data();
  store::MemoryReader reader_{data_};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<store::Writer> writer_;
  std::unique_ptr<runtime::ShardLoop> loop_;
  bool woken_ = false;
  std::optional<Error> gave_up_;  // the owner, just now
  std::uint32_t owners_ = 0;
  std::uint32_t commits_ = 0;  // of this owner
  std::vector<model::ReportAttempt> reports_;
  std::vector<Event> events_;
  JournalSequence journal_read_ = 0;
};

}  // namespace baton::simulate
