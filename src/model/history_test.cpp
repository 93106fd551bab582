#include "model/history.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace baton::model {
namespace {

Fact of_task(FactKind kind, Ordinal task, std::uint32_t attempt = 0, std::string text = {},
             std::string other = {}) {
  return {.kind = kind,
          .at = {static_cast<std::int64_t>(kind) * 10},
          .task = task,
          .step = task,
          .attempt = attempt,
          .text = std::move(text),
          .other = std::move(other)};
}

TEST(History, ARunFromSubmissionToItsEnd) {
  const std::vector<Fact> facts = {
      {.kind = FactKind::run_submitted, .at = {1}, .number = 3, .text = "etl"},
      of_task(FactKind::task_queued, 0),
      {.kind = FactKind::run_started, .at = {2}},
      of_task(FactKind::attempt_started, 0, 1, "w1"),
      of_task(FactKind::attempt_ended, 0, 1, "lost", "lost"),
      of_task(FactKind::task_queued, 0),
      of_task(FactKind::attempt_started, 0, 2, "w2"),
      of_task(FactKind::attempt_ended, 0, 2, "failed", "exit"),
      of_task(FactKind::task_retrying, 0, 2),
      of_task(FactKind::task_queued, 0),
      of_task(FactKind::attempt_started, 0, 3, "w3"),
      of_task(FactKind::attempt_ended, 0, 3, "completed"),
      {.kind = FactKind::task_ended,
       .at = {99},
       .attempt = 3,
       .status = static_cast<std::uint8_t>(TaskStatus::completed)},
      {.kind = FactKind::run_ended, .at = {100}, .status = static_cast<std::uint8_t>(RunStatus::completed)}};
  const RunHistory run = fold(facts);
  EXPECT_EQ(run.status, RunStatus::completed);
  EXPECT_EQ(run.workflow, "etl");
  EXPECT_EQ(run.version, 3u);
  EXPECT_EQ(run.started_at.us, 2);
  EXPECT_EQ(run.ended_at.us, 100);
  const TaskHistory& task = run.tasks.at(0);
  EXPECT_EQ(task.status, TaskStatus::completed);
  EXPECT_EQ(task.starts, 3u);
  EXPECT_EQ(task.attempts, 2u) << "a lost attempt does not count";
  EXPECT_EQ(task.worker, "w3");
  EXPECT_EQ(task.error_type, "");
  EXPECT_EQ(task.ended_at.us, 99);

  EXPECT_EQ(fold(std::span(facts).first(9)).tasks.at(0).status, TaskStatus::retrying);
  EXPECT_EQ(fold(std::span(facts).first(9)).tasks.at(0).error_type, "exit");
  EXPECT_TRUE(fold(std::span(facts).first(7)).tasks.at(0).attempt_running);
  EXPECT_EQ(fold(std::span(facts).first(1)).status, RunStatus::pending);
}

TEST(History, CancelAndTerminate) {
  std::vector<Fact> facts = {{.kind = FactKind::run_submitted},
                             {.kind = FactKind::run_cancel_requested, .number = 0}};
  EXPECT_EQ(fold(facts).status, RunStatus::cancelling);
  EXPECT_FALSE(fold(facts).terminate);
  facts.push_back({.kind = FactKind::run_cancel_requested, .number = 1});
  EXPECT_TRUE(fold(facts).terminate);
}

TEST(History, WhatCannotBeChangesNothing) {
  RunHistory run;
  apply(run, {.kind = FactKind::run_ended, .status = 200});
  apply(run, {.kind = static_cast<FactKind>(250), .status = 200});
  EXPECT_EQ(run, RunHistory{});
  apply(run, {.kind = FactKind::task_ended, .task = 4, .status = 99});
  EXPECT_EQ(run.tasks.at(4).status, TaskStatus::pending);
  apply(run, {.kind = FactKind::task_expanded, .task = 4, .number = -1, .other = "x"});
  EXPECT_EQ(run.tasks.at(4).item_count, 0u);
  apply(run, of_task(FactKind::attempt_ended, 4, 1, "lost"));
  EXPECT_EQ(run.tasks.at(4).attempts, 0u);
}

}  // namespace
}  // namespace baton::model
