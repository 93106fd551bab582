#include "model/applied.hpp"

#include <gtest/gtest.h>

namespace baton::model {
namespace {

TEST(Applied, ReadsBackWhatWasWritten) {
  const AppliedWorkflow workflow{
      "etl", {{3, WallTime{30}, "cli:ada", "roll back"}, {4, WallTime{20}, "cli:bob", ""}}};
  const Record record = to_record(workflow);
  EXPECT_EQ(record.id, applied_key("etl"));
  EXPECT_EQ(record.at, WallTime{30});
  const auto read = applied_of(record);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, workflow);
  EXPECT_EQ(read->version(), 3u);
}

TEST(Applied, DamageIsAnError) {
  Record record = to_record({"etl", {{3, WallTime{30}, "cli:ada", ""}}});
  for (const std::string& state : {std::string(), std::string("\x03\x7f", 2), record.state.substr(0, 3)}) {
    record.state = state;
    EXPECT_EQ(applied_of(record).error().code, ErrorCode::corrupt);
  }
}

}  // namespace
}  // namespace baton::model
