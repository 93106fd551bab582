#include "model/dead_letter.hpp"

#include <gtest/gtest.h>

namespace baton::model {
namespace {

DeadLetter letter(std::string message, std::string type = "exit") {
  DeadLetter made;
  made.task = {RunId::make(RunKey::make(ShardId{1}, 7), {1'700'000'000'000'000}, {1, 2}), 3};
  made.generation = 2;
  made.workflow = "nightly";
  made.version = 4;
  made.step = "load";
  made.index = 11;
  made.queue = "gpu";
  made.job_id = "job 9";
  made.error_type = std::move(type);
  made.error_message = std::move(message);
  made.attempts = 4;
  made.starts = 6;
  made.lost = 1;
  made.interrupted = 1;
  made.worker = "w1";
  made.queued_at = {1};
  made.started_at = {2};
  made.failed_at = {3};
  return made;
}

TEST(DeadLetter, ARecordKeepsEverything) {
  const DeadLetter made = letter("exit code 3");
  const Record record = to_record(made);
  EXPECT_TRUE(is_dead_letter_id(record.id.key));
  const auto read = dead_letter_of(record);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, made);
  Record damaged = record;
  damaged.state.resize(damaged.state.size() / 2);
  EXPECT_FALSE(dead_letter_of(damaged));
}

TEST(DeadLetter, OnlyIdsAreIds) {
  const std::string id = to_record(letter("")).id.key;
  for (const std::string& text : {std::string(), std::string("."), std::string("x.1"), id + "x", id + "."})
    EXPECT_FALSE(is_dead_letter_id(text)) << text;
}

TEST(DeadLetter, ParticularsDoNotMakeAnotherFault) {
  EXPECT_EQ(without_particulars("user 4711 has 3 of 12 rows"), "user # has # of # rows");
  EXPECT_EQ(without_particulars("job 0191c2f0-5aa1-7b3c-9d2e-0a1b2c3d4e5f is gone"), "job # is gone");
  EXPECT_EQ(without_particulars("deadbeef42 at 0x7ffe12"), "# at #x#ffe#");
  EXPECT_EQ(without_particulars("a decade of faded facades"), "a decade of faded facades");
  EXPECT_EQ(without_particulars("v2beta3"), "v#beta#");
  EXPECT_EQ(without_particulars(std::string(5000, 'x')).size(), 300U);
  EXPECT_EQ(failure_signature(letter("row 17 is bad")), failure_signature(letter("row 4 is bad")));
  EXPECT_NE(failure_signature(letter("row 17 is bad")), failure_signature(letter("column 17 is bad")));
  EXPECT_NE(failure_signature(letter("x", "exit")), failure_signature(letter("x", "timeout")));
  EXPECT_EQ(failure_signature(letter("x")).size(), 12U);
}

}  // namespace
}  // namespace baton::model
