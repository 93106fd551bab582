#include "calendar/cron.hpp"

#include <gtest/gtest.h>

#include <string>

namespace baton::calendar {
namespace {

TEST(Cron, WhatPeopleWrite) {
  for (const char* text :
       {"0 0 * * *",          "*/5 * * * *",   "30 4 1,15 * 5",   "0 22 * * 1-5",    "23 0-20/2 * * *",
        "5/15 * * * *",       "0 0 L * *",     "0 0 L-3 * *",     "0 0 15W * *",     "0 0 LW * *",
        "0 0 * * 5L",         "0 0 * * FRI#2", "0 0 ? * MON-FRI", "0 0 * * fri-mon", "0 0 1 jan *",
        "0 0 * Jan-Mar sun",  "0 0 29 2 *",    "0 0 * * 7",       "H H * * *",       "H/15 * * * *",
        "H(0-29)/10 * * * *", "15 0 0 * * *",  "@daily",          "@Hourly",         "  0   0 *\t* * ",
        "0 0 30 2 1"}) {
    const auto checked = check_cron(text);
    EXPECT_TRUE(checked) << text << ": " << (checked ? "" : checked.error().message);
  }
}

TEST(Cron, SaysWhichFieldIsWrong) {
  const auto message = [](std::string_view text) {
    const auto checked = check_cron(text);
    return checked ? std::string("accepted") : checked.error().message;
  };
  EXPECT_EQ(message("61 * * * *"), "the minute \"61\" is none: it must be from 0 to 59");
  EXPECT_EQ(message("0 24 * * *"), "the hour \"24\" is none: it must be from 0 to 23");
  EXPECT_EQ(message("0 0 0 * *"), "the day of month \"0\" is none: it must be from 1 to 31");
  EXPECT_EQ(message("0 0 * 13 *"), "the month \"13\" is none: it must be from 1 to 12, or jan to dec");
  EXPECT_EQ(message("0 0 * * 8"), "the day of week \"8\" is none: it must be from 0 to 7, or sun to sat");
  EXPECT_EQ(message("0 0 * * mo"), "the day of week \"mo\" is none: it must be from 0 to 7, or sun to sat");
  EXPECT_EQ(message("5-1 * * * *"), "the minute \"5-1\" is a range that ends before it begins");
  EXPECT_EQ(message("1-x * * * *"), "the minute \"1-x\" is no range: both ends are from 0 to 59");
  EXPECT_EQ(message("*/0 * * * *"), "the minute \"*/0\" has no step from 1 to 59 after `/`");
  EXPECT_EQ(message("*/ * * * *"), "the minute \"*/\" has no step from 1 to 59 after `/`");
  EXPECT_EQ(message("1,,2 * * * *"), "the minute \"1,,2\" has an empty part");
  EXPECT_EQ(message("-1 * * * *"), "the minute \"-1\" is no range: both ends are from 0 to 59");
  EXPECT_EQ(message("0 0 * * 5#6"), "the day of week \"5#6\" is none: it must be from 0 to 7, or sun to sat");
  EXPECT_EQ(message("H(5-1) * * * *"),
            "the minute \"h(5-1)\" is none: write H, H/15 or H(1-5), with values from 0 to 59");
  EXPECT_EQ(message("? * * * *"), "the minute \"?\" is none: it must be from 0 to 59");
  EXPECT_EQ(
      message("* * * *"),
      "a cron expression has five fields (minute, hour, day of month, month, day of week) or six (second "
      "first), not 4");
  EXPECT_EQ(message(""), "the cron expression is empty");
  EXPECT_EQ(message("@dayly"), "\"@dayly\" is no cron expression, did you mean @daily?");
  EXPECT_EQ(message("0 0 30 2 *"), "this never fires: no month that is named has that day");
  EXPECT_EQ(message("0 0 31 apr,jun *"), "this never fires: no month that is named has that day");
  EXPECT_EQ(message("99999999999 * * * *"), "the minute \"99999999999\" is none: it must be from 0 to 59");
}

}  // namespace
}  // namespace baton::calendar
