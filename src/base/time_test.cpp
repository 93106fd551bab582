#include "base/time.hpp"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(Time, WritesAndReadsRfc3339) {
  EXPECT_EQ(to_rfc3339({0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339({1'763'689'560'123'456}), "2025-11-21T01:46:00.123Z");
  EXPECT_EQ(to_rfc3339({-1}), "1969-12-31T23:59:59.999Z");
  for (const char* text :
       {"2026-11-21T01:46:00.123Z", "0001-01-01T00:00:00.000Z", "2024-02-29T23:59:59.000Z"}) {
    auto parsed = parse_rfc3339(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(to_rfc3339(*parsed), text);
  }
  EXPECT_EQ(parse_rfc3339("2026-11-21T03:46:00+02:00")->us, parse_rfc3339("2026-11-21T01:46:00Z")->us);
  EXPECT_EQ(parse_rfc3339("2026-11-21T01:46:00.5Z")->us % 1'000'000, 500'000);
}

TEST(Time, RefusesWhatIsNoInstant) {
  for (const char* text : {"", "2026", "2026-11-21", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
                           "2026-11-21T24:00:00Z", "2026-11-21T01:46:00", "2026-11-21T01:46:00.Z",
                           "2026-11-21T01:46:00Zx", "2026-11-21T01:46:00+2:00", "-026-11-21T01:46:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Time, ClampsBeyondFourDigitYears) {
  EXPECT_EQ(to_rfc3339({INT64_MAX}), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(to_rfc3339({INT64_MIN + 1}), "0000-01-01T00:00:00.000Z");
}

}  // namespace
}  // namespace baton
