#include "auth/sessions.hpp"

#include <gtest/gtest.h>

#include <set>

namespace baton::auth {
namespace {

constexpr WallTime kNow{Duration::hours(1000).us};
const Hash256 kKey = Hash256::of("key");

TEST(Sessions, AreKnownByTheirText) {
  Sessions sessions;
  const auto one = sessions.open(kKey, kNow);
  const auto other = sessions.open(Hash256::of("other"), kNow);
  ASSERT_TRUE(one && other);
  EXPECT_EQ((std::set<std::string>{one->text, other->text, one->session.csrf, other->session.csrf}).size(),
            4U);
  EXPECT_EQ(sessions.find(one->text, kNow)->key, kKey);
  EXPECT_EQ(sessions.find(one->text, kNow)->csrf, one->session.csrf);
  EXPECT_FALSE(sessions.find("", kNow));
  EXPECT_FALSE(sessions.find(one->session.csrf, kNow));
}

TEST(Sessions, End) {
  Sessions sessions;
  const auto one = sessions.open(kKey, kNow);
  EXPECT_TRUE(sessions.find(one->text, kNow + kSessionLasts - Duration{1}));
  EXPECT_FALSE(sessions.find(one->text, kNow + kSessionLasts));
  const auto other = sessions.open(kKey, kNow);
  sessions.close(other->text);
  EXPECT_FALSE(sessions.find(other->text, kNow));
}

TEST(Sessions, AreBounded) {
  Sessions sessions;
  const auto first = sessions.open(kKey, kNow);
  for (std::size_t i = 0; i < kMostSessions; ++i) ASSERT_TRUE(sessions.open(kKey, kNow + Duration{1}));
  EXPECT_FALSE(sessions.find(first->text, kNow));
}

}  // namespace
}  // namespace baton::auth
