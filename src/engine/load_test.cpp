#include "engine/load.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>

#include "engine/residency.hpp"
#include "engine/testing/flow_builder.hpp"

namespace baton::engine {
namespace {

using model::TaskStatus;
using testing::FlowBuilder;

// A run of a mapped step with three items and of a plain step, half done.
class Load : public ::testing::Test {
 protected:
  Load() {
    const RunKey key = RunKey::make(ShardId{0}, 1);
    run_.key = key;
    run_.id = RunId::make(key, {}, {});
    run_.status = model::RunStatus::running;
    run_.next_ordinal = 5;
    tasks_.resize(3);
    tasks_[0].key = {key, 0};
    tasks_[0].expanded = true;
    tasks_[0].first_item = 2;
    tasks_[0].item_count = 3;
    tasks_[1].key = {key, 2};
    tasks_[1].index = 0;
    tasks_[1].status = TaskStatus::completed;
    tasks_[2].key = {key, 3};
    tasks_[2].index = 1;
    tasks_[2].status = TaskStatus::queued;
  }

  Status load() {
    const auto workflow =
        FlowBuilder("w").run("m").for_each(boost::json::array{1, 2, 3}).run("b").needs({"m"}).done();
    return admit(state_, run_, tasks_, program_for(state_, workflow));
  }

  void expect_damage() {
    const Status status = load();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::corrupt);
    EXPECT_NE(status.error().message.find(run_.id.text()), std::string::npos);
    EXPECT_TRUE(state_.runs.empty()) << "the state is unchanged";
  }

  State state_;
  model::RunRow run_;
  std::vector<model::TaskRow> tasks_;
};

TEST_F(Load, DerivesWhatRowsMean) {
  ASSERT_TRUE(load());
  const engine::Run& run = *state_.find(run_.key);
  EXPECT_EQ(run.open_main, 2u);
  EXPECT_EQ(run.active, 1u);
  ASSERT_EQ(run.tasks.size(), 5u);
  EXPECT_EQ(run.tasks[0].items_open, 2u);
  EXPECT_EQ(run.tasks[0].next_item, 2u);
  EXPECT_EQ(run.tasks[1].upstream.waiting, 1u);
  EXPECT_EQ(run.tasks[4].row.index, 2);
  EXPECT_EQ(run.tasks[4].row.step, 0u);
  EXPECT_FALSE(run.tasks[4].stored);
  EXPECT_TRUE(state_.ended.empty());
}

TEST_F(Load, ATerminalRunIsThereForOneAnswer) {
  run_.status = model::RunStatus::completed;
  ASSERT_TRUE(load());
  EXPECT_EQ(state_.runs.size(), 1u);
  evict(state_, 0);
  EXPECT_TRUE(state_.runs.empty());
}

TEST_F(Load, FewerTasksThanSteps) {
  run_.next_ordinal = 1;
  expect_damage();
}
TEST_F(Load, ANumberOfTasksThatNothingExplains) {
  for (const Ordinal n : {4u, 6u, UINT32_MAX}) {
    run_.next_ordinal = n;
    expect_damage();
  }
}
TEST_F(Load, AnAbsurdNumberOfItemsTakesNoMemory) {
  tasks_[0].item_count = UINT32_MAX - 2;
  run_.next_ordinal = UINT32_MAX;
  expect_damage();
}
TEST_F(Load, ItemsInThePlaceOfSteps) {
  tasks_[0].first_item = 1;
  expect_damage();
}
TEST_F(Load, ItemsBeyondTheEnd) {
  tasks_[0].first_item = 3;
  expect_damage();
}
TEST_F(Load, ItemsOfTwoSteps) {
  tasks_.push_back(tasks_[0]);
  tasks_.back().key.ordinal = 1;
  tasks_.back().step = 1;
  run_.next_ordinal = 8;
  expect_damage();
}
TEST_F(Load, AnItemWithItems) {
  tasks_[2].expanded = true;
  expect_damage();
}
TEST_F(Load, ATaskOfAnotherStep) {
  tasks_[1].step = 1;
  expect_damage();
}
TEST_F(Load, ATaskOfAnotherItem) {
  tasks_[1].index = 2;
  expect_damage();
}
TEST_F(Load, ATaskThatTheRunDoesNotHave) {
  tasks_[2].key.ordinal = 77;
  expect_damage();
}
TEST_F(Load, ATaskOfAnotherRun) {
  tasks_[2].key.run.value += 1;
  expect_damage();
}

TEST(Programs, AreSharedAndIdleOnesAreDropped) {
  State state;
  const auto workflow = FlowBuilder("w").run("a").done();
  const auto kept = program_for(state, workflow);
  EXPECT_EQ(program_for(state, workflow), kept);
  for (int i = 0; i < 200; ++i) program_for(state, FlowBuilder("w" + std::to_string(i)).run("a").done());
  EXPECT_LE(state.programs.size(), 64u);
  EXPECT_EQ(program_for(state, workflow), kept);
}

}  // namespace
}  // namespace baton::engine
