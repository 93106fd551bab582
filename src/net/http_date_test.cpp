#include "net/http_date.hpp"

#include <gtest/gtest.h>

namespace baton::net {
namespace {

constexpr WallTime kThen{784'111'777'000'000};   // 1994-11-06T08:49:37Z
constexpr WallTime kNow{1'795'000'000'000'000};  // in 2026

TEST(HttpDate, IsWritten) {
  EXPECT_EQ(to_http_date(kThen), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(to_http_date(kThen + Duration::millis(999)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(to_http_date(WallTime{}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(to_http_date(WallTime{-1}), "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST(HttpDate, AllThreeFormsAreRead) {
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    const auto time = parse_http_date(text, kNow);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(*time, kThen) << text;
  }
  for (std::int64_t days = -1000; days < 40'000; days += 37) {
    const WallTime t{days * 86'400'000'000 + 45'296'000'000};
    EXPECT_EQ(parse_http_date(to_http_date(t), kNow), t);
  }
}

TEST(HttpDate, TwoDigitsOfAYearAreNear) {
  EXPECT_EQ(to_http_date(*parse_http_date("Friday, 01-Jan-76 00:00:00 GMT", kNow)),
            "Wed, 01 Jan 2076 00:00:00 GMT");
  EXPECT_EQ(to_http_date(*parse_http_date("Saturday, 01-Jan-77 00:00:00 GMT", kNow)),
            "Sat, 01 Jan 1977 00:00:00 GMT");
}

TEST(HttpDate, RefusesWhatIsNone) {
  for (const char* text :
       {"", "tomorrow", "120", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT", "Sun Nov  6 08:49:37", ",", "Sun,",
        "Sun, 06 Nov 1994 08:49:61 GMT"}) {
    EXPECT_FALSE(parse_http_date(text, kNow)) << text;
  }
  EXPECT_FALSE(parse_http_date(std::string(10'000, ' '), kNow));
}

}  // namespace
}  // namespace baton::net
