#include <gtest/gtest.h>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"
#include "model/dead_letter.hpp"
#include "model/removal.hpp"
#include "model/retention.hpp"

namespace baton::engine {
namespace {

using testing::error_of;
using testing::FlowBuilder;
using testing::World;
using testing::WorldOptions;

std::shared_ptr<const model::Workflow> one_step(model::Retention retention = {}) {
  auto workflow = std::make_shared<model::Workflow>(*FlowBuilder("w").run("a").done());
  workflow->retention = retention;
  return workflow;
}

model::RunsRemoved remove(World& world, std::vector<RunId> runs, WallTime ended_before = {}) {
  const auto reply = world.ask(model::RemoveRuns{std::move(runs), ended_before, "old"}, "cli:ada");
  const auto* removed = std::get_if<model::RunsRemoved>(&reply);
  EXPECT_NE(removed, nullptr);
  return removed != nullptr ? *removed : model::RunsRemoved{};
}

// Why one run is kept; its code is `internal` if it was removed.
Error why_kept(World& world, const RunId& run, WallTime ended_before = {}) {
  const model::RunsRemoved answer = remove(world, {run}, ended_before);
  return answer.kept.empty() ? Error{ErrorCode::internal, "removed", ""} : answer.kept.front().second;
}

std::vector<model::Removal> notes(const World& world) {
  std::vector<model::Removal> out;
  for (const auto& [key, record] : world.disk().records()) {
    if (key.kind == model::RecordKind::removal) out.push_back(model::removal_of(record).value());
  }
  return out;
}

TEST(RemoveRuns, AnEndedRunIsGoneForEveryCommand) {
  World world;
  const RunId run = world.submit(one_step());
  const RunId other = world.submit(one_step());
  world.work_off();
  EXPECT_EQ(remove(world, {run}).removed, 1u);
  EXPECT_EQ(world.disk().run(run.key()), nullptr);
  EXPECT_NE(world.disk().run(other.key()), nullptr);
  EXPECT_EQ(error_of(world.ask(model::CancelRun{run})).code, ErrorCode::not_found);
  EXPECT_EQ(error_of(world.ask(model::RecoverRun{.run = run})).code, ErrorCode::not_found);
  EXPECT_EQ(why_kept(world, run).code, ErrorCode::not_found);
  world.restart();
  EXPECT_EQ(error_of(world.ask(model::Explain{run})).code, ErrorCode::not_found);
}

TEST(RemoveRuns, WhatGoesOnStays) {
  for (const std::size_t in_memory : {std::size_t{0}, std::size_t{20'000}}) {
    WorldOptions options;
    options.settings.runs_in_memory = in_memory;
    World world(options);
    const RunId waiting = world.submit(one_step());
    world.submit(one_step());
    const Error why = why_kept(world, waiting);
    EXPECT_EQ(why.code, ErrorCode::conflict);
    EXPECT_NE(why.message.find("cancel it first"), std::string::npos);
    world.work_off();
    EXPECT_EQ(remove(world, {waiting}).removed, 1u);
  }
}

TEST(RemoveRuns, BothSidesOfTheTimeOfTheirEnd) {
  World world;
  const RunId run = world.submit(one_step());
  world.work_off();
  const WallTime ended = world.run(run).ended_at;
  EXPECT_EQ(why_kept(world, run, ended).code, ErrorCode::conflict);
  EXPECT_EQ(remove(world, {run}, ended + Duration{1}).removed, 1u);
}

TEST(RemoveRuns, BothSidesOfTheTimeOfAKey) {
  World world;
  const auto reply =
      world.ask(model::SubmitRun{.workflow = one_step(), .idempotency_key = "k", .body = Hash256::of("{}")});
  const RunId run = std::get<model::Submitted>(reply).run;
  const Duration kept = world.state().settings.idempotency_kept;
  world.work_off();
  world.jump_wall(kept - Duration{1});
  const Error why = why_kept(world, run);
  EXPECT_EQ(why.code, ErrorCode::conflict);
  EXPECT_NE(why.message.find("may still be repeated"), std::string::npos);
  world.jump_wall(Duration{1});
  EXPECT_EQ(remove(world, {run}).removed, 1u);
  // The key is free.
  const auto again =
      world.ask(model::SubmitRun{.workflow = one_step(), .idempotency_key = "k", .body = Hash256::of("2")});
  EXPECT_FALSE(std::get<model::Submitted>(again).existing);
}

TEST(RemoveRuns, ADeadLetterKeepsItsRun) {
  World world;
  const RunId run = world.submit(one_step());
  world.fail(world.claim_one());
  const Error why = why_kept(world, run);
  EXPECT_EQ(why.code, ErrorCode::conflict);
  EXPECT_NE(why.message.find("dead letter"), std::string::npos);
  world.ask(model::DiscardDeadLetters{{model::dead_letter_id({run, 0}, 1)}});
  EXPECT_EQ(remove(world, {run}).removed, 1u);
}

TEST(RemoveRuns, ALeakedResourceKeepsItsRun) {
  World world;
  const RunId run = world.submit(FlowBuilder("w").run("a").done());
  const model::Assignment task = world.claim_one();
  world.ask(model::RegisterResource{
      .token = task.token, .task = task.task, .name = "vm", .argv = {"true"}, .workdir = "/"});
  world.complete(task);
  EXPECT_EQ(why_kept(world, run).code, ErrorCode::conflict);  // it is being given back
  world.fail(world.claim_one());
  world.advance(Duration::hours(1));
  while (true) {
    const auto more = world.claim();
    if (more.empty()) break;
    world.fail(more.front());
    world.advance(Duration::hours(1));
  }
  ASSERT_TRUE(model::is_terminal(world.run(run).status));
  const Error why = why_kept(world, run);
  EXPECT_NE(why.message.find("resources"), std::string::npos) << why.message;
}

TEST(RemoveRuns, AChildStaysAsLongAsItsParentGoesOn) {
  World world;
  world.ask(model::ApplyWorkflow{.workflow = FlowBuilder("child").run("c").done()});
  const RunId parent = world.submit(FlowBuilder("parent").child("call", "child").run("b").done());
  RunId child;
  for (const auto& task : world.claim(5)) {
    if (task.task.run == parent) continue;
    child = task.task.run;
    world.complete(task);
  }
  ASSERT_NE(child, RunId{});
  ASSERT_TRUE(model::is_terminal(world.run(child).status));
  ASSERT_FALSE(model::is_terminal(world.run(parent).status));
  const Error why = why_kept(world, child);
  EXPECT_NE(why.message.find(parent.text()), std::string::npos) << why.message;
  world.cancel(parent, true);
  world.settle();
}

// What a load has read before a removal must not bring the run back.
TEST(RemoveRuns, ASlowCommitHidesTheRunAtOnce) {
  WorldOptions options;
  options.commits_in_flight = 1;
  World world(options);
  const RunId run = world.submit(one_step());
  world.work_off();
  world.submit(one_step());
  world.settle();
  const auto removed = world.send(model::RemoveRuns{{run}, {}, ""});
  const auto recovered = world.send(model::RecoverRun{.run = run});
  world.settle();
  const auto first = world.take(removed);
  ASSERT_TRUE(first);
  if (std::get<model::RunsRemoved>(*first).removed == 1) {
    EXPECT_EQ(error_of(*world.take(recovered)).code, ErrorCode::not_found);
  }
}

TEST(RemoveRuns, ANoteSaysWhoAndWhyAndNamesTheRunsUntilTheirFilesAreGone) {
  World world;
  std::vector<RunId> runs;
  for (int i = 0; i < 3; ++i) runs.push_back(world.submit(one_step()));
  world.work_off();
  EXPECT_EQ(remove(world, {runs[0], runs[1]}).removed, 2u);
  ASSERT_EQ(notes(world).size(), 1u);
  const model::Removal first = notes(world).front();
  EXPECT_EQ(first.by, "cli:ada");
  EXPECT_EQ(first.why, "old");
  EXPECT_EQ(first.runs, (std::vector{runs[0], runs[1]}));
  world.restart();
  world.ask(model::FilesDeleted{{first.key, "unknown"}});
  ASSERT_EQ(notes(world).size(), 1u);
  EXPECT_TRUE(notes(world).front().runs.empty());
  EXPECT_EQ(notes(world).front().count, 2u);

  // What goes on with the same removal is told in one note.
  world.advance(Duration::seconds(1));
  EXPECT_EQ(remove(world, {runs[2]}).removed, 1u);
  ASSERT_EQ(notes(world).size(), 2u);
  world.ask(model::FilesDeleted{{notes(world).back().key}});
  ASSERT_EQ(notes(world).size(), 1u);
  EXPECT_EQ(notes(world).front().count, 3u);
}

TEST(RemoveRuns, NoMoreThanAThousandAtOnce) {
  World world;
  EXPECT_EQ(error_of(world.ask(model::RemoveRuns{std::vector<RunId>(1001), {}, ""})).code,
            ErrorCode::too_large);
}

std::optional<model::Retention> retention(const World& world) {
  const auto found = world.disk().records().find(model::retention_key("w"));
  if (found == world.disk().records().end()) return std::nullopt;
  return model::retention_of(found->second).value();
}

TEST(Retention, IsThatOfTheVersionThatCounts) {
  World world;
  const auto version = [](Duration keep, std::string_view script) {
    auto workflow = std::make_shared<model::Workflow>(*FlowBuilder("w").run("a", std::string(script)).done());
    workflow->retention = {keep, std::nullopt};
    return workflow;
  };
  const auto hour = version(Duration::hours(1), "echo 1");
  const auto day = version(Duration::hours(24), "echo 2");
  world.submit(hour);
  EXPECT_EQ(retention(world), (model::Retention{Duration::hours(1), std::nullopt}));
  world.ask(model::ApplyWorkflow{.workflow = day});
  EXPECT_EQ(retention(world)->completed, Duration::hours(24));
  // An experiment beside what is applied changes nothing.
  world.submit(version(Duration::hours(2), "echo 3"));
  EXPECT_EQ(retention(world)->completed, Duration::hours(24));
  world.ask(model::ApplyWorkflow{.workflow = hour});
  EXPECT_EQ(retention(world)->completed, Duration::hours(1));
  world.ask(model::ApplyWorkflow{.workflow = FlowBuilder("w").run("a", "echo 4").done()});
  EXPECT_FALSE(retention(world));
}

}  // namespace
}  // namespace baton::engine
