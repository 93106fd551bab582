#include "model/queue.hpp"

#include <gtest/gtest.h>

namespace baton::model {
namespace {

TEST(Queue, ComesBackFromItsRecord) {
  const QueueRow row{.name = "media",
                     .max_waiting = 100,
                     .weights = {{"", 2}, {"acme", 7}},
                     .by = "cli:ada",
                     .why = "they pay",
                     .at = {5}};
  EXPECT_EQ(queue_of(to_record(row)), row);
  Record damaged = to_record(row);
  damaged.state.pop_back();
  EXPECT_FALSE(queue_of(damaged));
}

TEST(Queue, WeightsThatCannotBeAreDamage) {
  for (const std::uint32_t weight : {0U, kMostWeight + 1}) {
    EXPECT_FALSE(queue_of(to_record(QueueRow{.name = "q", .weights = {{"a", weight}}}))) << weight;
  }
}

TEST(Route, ComesBackFromItsRecord) {
  const RouteRow row{.pattern = "images.*", .queue = "gpu", .by = "cli:ada", .why = "", .at = {7}};
  EXPECT_EQ(route_of(to_record(row)), row);
  EXPECT_FALSE(route_of(to_record(RouteRow{.pattern = "images.*"})));
}

TEST(Route, PatternsMatchNamesOfStepsAndWorkflows) {
  struct Row {
    std::string_view pattern, workflow, step;
    bool fits;
  };
  const Row rows[] = {
      {"images.*", "w", "images.resize", true},
      {"images.*", "w", "images.", true},
      {"images.*", "w", "images", false},
      {"images.*", "images.w", "resize", false},
      {"*", "w", "anything", true},
      {"*.gpu", "w", "a.b.gpu", true},
      {"*.gpu", "w", "a.gpus", false},
      {"a*b*c", "w", "aXbYbZc", true},
      {"a*b*c", "w", "aXbYbZ", false},
      {"tr?in", "w", "train", true},
      {"tr?in", "w", "trin", false},
      {"nightly/*", "nightly", "load", true},
      {"nightly/*", "nightly-2", "load", false},
      {"*/load", "nightly", "load", true},
      {"*/load", "nightly", "reload", false},
      {"load", "nightly", "load", true},
      {"", "w", "a", false},
      {"***", "w", "a", true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(matches(row.pattern, row.workflow, row.step), row.fits)
        << row.pattern << " against " << row.workflow << "/" << row.step;
  }
}

// Many stars against a text that nearly fits: no time that grows with the number of stars.
TEST(Route, HostilePatternsTakeNoTime) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(matches(pattern + "b", "w", std::string(128, 'a')));
}

TEST(Route, TheOneThatSaysMoreWins) {
  EXPECT_TRUE(says_more("images.resize", "images.*"));
  EXPECT_TRUE(says_more("images.*", "*"));
  EXPECT_TRUE(says_more("nightly/load", "load"));
  EXPECT_TRUE(says_more("a?", "a"));
  EXPECT_TRUE(says_more("a*", "b*"));
  EXPECT_FALSE(says_more("b*", "a*"));
  EXPECT_FALSE(says_more("a*", "a*"));
}

}  // namespace
}  // namespace baton::model
