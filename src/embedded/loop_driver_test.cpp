#include "embedded/loop_driver.hpp"

#include <gtest/gtest.h>

#include "spec/parse.hpp"
#include "store/memory/memory_store.hpp"

namespace baton::embedded {
namespace {

// The store in memory, with its uses while nothing is to be done counted.
class CountingWriter final : public store::Writer {
 public:
  Result<store::ShardMeta> open_shard(ShardId shard) override { return memory.open_shard(shard); }
  Result<std::vector<RunKey>> list_open_runs(ShardId shard) override { return memory.list_open_runs(shard); }
  Status load_runs(std::span<const RunKey> keys, const std::function<void(store::RunImage)>& run,
                   const std::function<void(RunKey, Error)>& damaged) override {
    return memory.load_runs(keys, run, damaged);
  }
  Result<std::vector<store::DefinitionKey>> load_definition_keys(ShardId shard) override {
    return memory.load_definition_keys(shard);
  }
  Result<store::StoredDefinition> load_definition(ShardId shard, const Hash256& hash) override {
    return memory.load_definition(shard, hash);
  }
  Status load_records(ShardId shard, const std::function<void(model::Record)>& record) override {
    return memory.load_records(shard, record);
  }
  void begin_commit(model::Batch batch, std::function<void(store::CommitDone)> done) override {
    memory.begin_commit(std::move(batch), std::move(done));
  }
  void begin_load(store::LoadRequest request, std::function<void(Result<store::Loaded>)> done) override {
    memory.begin_load(std::move(request), std::move(done));
  }
  Status probe() override { return memory.probe(); }
  void idle() override { ++idles; }

  store::MemoryWriter memory{store::make_memory_data()};
  std::atomic<int> idles = 0;
};

// The owner's store ends before its loop: whatever the loop is told after close() must not reach it.
TEST(LoopDriver, DoesNotUseTheStoreOnceItIsClosed) {
  net::Loop loop;
  CountingWriter writer;
  runtime::Surroundings world;
  auto zones = calendar::ZoneTable::load();
  ASSERT_TRUE(zones);
  world.zones = std::make_shared<const calendar::ZoneTable>(std::move(*zones));
  world.act = [](const model::Action&) {};
  world.fatal = [](const Error& error) { ADD_FAILURE() << error.message; };
  world.log = [](std::string_view) {};
  LoopDriver driver(loop, writer, std::move(world), {});
  ASSERT_TRUE(driver.start(ShardId{0}));
  loop.start();
  driver.begin();
  loop.invoke([&] { writer.memory.hold_commits(); });

  model::SubmitRun submit;
  submit.workflow =
      spec::parse_workflow("{name: a, steps: {b: {run: \"true\"}}}", {.file_name = "a"}).workflow;
  submit.input = "{}";
  submit.context = "{}";
  driver.shard().send(std::move(submit), "test", [](model::ReplyBody) {});
  loop.invoke([] {});  // behind the turn
  ASSERT_EQ(writer.memory.held(), 1U);

  loop.invoke([&] { driver.close(); });
  const int before = writer.idles;
  loop.invoke([&] { writer.memory.complete_next(); });
  loop.invoke([] {});
  EXPECT_EQ(writer.idles, before);
  EXPECT_EQ(driver.open_runs(), 1U) << "what was under way is taken note of";
  loop.stop();
  loop.join();
}

}  // namespace
}  // namespace baton::embedded
