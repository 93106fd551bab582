#include "engine/audit.hpp"

#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"
#include "model/audit.hpp"

namespace baton::engine {
namespace {

using testing::FlowBuilder;
using testing::World;

const model::Sender kAda{"key:ada", "192.0.2.7"};

// What the store has, as whoever verifies it reads it.
std::vector<model::AuditEntry> chain(const World& world) {
  std::vector<model::AuditEntry> entries;
  model::AuditHead head;
  for (const auto& [key, record] : world.disk().records()) {
    if (key.kind == model::RecordKind::audit_head) head = *model::audit_head_of(record);
    if (key.kind != model::RecordKind::audit) continue;
    const auto entry = model::audit_entry_of(record);
    EXPECT_TRUE(entry) << entry.error().message;
    EXPECT_EQ(entry->number, entries.size() + 1);
    EXPECT_EQ(entry->previous, entries.empty() ? Hash256{} : entries.back().hash());
    entries.push_back(*entry);
  }
  EXPECT_EQ(head.count, entries.size());
  EXPECT_EQ(head.hash, entries.empty() ? Hash256{} : entries.back().hash());
  return entries;
}

TEST(Audit, SaysWhoChangedWhatFromWhere) {
  World world;
  world.ask(model::SetLimit{"gpu", 4, "new machine"}, kAda);
  const auto entries = chain(world);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].actor, "key:ada");
  EXPECT_EQ(entries[0].from, "192.0.2.7");
  EXPECT_EQ(entries[0].action, "set_limit");
  EXPECT_EQ(entries[0].target, "gpu");
  EXPECT_EQ(entries[0].detail, "4: new machine");
  EXPECT_EQ(entries[0].at, world.wall());
}

TEST(Audit, WhatWasRefusedAndWhatOnlyAsksIsNotInIt) {
  World world;
  world.ask(model::SetLimit{"nothing", std::nullopt, ""}, kAda);  // not found
  world.ask(model::AskSurvey{}, kAda);
  world.ask(model::SetLimit{"gpu", 4, ""}, "engine");  // from within
  world.submit(FlowBuilder("w").run("a").done());
  EXPECT_TRUE(chain(world).empty());
}

TEST(Audit, ControlOfRuns) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  world.ask(model::PauseCommand{.target = {.run = run}, .why = "look"}, kAda);
  world.ask(model::ResumeCommand{.target = {.run = run}}, kAda);
  world.ask(model::CancelRun{.run = run, .terminate = true, .reason = "enough"}, kAda);
  const auto entries = chain(world);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_NE(entries[0].target.find(run.text()), std::string::npos);
  EXPECT_EQ(entries[0].detail, "look");
  EXPECT_EQ(entries[2].action, "cancel");
  EXPECT_EQ(entries[2].target, run.text());
  EXPECT_EQ(entries[2].detail, "terminate: enough");
}

TEST(Audit, ADrainIsCalledSo) {
  World world;
  world.ask(model::PauseCommand{.target = {model::BlockerKind::worker_draining, {}, "w1"}, .why = "old"},
            kAda);
  const auto entries = chain(world);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].action, "drain worker");
  EXPECT_EQ(entries[0].target, "w1");
  EXPECT_EQ(entries[0].detail, "old");
}

TEST(Audit, OneChainOverCommitsRestartsAndManyOfACommit) {
  World world({.commits_in_flight = 1});
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 7; ++i) world.send(model::SetLimit{"l" + std::to_string(i), 1, ""}, kAda);
    world.settle();
    world.restart();
  }
  world.settle();
  const auto entries = chain(world);
  EXPECT_GE(entries.size(), 35U);
}

TEST(Audit, AMissingHeadHidesNothingThatWasWritten) {
  World world;
  world.ask(model::SetLimit{"a", 1, ""}, kAda);
  world.ask(model::SetLimit{"b", 1, ""}, kAda);
  State state;
  state.sequence = 1000;
  Effects effects(state);
  const model::Command command{
      .body = model::NoteChange{"backup", "/b", ""}, .actor = kAda.name, .from = kAda.from};
  effects.begin("note_change", command.actor);
  audit(state, command, {}, effects);
  ASSERT_EQ(state.records.size(), 2U);
  for (const auto& [key, known] : state.records)
    EXPECT_FALSE(world.disk().records().contains(key) && key.kind == model::RecordKind::audit);
}

}  // namespace
}  // namespace baton::engine
