// Drives the engine as the shard loop does, in virtual time and against a simulated disk, and checks every
// batch: commands → needs → load → decide → continue → seal → commit → replies. A test is a story of
// submissions, claims and reports; restarts, slow commits and tiny caches are options that must not change
// how the story ends.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/decide.hpp"
#include "engine/load.hpp"
#include "engine/moment.hpp"
#include "engine/state.hpp"
#include "engine/testing/disk.hpp"
#include "model/command.hpp"

namespace baton::engine::testing {

struct WorldOptions {
  std::uint64_t seed = 1;
  Settings settings;
  std::size_t commands_per_turn = 64;
  std::size_t rows_per_batch = 1000;
  std::size_t commits_in_flight = 0;  // batches that are sealed and not durable while the next one is decided
  std::size_t cache_bytes = std::size_t{64} << 20;
  std::uint32_t restart_every = 0;  // a new owner after that many commits
  bool check_memory = true;         // check_state() after each batch: cost grows with all tasks in memory
};

class World {
 public:
  explicit World(WorldOptions options = {});

  // ---- Time
  ShardTime now() const { return now_; }
  WallTime wall() const { return {wall_offset_.us + now_.us}; }
  // Goes on, stopping at each timer on the way.
  void advance(Duration by);
  // The clock on the wall jumps; shard time does not.
  void jump_wall(Duration by) { wall_offset_ = wall_offset_ + by; }
  std::optional<ShardTime> next_due() const;

  // ---- Commands
  model::ReplyTo send(model::CommandBody body, model::Sender sender = "test");
  // One turn of the loop; false: there was nothing to do.
  bool turn();
  // Turns until there is nothing left to do.
  void settle();
  // The reply, once it was released.
  std::optional<model::ReplyBody> take(model::ReplyTo to);
  // Sends, settles, takes; the test fails if there is no reply.
  model::ReplyBody ask(model::CommandBody body, model::Sender sender = "test");

  // ---- In short
  RunId submit(std::shared_ptr<const model::Workflow> workflow, std::string input = "{}",
               std::string context = "{}");
  // What is there now for this worker, at most `max`.
  std::vector<model::Assignment> claim(std::uint32_t max = 1, std::string worker = "w",
                                       std::vector<std::string> queues = {"default"},
                                       bool in_process = false);
  // As claim(); the test fails if there is nothing.
  model::Assignment claim_one(std::string worker = "w", std::vector<std::string> queues = {"default"});
  model::ReplyBody report(const model::Assignment& assignment, model::Outcome outcome);
  // Fail the test unless the report is accepted; what became of the task.
  model::TaskStatus complete(const model::Assignment& assignment, std::string result = "null");
  model::TaskStatus fail(const model::Assignment& assignment, model::Failure failure = {.type = "exit"});
  model::ReplyBody cancel(const RunId& run, bool terminate = false);
  // Claims and completes everything until no task is handed out.
  void work_off(std::string result = "null", std::vector<std::string> queues = {"default"});

  // A new owner of the shard. What is not durable is lost; unanswered commands are sent again, as clients do.
  void restart();

  // ---- What is durable
  const model::RunRow& run(const RunId& id) const;
  // The step's own task, or the task of an item; a default row if it has no row yet.
  model::TaskRow task(const RunId& run, std::string_view step, std::int32_t index = -1) const;
  model::TaskStatus status(const RunId& run, std::string_view step, std::int32_t index = -1) const {
    return task(run, step, index).status;
  }
  // JSON; of a mapped step the list of its items' results; "" if there is none.
  std::string result(const RunId& run, std::string_view step) const;
  const Disk& disk() const { return disk_; }
  // Facts of a run as words: "task.queued a", "attempt.ended b 1 failed", "run.ended completed".
  std::vector<std::string> story(const RunId& run) const;

  const State& state() const { return *state_; }
  std::vector<model::Action> take_actions() { return std::move(actions_); }
  // Of all batches so far.
  Hash256 digest() const { return digest_; }
  std::size_t batches() const { return batches_; }
  std::size_t largest_batch() const { return largest_batch_; }  // rows
  // Randomness for tests, from the world's seed.
  std::uint64_t random() { return random_.next(); }

 private:
  Moment moment();
  void open();
  void decide(const model::Command& command);
  void load(const Needs& needs);
  bool work_on();
  bool seal();
  void commit_front();
  void release();
  void deliver(model::Reply reply);
  const model::RunRow* latest(RunKey key) const;
  const model::TaskRow* latest(TaskKey key) const;
  std::shared_ptr<const Program> program(const Hash256& definition);
  std::vector<AddedPart> additions(const RunId& run);
  Ordinal ordinal(const RunId& run, std::string_view step, std::int32_t index) const;

  WorldOptions options_;
  Random random_;
  ShardTime now_;
  Duration wall_offset_{1'800'000'000'000'000};
  Disk disk_;
  std::shared_ptr<const calendar::ZoneTable> zones_;
  std::map<Hash256, std::shared_ptr<const model::Workflow>> workflows_;

  std::unique_ptr<State> state_;
  std::unique_ptr<Effects> effects_;
  std::deque<model::Command> mailbox_;
  std::deque<Sealed> in_flight_;
  std::vector<model::Reply> held_;
  std::map<model::ReplyTo, model::Command> unanswered_;
  std::map<model::ReplyTo, model::ReplyBody> replies_;
  std::vector<model::Action> actions_;
  std::optional<Token> last_token_;

  model::ReplyTo last_reply_ = 0;
  std::size_t batches_ = 0;
  std::size_t commits_since_restart_ = 0;
  std::size_t largest_batch_ = 0;
  Hash256 digest_;
};

// ---- Outcomes
model::Outcome completed(std::string result = "null");
model::Outcome failed(std::string type = "exit", std::string message = "exit code 1");
model::Outcome interrupted();

// The error of a reply; its code is `internal` and the test fails if the reply is none.
Error error_of(const model::ReplyBody& reply);

}  // namespace baton::engine::testing
