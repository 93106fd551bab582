#include "model/space.hpp"

#include <gtest/gtest.h>

namespace baton::model {
namespace {

TEST(Space, IsStoredWhole) {
  const SpaceRow row{.shard = ShardId{12},
                     .name = "team-a",
                     .by = "cli:ada",
                     .why = "for builds",
                     .at = WallTime{5},
                     .deleted_at = WallTime{7},
                     .cleared = true};
  EXPECT_EQ(to_record(row).id.key, "0012");
  EXPECT_EQ(space_of(to_record(row)).value(), row);
}

TEST(Space, DamageIsNoticed) {
  const SpaceRow row{.shard = ShardId{12}, .name = "team-a"};
  for (const char* key : {"", "12", "0000", "4096", "x012", "closed"}) {
    Record record = to_record(row);
    record.id.key = key;
    EXPECT_FALSE(space_of(record)) << key;
  }
  Record record = to_record(row);
  record.state.pop_back();
  EXPECT_FALSE(space_of(record));
  EXPECT_FALSE(space_of(to_record({.shard = ShardId{3}}))) << "it has no name";
}

}  // namespace
}  // namespace baton::model
