#include "cli/words.hpp"

#include <gtest/gtest.h>

#include <set>

#include "cli/text_width.hpp"
#include "model/states.hpp"

namespace baton::cli {
namespace {

TEST(Words, Durations) {
  const auto text = [](double seconds) {
    return short_duration(Duration::micros(static_cast<std::int64_t>(seconds * 1e6)));
  };
  EXPECT_EQ(text(0), "0.0s");
  EXPECT_EQ(text(-1), "0.0s");
  EXPECT_EQ(text(9.96), "9.9s");
  EXPECT_EQ(text(59.9), "59.9s");
  EXPECT_EQ(text(60), "1m 00s");
  EXPECT_EQ(text(3599), "59m 59s");
  EXPECT_EQ(text(3600), "1h 00m");
  EXPECT_EQ(text(47 * 3600 + 59 * 60), "47h 59m");
  EXPECT_EQ(text(49 * 3600), "2d 01h");
}

TEST(Words, Delays) {
  EXPECT_EQ(delay_of({{"delay", 0}}), "0ms");
  EXPECT_EQ(delay_of({{"delay", 0.090641}}), "90ms");
  EXPECT_EQ(delay_of({{"delay", 1.5}}), "1.5s");
  EXPECT_EQ(delay_of({{"delay", 245}}), "4m 05s");
}

TEST(Words, EveryStateHasASymbolOfOneColumn) {
  for (int i = 0; i <= static_cast<int>(model::RunStatus::cancelled); ++i) {
    EXPECT_EQ(text_width(symbol(model::name(static_cast<model::RunStatus>(i)))), 1U);
  }
  std::set<std::string_view> ends;
  for (const auto status :
       {model::TaskStatus::completed, model::TaskStatus::failed, model::TaskStatus::skipped,
        model::TaskStatus::cancelled, model::TaskStatus::running, model::TaskStatus::retrying,
        model::TaskStatus::queued, model::TaskStatus::pending}) {
    EXPECT_EQ(text_width(symbol(model::name(status))), 1U);
    EXPECT_TRUE(ends.insert(symbol(model::name(status))).second) << "states differ without colours too";
  }
}

TEST(Words, DurationsOfObjects) {
  const WallTime now = *parse_rfc3339("2026-11-21T01:47:00Z");
  EXPECT_EQ(duration_of({{"duration", 1.25}, {"started_at", "x"}}, now), "1.2s");
  EXPECT_EQ(duration_of(
                {{"duration", nullptr}, {"started_at", "2026-11-21T01:46:30Z"}, {"ended_at", nullptr}}, now),
            "30.0s");
  EXPECT_EQ(duration_of({{"started_at", nullptr}}, now), "");
  EXPECT_EQ(duration_of({{"started_at", "garbage"}}, now), "");
}

}  // namespace
}  // namespace baton::cli
