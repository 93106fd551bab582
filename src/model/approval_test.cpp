#include "model/approval.hpp"

#include <gtest/gtest.h>

namespace baton::model {
namespace {

Approval sample() {
  Approval approval;
  approval.task = {*RunId::parse("01a1fd3f-e250-7000-8583-e50000000001"), 7};
  approval.workflow = "release";
  approval.step = "ask";
  approval.title = "Ask the boss";
  approval.index = 0;
  approval.question = "Deploy?";
  approval.job_id = "night";
  approval.asked_at = {5};
  approval.until = {9};
  return approval;
}

TEST(Approval, ReadsBackWhatWasWritten) {
  Approval approval = sample();
  EXPECT_EQ(*approval_of(to_record(approval)), approval);
  approval.index = -1;
  approval.until = {};
  EXPECT_EQ(*approval_of(to_record(approval)), approval);
  EXPECT_EQ(to_record(approval).group, approval.task.run.text());
}

TEST(Approval, DamagedRecordsAreErrors) {
  Record record = to_record(sample());
  record.state = "\xff";
  EXPECT_EQ(approval_of(record).error().code, ErrorCode::corrupt);
  record = to_record(sample());
  record.id.key = "nonsense";
  EXPECT_EQ(approval_of(record).error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace baton::model
