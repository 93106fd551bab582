#include "model/rows.hpp"

#include <gtest/gtest.h>

namespace baton::model {
namespace {

TaskRow sample_task() {
  TaskRow row;
  row.skip_reason = SkipReason::when;
  row.priority = 0;
  row.attempts = 2;
  row.token = {3, 99};
  row.worker = "local";
  row.in_process = true;
  row.starts = 4;
  row.phase = Phase::poll;
  row.round = 12;
  row.group_attempts = 1;
  row.waiting.edit() = {.since = {7}, .give_up = {8}, .wakes_at = {9}, .awaits = "go"};
  row.branch = 2;
  row.due = {5'000'000};
  row.error_type = "exit";
  row.error_message = "exit code 3";
  row.expanded = true;
  row.first_item = 7;
  row.item_count = 100;
  row.history.push_back({1, {3, 98}, "local", {1}, {2}, AttemptEnd::failed, "exit", "exit code 3"});
  row.history.back().became = TaskStatus::retrying;
  row.history.push_back({2, {3, 99}, "local", {3}, {0}, AttemptEnd::running, "", ""});
  return row;
}

TEST(Rows, TaskStateReadsBack) {
  TaskRow back;
  ASSERT_TRUE(decode_state(encode_state(sample_task()), back));
  EXPECT_EQ(back, sample_task());
}

TEST(Rows, RunStateReadsBack) {
  RunRow row;
  row.definition = Hash256::of("x");
  row.priority = 9;
  row.outcome = RunStatus::failed;
  row.stage = RunStage::cleanup;
  row.counts = {10, 5, 1, 1, 0, 2};
  row.journal_head = 1234567890123;
  row.signals = 3;
  RunRow back;
  ASSERT_TRUE(decode_state(encode_state(row), back));
  EXPECT_EQ(back, row);
}

TEST(Rows, DamageIsAnErrorNeverACrash) {
  const std::string bytes = encode_state(sample_task());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      TaskRow row;
      (void)decode_state(flipped, row);
    }
  }
  TaskRow row;
  EXPECT_EQ(decode_state("", row).error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace baton::model
