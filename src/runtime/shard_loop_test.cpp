#include "runtime/shard_loop.hpp"

#include <gtest/gtest.h>

#include <set>
#include <span>

#include "model/resource.hpp"
#include "spec/parse.hpp"
#include "store/memory/memory_store.hpp"

namespace baton::runtime {
namespace {

using model::Claimed;
using model::Outcome;
using model::ReplyBody;
using model::RunStatus;
using model::Submitted;
using store::CommitResult;
using store::MemoryWriter;

std::shared_ptr<const model::Workflow> parse(const std::string& text) {
  auto parsed = spec::parse_workflow(text, {.file_name = "test.yaml"});
  EXPECT_NE(parsed.workflow, nullptr)
      << (parsed.diagnostics.empty() ? "" : parsed.diagnostics.front().message);
  return parsed.workflow;
}

// A store of which some runs cannot be read any more, and some are gone.
class Damaged final : public store::Writer {
 public:
  explicit Damaged(store::Writer& inner) : inner_(inner) {}
  std::set<RunKey> runs;
  std::set<RunKey> gone;
  bool slow = false;  // loads wait in `held`
  std::vector<std::function<void()>> held;

  Result<store::ShardMeta> open_shard(ShardId shard) override { return inner_.open_shard(shard); }
  Result<std::vector<RunKey>> list_open_runs(ShardId shard) override {
    auto open = inner_.list_open_runs(shard);
    std::erase_if(*open, [&](RunKey run) { return gone.contains(run); });
    return open;
  }
  Status load_runs(std::span<const RunKey> keys, const std::function<void(store::RunImage)>& run,
                   const std::function<void(RunKey, Error)>& damaged) override {
    return inner_.load_runs(
        keys,
        [&](store::RunImage image) {
          if (!runs.contains(image.run.key)) return run(std::move(image));
          damaged(image.run.key, Error{ErrorCode::corrupt, "damaged", ""});
        },
        damaged);
  }
  Result<std::vector<store::DefinitionKey>> load_definition_keys(ShardId shard) override {
    return inner_.load_definition_keys(shard);
  }
  Result<store::StoredDefinition> load_definition(ShardId shard, const Hash256& hash) override {
    return inner_.load_definition(shard, hash);
  }
  Status load_records(ShardId shard, const std::function<void(model::Record)>& record) override {
    return inner_.load_records(shard, record);
  }
  void begin_commit(model::Batch batch, std::function<void(store::CommitDone)> done) override {
    inner_.begin_commit(std::move(batch), std::move(done));
  }
  void begin_load(store::LoadRequest request, std::function<void(Result<store::Loaded>)> done) override {
    if (slow) {
      held.push_back(
          [this, request = std::move(request), done = std::move(done)] { begin_load(request, done); });
      return;
    }
    inner_.begin_load(std::move(request), [&](Result<store::Loaded> loaded) {
      for (auto& [key, image] : loaded->runs) {
        if (gone.contains(key)) image.reset();
      }
      std::erase_if(loaded->runs, [&](const auto& run) {
        if (!runs.contains(run.first)) return false;
        loaded->damaged.emplace_back(run.first, Error{ErrorCode::corrupt, "damaged", ""});
        return true;
      });
      done(std::move(loaded));
    });
  }
  Status probe() override { return inner_.probe(); }
  void idle() override { inner_.idle(); }

 private:
  store::Writer& inner_;
};

// One shard over a store in memory, on virtual time, turned by hand.
struct Shard {
  explicit Shard(std::shared_ptr<store::MemoryData> stored = store::make_memory_data())
      : data(std::move(stored)) {
    restart();
  }

  void restart() {
    loop.reset();
    writer = std::make_unique<MemoryWriter>(data);
    Surroundings world;
    world.monotonic = [this] { return now; };
    world.wall = [this] { return WallTime{1'700'000'000'000'000 + now.us}; };
    world.seed = [this] { return Seed{1, ++seeds}; };
    world.parse_definition = [](const std::string& text) -> Result<std::shared_ptr<const model::Workflow>> {
      return parse(text);
    };
    world.zones = std::make_shared<const calendar::ZoneTable>(calendar::ZoneTable::utc_only());
    world.wake = [this] { ++wakes; };
    world.act = [this](const model::Action& action) { actions.push_back(action); };
    world.fatal = [this](const Error& error) { fatal = error; };
    world.log = [](std::string_view) {};
    loop.reset();
    auto store = std::make_unique<Damaged>(*writer);
    if (damaged) {
      store->runs = damaged->runs;
      store->gone = damaged->gone;
    }
    damaged = std::move(store);
    loop = std::make_unique<ShardLoop>(*damaged, std::move(world), options);
    const Status started = loop->start(ShardId{0});
    ASSERT_TRUE(started) << started.error().message;
  }

  void settle() {
    for (int i = 0; i < 10'000 && loop->turn(); ++i) {
    }
  }

  std::shared_ptr<std::optional<ReplyBody>> send(model::CommandBody body) {
    auto reply = std::make_shared<std::optional<ReplyBody>>();
    loop->send(std::move(body), "test", [reply](ReplyBody answer) { *reply = std::move(answer); });
    return reply;
  }
  std::shared_ptr<std::optional<ReplyBody>> submit(const std::string& text, std::string key = "") {
    model::SubmitRun command{.workflow = parse(text)};
    command.idempotency_key = std::move(key);
    return send(std::move(command));
  }
  std::shared_ptr<std::optional<ReplyBody>> claim(std::uint32_t max = 1) {
    return send(model::ClaimTasks{"w", false, {"default"}, max, Duration::seconds(60)});
  }
  std::shared_ptr<std::optional<ReplyBody>> complete(const model::Assignment& task) {
    return send(model::ReportAttempt{task.token, task.task, Outcome{.result = "{\"ok\":true}"}});
  }
  RunStatus stored_status(const RunId& id) {
    store::MemoryReader reader(data);
    auto view = reader.get_run(id);
    EXPECT_TRUE(view && *view);
    return (**view).row.status;
  }

  std::shared_ptr<store::MemoryData> data;
  LoopOptions options;
  Duration now = Duration::seconds(1);
  std::uint64_t seeds = 0;
  int wakes = 0;
  std::optional<Error> fatal;
  std::vector<model::Action> actions;
  std::unique_ptr<MemoryWriter> writer;
  std::unique_ptr<Damaged> damaged;
  std::unique_ptr<ShardLoop> loop;
};

constexpr const char* kOneStep = "name: one\nsteps:\n  a:\n    exec: [\"true\"]\n";
constexpr const char* kTwoSteps =
    "name: two\nsteps:\n  a:\n    exec: [\"true\"]\n  b:\n    needs: [a]\n    exec: [\"true\"]\n";

template <typename T>
const T& as(const std::shared_ptr<std::optional<ReplyBody>>& reply) {
  EXPECT_TRUE(reply->has_value());
  const T* value = std::get_if<T>(&**reply);
  EXPECT_NE(value, nullptr);
  return *value;
}

TEST(ShardLoop, RunsAWorkflowToItsEnd) {
  Shard shard;
  const auto submitted = shard.submit(kTwoSteps);
  const auto first = shard.claim();
  shard.settle();
  const RunId id = as<Submitted>(submitted).run;
  ASSERT_EQ(as<Claimed>(first).tasks.size(), 1u);
  const auto second = shard.claim();
  shard.complete(as<Claimed>(first).tasks[0]);
  shard.settle();
  ASSERT_EQ(as<Claimed>(second).tasks.size(), 1u);
  EXPECT_EQ(as<Claimed>(second).tasks[0].step, "b");
  shard.complete(as<Claimed>(second).tasks[0]);
  shard.settle();
  EXPECT_EQ(shard.stored_status(id), RunStatus::completed);
  EXPECT_EQ(shard.loop->open_runs(), 0u);
  EXPECT_EQ(shard.loop->state().runs.size(), 0u) << "terminal runs leave memory";
}

TEST(ShardLoop, AColdRunThatIsDamagedKeepsNoOtherFromItsTurn) {
  Shard shard;
  shard.options.settings.runs_in_memory = 0;
  shard.restart();
  std::vector<RunId> runs;
  for (int i = 0; i < 3; ++i) {
    const auto submitted = shard.submit(kOneStep);
    shard.settle();
    runs.push_back(as<Submitted>(submitted).run);
  }
  ASSERT_EQ(shard.loop->state().cold.size(), 3U);
  shard.damaged->runs = {runs[0].key(), runs[1].key()};
  const auto cancelled = shard.send(model::CancelRun{.run = runs[1]});
  shard.settle();
  EXPECT_EQ(as<Error>(cancelled).code, ErrorCode::corrupt);
  const auto claimed = shard.claim();
  shard.settle();
  ASSERT_TRUE(claimed->has_value());
  ASSERT_EQ(as<Claimed>(claimed).tasks.size(), 1U);
  EXPECT_EQ(as<Claimed>(claimed).tasks[0].task.run, runs[2]);
  EXPECT_FALSE(shard.fatal);
  ASSERT_EQ(shard.loop->quarantined().size(), 2U);
  shard.complete(as<Claimed>(claimed).tasks[0]);
  shard.settle();
  EXPECT_EQ(shard.loop->open_runs(), 0U) << "nobody waits for what was set aside";
}

// The ledger outlives what it is about: it must neither be asked for again and again nor end the owner.
TEST(ShardLoop, ResourcesOfARunThatCannotBeLoadedAreLeaked) {
  for (const bool gone : {false, true}) {
    Shard shard;
    const auto submitted = shard.submit(kOneStep);
    shard.settle();
    const RunId run = as<Submitted>(submitted).run;
    const auto claimed = shard.claim();
    shard.settle();
    const model::Assignment task = as<Claimed>(claimed).tasks.at(0);
    shard.send(model::RegisterResource{task.token, task.task, "vm", {"rm", "vm"}, ""});
    shard.settle();
    (gone ? shard.damaged->gone : shard.damaged->runs).insert(run.key());
    shard.restart();
    shard.settle();
    EXPECT_FALSE(shard.fatal) << shard.fatal->message;
    EXPECT_FALSE(shard.loop->turn()) << "nothing is left to do";
    store::MemoryReader reader(shard.data);
    const auto record = reader.get_record({model::RecordKind::resource, model::resource_id(task.task, "vm")});
    ASSERT_TRUE(record && *record);
    const auto resource = model::resource_of(**record);
    ASSERT_TRUE(resource);
    EXPECT_EQ(resource->status, model::ResourceStatus::leaked);
    EXPECT_EQ(resource->error, gone ? "its run cannot be loaded: it is not in the store"
                                    : "its run cannot be loaded: damaged");
    EXPECT_EQ(shard.loop->open_runs(), 0U) << "nobody waits for it";
    const auto again = shard.send(model::CleanResource{task.task, "vm"});
    shard.settle();
    EXPECT_EQ(as<Error>(again).code, gone ? ErrorCode::conflict : ErrorCode::corrupt);
  }
}

// Once it was decided without what it had asked for: the same key made a second run.
TEST(ShardLoop, WhatWasRefusedWhileItWaitedForTheStoreIsNotDoneLater) {
  Shard shard;
  shard.submit(kOneStep, "k");
  shard.settle();
  shard.damaged->slow = true;
  const auto again = shard.submit(kOneStep, "k");
  shard.settle();
  ASSERT_EQ(shard.damaged->held.size(), 1U) << "the key is looked up";
  shard.writer->hold_commits();
  shard.claim();
  shard.settle();
  shard.writer->complete_next(store::CommitResult::not_committed);
  shard.settle();
  EXPECT_EQ(as<Error>(again).code, ErrorCode::read_only);
  shard.now = shard.now + Duration::minutes(1);
  shard.settle();
  shard.damaged->slow = false;
  for (const auto& load : shard.damaged->held) load();
  shard.settle();
  EXPECT_EQ(shard.loop->state().runs.size(), 1U);
  const auto last = shard.submit(kOneStep, "k");
  shard.settle();
  EXPECT_TRUE(as<Submitted>(last).existing);
}

TEST(ShardLoop, IsNotWokenByTimersWhileItMayNotDecide) {
  Shard shard;
  shard.options.settings.lease = Duration::seconds(1);
  shard.restart();
  const auto claimed = shard.claim();
  shard.submit(kOneStep);
  shard.settle();
  ASSERT_TRUE(claimed->has_value());
  ASSERT_TRUE(shard.loop->next_due()) << "the lease";
  shard.writer->hold_commits();
  for (int i = 0; i < 2; ++i) {
    shard.submit(kOneStep);
    shard.settle();
  }
  shard.now = shard.now + Duration::seconds(2);
  EXPECT_FALSE(shard.loop->next_due()) << "only the end of a commit helps";
  shard.writer->complete_next();
  shard.settle();
  EXPECT_EQ(shard.writer->held(), 2u) << "the end of the lease is stored next";
}

// A stopped process, a machine that was paused: who could not be heard has not been silent.
TEST(ShardLoop, WhoStoodStillItselfLosesNoWorker) {
  Shard shard;
  const auto claimed = shard.claim();
  const auto submitted = shard.submit(kOneStep);
  shard.settle();
  ASSERT_EQ(as<Claimed>(claimed).tasks.size(), 1U);
  const model::Assignment task = as<Claimed>(claimed).tasks[0];
  shard.now = shard.now + Duration::seconds(36);
  const auto beat = shard.send(model::Heartbeat{"w", {task.token}});
  shard.settle();
  EXPECT_TRUE(as<model::HeartbeatAnswer>(beat).stop.empty()) << "its task was given to nobody";
  shard.complete(task);
  shard.settle();
  EXPECT_EQ(shard.stored_status(as<Submitted>(submitted).run), RunStatus::completed);
}

TEST(ShardLoop, AWorkerThatIsNotHeardAfterThatIsLost) {
  Shard shard;
  const auto claimed = shard.claim();
  shard.submit(kOneStep);
  shard.settle();
  const model::Assignment task = as<Claimed>(claimed).tasks.at(0);
  shard.now = shard.now + Duration::seconds(36);
  shard.settle();
  shard.now = shard.now + Duration::seconds(30);
  shard.settle();
  const auto beat = shard.send(model::Heartbeat{"w", {task.token}});
  shard.settle();
  EXPECT_EQ(as<model::HeartbeatAnswer>(beat).stop.size(), 1U);
}

TEST(ShardLoop, DecidesTheNextBatchWhileOneCommitsAndReleasesNothingOfIt) {
  Shard shard;
  shard.writer->hold_commits();
  const auto first = shard.submit(kOneStep);
  shard.settle();
  EXPECT_EQ(shard.writer->held(), 1u);
  const auto second = shard.submit(kOneStep);
  shard.settle();
  EXPECT_EQ(shard.writer->held(), 2u) << "batch 2 is decided and handed over before batch 1 is durable";
  EXPECT_EQ(shard.loop->state().runs.size(), 2u);
  const auto third = shard.submit(kOneStep);
  shard.settle();
  EXPECT_EQ(shard.writer->held(), 2u) << "and no third one";
  EXPECT_FALSE(first->has_value());
  EXPECT_FALSE(second->has_value());

  shard.writer->complete_next();
  shard.settle();
  EXPECT_TRUE(first->has_value());
  EXPECT_FALSE(second->has_value()) << "released with its own commit only";
  shard.writer->complete_next();
  shard.writer->complete_next();
  shard.settle();
  EXPECT_TRUE(second->has_value());
  EXPECT_TRUE(third->has_value());
}

TEST(ShardLoop, AStepStartsOnlyAfterWhatItNeedsIsDurable) {
  Shard shard;
  shard.submit(kTwoSteps);
  const auto first = shard.claim();
  shard.settle();
  const auto second = shard.claim();
  shard.settle();
  shard.writer->hold_commits();
  shard.complete(as<Claimed>(first).tasks[0]);
  shard.settle();
  EXPECT_FALSE(second->has_value());
  shard.writer->complete_next();
  shard.settle();
  EXPECT_EQ(as<Claimed>(second).tasks.at(0).step, "b");
}

TEST(ShardLoop, ACommitThatStoredNothingIsUndone) {
  Shard shard;
  const auto before = shard.submit(kOneStep);
  shard.settle();
  const RunId kept = as<Submitted>(before).run;
  shard.writer->hold_commits();
  const auto lost = shard.submit(kOneStep);
  shard.settle();
  const auto lost_too = shard.submit(kOneStep);
  shard.settle();
  shard.writer->set_probe(fail(ErrorCode::read_only, "full"));
  shard.writer->complete_next(CommitResult::not_committed);
  shard.settle();
  EXPECT_EQ(as<Error>(lost).code, ErrorCode::read_only);
  EXPECT_EQ(as<Error>(lost_too).code, ErrorCode::read_only);
  EXPECT_EQ(as<Error>(shard.submit(kOneStep)).code, ErrorCode::read_only) << "refused at once";

  // Space returns: the next probe succeeds.
  shard.writer->set_probe({});
  ASSERT_TRUE(shard.loop->next_due());
  shard.now = *shard.loop->next_due();
  shard.settle();
  const auto after = shard.submit(kOneStep);
  shard.settle();
  while (shard.writer->held() > 0) shard.writer->complete_next();
  shard.settle();
  EXPECT_TRUE(std::holds_alternative<Submitted>(**after));
  EXPECT_EQ(shard.loop->state().runs.size(), 2u);
  EXPECT_NE(shard.loop->state().find(kept.key()), nullptr);
}

TEST(ShardLoop, WhatWasRefusedInTheMailboxIsNotDoneLater) {
  Shard shard;
  shard.options.commands_per_turn = 1;
  shard.restart();
  shard.writer->hold_commits();
  std::vector<std::shared_ptr<std::optional<ReplyBody>>> replies;
  for (int i = 0; i < 6; ++i) replies.push_back(shard.submit(kOneStep));
  shard.settle();
  shard.writer->set_probe(fail(ErrorCode::read_only, "full"));
  shard.writer->complete_next(CommitResult::not_committed);
  shard.settle();
  for (const auto& reply : replies) EXPECT_EQ(as<Error>(reply).code, ErrorCode::read_only);
  shard.writer->set_probe({});
  shard.now = *shard.loop->next_due();
  shard.settle();
  while (shard.writer->held() > 0) shard.writer->complete_next();
  shard.settle();
  EXPECT_TRUE(shard.loop->state().runs.empty());
}

TEST(ShardLoop, AnUnknownCommitEndsTheOwner) {
  Shard shard;
  shard.writer->hold_commits();
  const auto reply = shard.submit(kOneStep);
  shard.settle();
  shard.writer->complete_next(CommitResult::unknown, MemoryWriter::Truth::stored);
  shard.settle();
  ASSERT_TRUE(shard.fatal);
  EXPECT_EQ(as<Error>(reply).code, ErrorCode::unavailable) << "neither yes nor no";
  const auto late = shard.submit(kOneStep);
  EXPECT_EQ(as<Error>(late).code, ErrorCode::unavailable);
  shard.restart();
  EXPECT_EQ(shard.loop->open_runs(), 1u) << "the next owner finds what was stored";
}

TEST(ShardLoop, ARestartGoesOnFromWhatIsDurable) {
  Shard shard;
  const auto submitted = shard.submit(kTwoSteps);
  const auto first = shard.claim();
  shard.settle();
  shard.complete(as<Claimed>(first).tasks.at(0));
  shard.settle();
  shard.restart();
  shard.settle();
  const auto second = shard.claim();
  shard.settle();
  ASSERT_EQ(as<Claimed>(second).tasks.size(), 1u);
  EXPECT_EQ(as<Claimed>(second).tasks[0].step, "b") << "a is not run again";
  EXPECT_GT(as<Claimed>(second).tasks[0].token.incarnation, as<Claimed>(first).tasks[0].token.incarnation);
  shard.complete(as<Claimed>(second).tasks[0]);
  shard.settle();
  EXPECT_EQ(shard.stored_status(as<Submitted>(submitted).run), RunStatus::completed);
}

TEST(ShardLoop, ARestartWhoseFirstCommitFailsInterruptsAllTheSame) {
  Shard shard;
  const model::ClaimTasks claim{"w", true, {"default"}, 1, Duration::seconds(60)};
  shard.submit(kOneStep);
  const auto first = shard.send(claim);
  shard.settle();
  shard.restart();
  shard.writer->hold_commits();
  shard.settle();
  shard.writer->set_probe(fail(ErrorCode::read_only, "full"));
  shard.writer->complete_next(CommitResult::not_committed);
  shard.settle();
  shard.writer->set_probe({});
  ASSERT_TRUE(shard.loop->next_due());
  shard.now = *shard.loop->next_due();
  shard.settle();
  const auto second = shard.send(claim);
  shard.settle();
  while (shard.writer->held() > 0) {
    shard.writer->complete_next();
    shard.settle();
  }
  ASSERT_EQ(as<Claimed>(second).tasks.size(), 1u);
  EXPECT_GT(as<Claimed>(second).tasks[0].token.incarnation, as<Claimed>(first).tasks.at(0).token.incarnation);
}

TEST(ShardLoop, ColdRunsAreLoadedForACommand) {
  Shard shard;
  const auto submitted = shard.submit(kOneStep);
  const auto claimed = shard.claim();
  shard.settle();
  const model::Assignment task = as<Claimed>(claimed).tasks.at(0);
  shard.complete(task);
  shard.settle();
  ASSERT_EQ(shard.loop->state().runs.size(), 0u);
  const auto cancel = shard.send(model::CancelRun{as<Submitted>(submitted).run, false, ""});
  const auto again = shard.complete(task);
  const auto stale =
      shard.send(model::ReportAttempt{{task.token.incarnation, task.token.sequence + 1}, task.task, {}});
  shard.settle();
  EXPECT_EQ(as<Error>(cancel).code, ErrorCode::conflict);
  EXPECT_TRUE(std::holds_alternative<model::ReportAccepted>(**again))
      << "a repeated report gets its first answer";
  EXPECT_EQ(as<Error>(stale).code, ErrorCode::stale_token);
  shard.submit(kOneStep);
  shard.settle();
  EXPECT_EQ(shard.loop->state().runs.size(), 1u) << "the cold run has left memory again";
}

TEST(ShardLoop, TimePassesWhileThereIsNoOwner) {
  Shard shard;
  shard.submit("name: one\nsteps:\n  a:\n    exec: [\"true\"]\n    retry: {max_attempts: 2, initial: 1h}\n");
  const auto first = shard.claim();
  shard.settle();
  Outcome failed{.kind = Outcome::Kind::failed};
  failed.failure.type = "connection";
  const model::Assignment& task = as<Claimed>(first).tasks.at(0);
  shard.send(model::ReportAttempt{task.token, task.task, failed});
  shard.settle();
  shard.now = shard.now + Duration::minutes(59);
  shard.restart();
  const auto early = shard.claim();
  shard.settle();
  EXPECT_FALSE(early->has_value());
  shard.now = shard.now + Duration::minutes(1);
  const auto due = shard.claim();
  shard.settle();
  EXPECT_EQ(as<Claimed>(due).tasks.size(), 1u) << "an hour after the failure, whoever was the owner";
}

TEST(ShardLoop, IdempotencyKeysOutliveARestart) {
  Shard shard;
  const auto first = shard.submit(kOneStep, "k");
  shard.settle();
  shard.restart();
  const auto second = shard.submit(kOneStep, "k");
  shard.settle();
  EXPECT_EQ(as<Submitted>(second).run, as<Submitted>(first).run);
  EXPECT_TRUE(as<Submitted>(second).existing);
}

TEST(ShardLoop, ManyCommandsShareACommit) {
  Shard shard;
  shard.writer->hold_commits();
  for (int i = 0; i < 900; ++i) shard.submit(kOneStep);
  shard.settle();
  EXPECT_EQ(shard.writer->held(), 1u);
}

TEST(ShardLoop, AFullMailboxRefuses) {
  Shard shard;
  shard.options.mailbox_limit = 2;
  shard.restart();
  shard.submit(kOneStep);
  shard.submit(kOneStep);
  EXPECT_EQ(as<Error>(shard.submit(kOneStep)).code, ErrorCode::overloaded);
}

TEST(ShardLoop, TimersFireThroughNextDue) {
  Shard shard;
  const auto nothing = shard.claim();
  shard.settle();
  EXPECT_FALSE(nothing->has_value());
  ASSERT_TRUE(shard.loop->next_due());
  while (shard.loop->next_due() && !nothing->has_value()) {
    shard.now = *shard.loop->next_due();
    shard.settle();
  }
  EXPECT_TRUE(as<Claimed>(nothing).tasks.empty()) << "the wait of the claim was over";
}

}  // namespace
}  // namespace baton::runtime
