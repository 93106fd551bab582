#include "base/duration.hpp"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(Duration, ReadsAllUnits) {
  const std::pair<const char*, std::int64_t> cases[] = {{"90s", 90'000'000},
                                                        {"5m", 300'000'000},
                                                        {"1h30m", 5'400'000'000},
                                                        {"250ms", 250'000},
                                                        {"7us", 7},
                                                        {"2d", 172'800'000'000},
                                                        {"1w", 604'800'000'000},
                                                        {"1.5s", 1'500'000},
                                                        {"10", 10'000'000},
                                                        {"0.25", 250'000},
                                                        {"0s", 0}};
  for (const auto& [text, us] : cases) {
    auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->us, us) << text;
  }
}

TEST(Duration, RefusesWithAReason) {
  for (const char* text :
       {"", "-5s", "5x", "s", "5m1h", "5s5s", "1h 30m", "inf", "nan", "1e3s", "200000000000h", "5S"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  EXPECT_NE(parse_duration("5x").error().message.find("unknown unit"), std::string::npos);
}

TEST(Duration, WritesWhatItReads) {
  for (std::int64_t us : {1L, 999L, 250'000L, 1'500'000L, 5'400'000'000L, 172'800'000'001L}) {
    EXPECT_EQ(parse_duration(to_string(Duration{us}))->us, us);
  }
  EXPECT_EQ(to_string(Duration::minutes(90)), "1h30m");
  EXPECT_EQ(to_display(Duration::millis(4230)), "4.2s");
  EXPECT_EQ(to_display(Duration::seconds(95)), "1m 35s");
}

}  // namespace
}  // namespace baton
