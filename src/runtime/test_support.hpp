// One shard over a store in memory, on virtual time, turned by hand, with observers.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/observer.hpp"
#include "runtime/shard_loop.hpp"
#include "spec/parse.hpp"
#include "store/memory/memory_store.hpp"

namespace baton::runtime::test {

inline std::shared_ptr<const model::Workflow> parse(const std::string& text) {
  auto parsed = spec::parse_workflow(text, {.file_name = "test.yaml"});
  EXPECT_NE(parsed.workflow, nullptr) << text;
  return parsed.workflow;
}

class ObservedShard : public testing::Test {
 protected:
  // With these observers, of the same data.
  void start(std::vector<Observer*> observers) {
    loop_.reset();
    writer_ = std::make_unique<store::MemoryWriter>(data_);
    Surroundings world;
    world.monotonic = [this] { return now_; };
    world.wall = [this] { return wall(); };
    world.seed = [this] { return Seed{1, ++seeds_}; };
    world.parse_definition = [](const std::string& text) -> Result<std::shared_ptr<const model::Workflow>> {
      return parse(text);
    };
    world.zones = std::make_shared<const calendar::ZoneTable>(calendar::ZoneTable::utc_only());
    world.wake = [] {};
    world.act = [](const model::Action&) {};
    world.fatal = [](const Error& error) { ADD_FAILURE() << error.message; };
    world.log = [](std::string_view) {};
    world.observers = std::move(observers);
    loop_ = std::make_unique<ShardLoop>(*writer_, std::move(world));
    ASSERT_TRUE(loop_->start(ShardId{0}));
    settle();
  }

  WallTime wall() const { return WallTime{1'700'000'000'000'000 + now_.us}; }
  void settle() {
    for (int i = 0; i < 1000 && loop_->turn(); ++i) {
    }
  }
  std::optional<model::ReplyBody> send(model::CommandBody body) {
    auto reply = std::make_shared<std::optional<model::ReplyBody>>();
    loop_->send(std::move(body), "test", [reply](model::ReplyBody answer) { *reply = std::move(answer); });
    settle();
    return *reply;
  }
  RunId submit(const std::string& text) {
    return std::get<model::Submitted>(*send(model::SubmitRun{.workflow = parse(text)})).run;
  }
  model::Assignment claim() {
    const model::ClaimTasks claim{"w", true, {}, 1, Duration::seconds(60)};
    return std::get<model::Claimed>(*send(claim)).tasks.at(0);
  }
  // One attempt that takes `took`.
  void attempt(Duration took, std::optional<model::Failure> failure = std::nullopt) {
    const model::Assignment task = claim();
    now_ = now_ + took;
    model::Outcome outcome{.result = "{}"};
    if (failure) outcome = {.kind = model::Outcome::Kind::failed, .failure = std::move(*failure)};
    send(model::ReportAttempt{task.token, task.task, outcome});
  }
  void pass(Duration time) {
    now_ = now_ + time;
    settle();
  }

  std::shared_ptr<store::MemoryData> data_ = store::make_memory_data();
  std::unique_ptr<store::MemoryWriter> writer_;
  std::unique_ptr<ShardLoop> loop_;
  Duration now_ = Duration::seconds(1000);

 private:
  std::uint64_t seeds_ = 0;
};

}  // namespace baton::runtime::test
