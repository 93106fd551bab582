// The loop of one shard: drains its mailbox, lets the engine decide, commits all changes of a turn in one
// transaction, and only then releases replies and actions. While the store commits batch k the engine decides
// batch k+1.
//
// turn() has no threads and never blocks: a driver calls it whenever `wake` was called or next_due() is
// reached. send() may be called from any thread; everything else on the driver's thread only. The simulator
// drives this same class.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "engine/decide.hpp"
#include "engine/effects.hpp"
#include "engine/state.hpp"
#include "model/command.hpp"
#include "runtime/handle.hpp"
#include "runtime/observer.hpp"
#include "store/store.hpp"

namespace baton::runtime {

// What the loop knows of the world, passed in.
struct Surroundings {
  std::function<Duration()> monotonic;  // since an arbitrary origin, never goes back
  std::function<WallTime()> wall;
  std::function<Seed()> seed;
  // The workflow behind a stored definition.
  std::function<Result<std::shared_ptr<const model::Workflow>>(const std::string& canonical)>
      parse_definition;
  std::shared_ptr<const calendar::ZoneTable> zones;
  std::function<void()> wake;                     // any thread: turn() has something to do
  std::function<void(const model::Action&)> act;  // on the driver's thread, after the commit
  std::function<void(const Error&)> fatal;        // the loop cannot go on: the process must end
  std::function<void(std::string_view)> log;      // one line for operators
  std::vector<Observer*> observers;               // they outlive the loop
};

struct LoopOptions {
  std::size_t mailbox_limit = 100'000;  // commands that wait; beyond: overloaded
  std::size_t commands_per_turn = 1000;
  std::size_t rows_per_batch = 4000;
  std::size_t commits_in_flight = 2;
  Duration probe_every = Duration::seconds(1);  // while the store takes no writes
  engine::Settings settings;
};

// A run that could not be loaded: it stays in the store as it is, is shown, and nothing else is done with it.
struct Quarantined {
  RunKey run;
  Error error;
};

class ShardLoop final : public Handle {
 public:
  ShardLoop(store::Writer& store, Surroundings surroundings, LoopOptions options = {});
  ~ShardLoop() override;

  // Takes the shard, loads what is open, recovers. Blocks on the store; once, before the first turn().
  Status start(ShardId shard);

  // Does what can be done now. True: call it again soon.
  bool turn();
  // When turn() has to be called without a wake; nullopt: never.
  std::optional<Duration> next_due() const;  // on the monotonic clock

  void send(model::CommandBody body, model::Sender sender, ReplyHandler on_reply) override;
  // Whether a command that is sent now would be taken, and if not why: overloaded, unavailable, read_only.
  // Any thread.
  Status ready() const;
  std::uint64_t subscribe(std::function<void(const std::vector<RunKey>&)> listener) override;
  void unsubscribe(std::uint64_t subscription) override;

  // Answers everything that waits with `unavailable` and takes nothing more. Commits under way still
  // complete.
  void close();
  bool commits_in_flight() const { return !in_flight_.empty(); }

  // Commands that wait to be decided. Any thread.
  std::size_t waiting_commands() const;

  // That have not ended, or 1 while resources of runs that have are still to be given back.
  std::size_t open_runs() const;
  const std::vector<Quarantined>& quarantined() const { return quarantined_; }
  const engine::State& state() const { return state_; }

 private:
  struct Pending {  // a command on its way
    model::Command command;
    bool loaded = false;  // what it needs was asked for: decide it with what there is
  };
  struct Incoming {
    Pending pending;
    ReplyHandler on_reply;  // null: nobody waits
  };
  struct InFlight {
    JournalSequence sequence = 0;
    std::int64_t last_run = 0;
    ShardTime shard_time;
    std::vector<model::Reply> replies;
    std::vector<model::Action> actions;
    std::vector<RunKey> touched;
    std::size_t rows = 0;
    Duration sealed_at;
    std::vector<Observer::OnDurable> told;
  };
  struct LoadDone {
    std::optional<Pending> command;  // nullopt: for Continue
    Result<store::Loaded> loaded;
  };
  struct Inbox {  // what other threads put in; the lock and its data are one object
    std::mutex mutex;
    std::deque<Incoming> commands;
    std::vector<store::CommitDone> commits;
    std::vector<LoadDone> loads;
    model::ReplyTo last_reply = 0;
    bool closed = false;
    bool read_only = false;
    bool awake = false;  // `wake` was called and turn() has not come yet
  };

  engine::Moment moment();
  ShardTime shard_now() const;
  void wake_up(std::unique_lock<std::mutex> lock);
  void take_over(Incoming& incoming);  // who waits for its answer is known in handlers_ from now on
  void drop_commands(Inbox& inbox);    // with its mutex held; who sent them has to be answered
  Status takes_commands(const Inbox& inbox) const;  // with its mutex held
  void decide(const Pending& pending, const engine::Moment& moment);
  void take_commits(std::vector<store::CommitDone> commits);
  void take_loads(std::vector<LoadDone> loads);
  void begin_load(const engine::Needs& needs, std::optional<Pending> command);
  // Fails if a run is damaged, unless it is a cold one that no command is about: that is set aside.
  Status admit(store::Loaded loaded, bool for_command);
  Status admit(std::optional<store::RunImage> image,
               const std::vector<std::pair<Hash256, std::string>>& definitions);
  void lose_cold(RunKey run, Error why);
  void set_aside(RunKey run, Error why);
  Status admit(store::RunImage image, std::shared_ptr<const engine::Program> program);
  void release(std::vector<model::Reply>& replies);
  void answer(model::ReplyTo to, model::ReplyBody body);
  bool work_on(const engine::Moment& moment);
  bool commit(const engine::Moment& moment);
  void lose_writes(const Error& why);
  bool try_to_write_again();
  Status load_state();
  void give_up(const Error& why);

  store::Writer& store_;
  Surroundings world_;
  LoopOptions options_;
  engine::State state_;
  std::unique_ptr<engine::Effects> effects_;

  ShardId shard_{};
  Duration shard_origin_;  // shard time = monotonic + origin
  JournalSequence durable_ = 0;
  std::int64_t durable_last_run_ = 0;
  std::deque<InFlight> in_flight_;
  std::vector<model::Reply> held_;  // wait for a commit that is under way, but belong to none
  std::unordered_map<model::ReplyTo, ReplyHandler> handlers_;
  bool continue_loading_ = false;
  bool read_only_ = false;
  Duration next_probe_;
  bool stopped_ = false;     // gave up or closed
  std::uint64_t epoch_ = 0;  // counts lost writes: answers of the store from before are void
  std::size_t open_runs_ = 0;
  std::vector<Quarantined> quarantined_;
  std::map<std::uint64_t, std::function<void(const std::vector<RunKey>&)>> listeners_;
  std::uint64_t last_listener_ = 0;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
};

}  // namespace baton::runtime
