#include "model/states.hpp"

#include <gtest/gtest.h>

#include <queue>
#include <set>

namespace baton::model {
namespace {

template <typename Status>
std::set<Status> reachable(std::span<const Transition<Status>> table, Status from) {
  std::set<Status> seen = {from};
  std::queue<Status> open({from});
  while (!open.empty()) {
    for (const auto& t : table) {
      if (t.from == open.front() && seen.insert(t.to).second) open.push(t.to);
    }
    open.pop();
  }
  return seen;
}

TEST(States, EveryStateCanBeReachedAndLeadsToAnEnd) {
  EXPECT_EQ(reachable(run_transitions(), RunStatus::pending).size(), 8u);
  EXPECT_EQ(reachable(task_transitions(), TaskStatus::pending).size(), 8u);
  for (const auto& t : run_transitions()) {
    bool ends = false;
    for (RunStatus s : reachable(run_transitions(), t.from)) ends |= is_terminal(s);
    EXPECT_TRUE(ends) << name(t.from);
  }
}

TEST(States, ATerminalTaskStaysAndOnlyRecoverLeavesATerminalRun) {
  for (const auto& t : task_transitions()) EXPECT_FALSE(is_terminal(t.from)) << name(t.from);
  for (const auto& t : run_transitions()) {
    if (is_terminal(t.from)) {
      EXPECT_EQ(t.to, RunStatus::recovering);
    }
  }
  EXPECT_FALSE(is_legal(RunStatus::completed, RunStatus::recovering));
  EXPECT_FALSE(is_legal(TaskStatus::completed, TaskStatus::queued));
}

TEST(States, NamesAndAliases) {
  EXPECT_EQ(run_statuses("running").front(), RunStatus::running);
  EXPECT_EQ(task_statuses("SUCCESS").size(), 2u);
  EXPECT_EQ(run_statuses("canceled").front(), RunStatus::cancelled);
  EXPECT_TRUE(run_statuses("nonsense").empty());
  for (const auto& t : task_transitions()) EXPECT_EQ(task_statuses(name(t.to)).front(), t.to);
}

}  // namespace
}  // namespace baton::model
