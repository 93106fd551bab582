#include "model/removal.hpp"

#include <gtest/gtest.h>

#include "model/retention.hpp"

namespace baton::model {
namespace {

RunId run(std::int64_t number) {
  return RunId::make(RunKey::make(ShardId{0}, number), WallTime{1'000'000}, Seed{});
}

TEST(Removal, ReadsBack) {
  const WallTime at{1'893'456'000'000'000};
  const Removal removal{.key = removal_key(at, run(1)),
                        .at = at,
                        .by = "cli:ada",
                        .why = "disk full",
                        .count = 2,
                        .runs = {run(1), run(2)}};
  const auto read = removal_of(to_record(removal));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, removal);
  EXPECT_LT(removal.key, removal_key(at + Duration::millis(1), run(1)));

  Record damaged = to_record(removal);
  damaged.state.pop_back();
  EXPECT_EQ(removal_of(damaged).error().code, ErrorCode::corrupt);
}

TEST(Retention, TellsForEverFromNotSaid) {
  for (const Retention& retention :
       {Retention{}, Retention{Duration{}, std::nullopt}, Retention{std::nullopt, Duration::hours(1)},
        Retention{Duration::hours(24), Duration{}}}) {
    const auto read = retention_of(to_record("w", retention, WallTime{1}));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, retention);
  }
}

}  // namespace
}  // namespace baton::model
