#include "auth/guesses.hpp"

#include <gtest/gtest.h>

namespace baton::auth {
namespace {

constexpr WallTime kNow{Duration::hours(1000).us};

TEST(Guesses, TenAMinute) {
  Guesses guesses;
  for (std::uint32_t i = 0; i < kGuessesPerMinute; ++i) {
    EXPECT_EQ(guesses.locked_for("a", kNow), Duration{}) << i;
    guesses.wrong("a", kNow);
  }
  EXPECT_EQ(guesses.locked_for("a", kNow), Duration::minutes(1));
  EXPECT_EQ(guesses.locked_for("b", kNow), Duration{});
  EXPECT_EQ(guesses.locked_for("a", kNow + Duration::seconds(59)), Duration::seconds(1));
  EXPECT_EQ(guesses.locked_for("a", kNow + Duration::seconds(60)), Duration{});
  guesses.wrong("a", kNow + Duration::seconds(60));
  EXPECT_EQ(guesses.locked_for("a", kNow + Duration::seconds(60)), Duration{}) << "a new minute";
}

TEST(Guesses, AClockThatWasSetBackLocksNobodyOutForLong) {
  Guesses guesses;
  for (std::uint32_t i = 0; i < kGuessesPerMinute; ++i) guesses.wrong("a", kNow);
  EXPECT_EQ(guesses.locked_for("a", kNow - Duration::hours(5)), Duration{});
  guesses.wrong("a", kNow - Duration::hours(5));
  EXPECT_EQ(guesses.locked_for("a", kNow - Duration::hours(5)), Duration{});
}

TEST(Guesses, RemembersTheLatestOfVeryMany) {
  Guesses guesses;
  for (int i = 0; i < 20'000; ++i) guesses.wrong("early " + std::to_string(i), kNow + Duration::micros(i));
  for (std::uint32_t i = 0; i < kGuessesPerMinute; ++i) guesses.wrong("late", kNow + Duration::seconds(1));
  for (int i = 0; i < 5'000; ++i) guesses.wrong("then " + std::to_string(i), kNow + Duration::seconds(2));
  EXPECT_GT(guesses.locked_for("late", kNow + Duration::seconds(2)), Duration{});
}

}  // namespace
}  // namespace baton::auth
