#include "model/cached_result.hpp"

#include <gtest/gtest.h>

namespace baton::model {
namespace {

CachedResult example() {
  const RunKey run = RunKey::make(ShardId{0}, 7);
  return {.key = cached_key("etl", "fetch.all", "what it depends on"),
          .task = {RunId::make(run, WallTime{1'700'000'000'000'000}, {1, 2}), 3},
          .made_at = WallTime{5},
          .expires_at = WallTime{99},
          .result = R"({"n":1})"};
}

TEST(CachedResult, IsReadAsItWasWritten) {
  const Record record = to_record(example());
  EXPECT_EQ(record.group, "etl");
  const auto read = cached_of(record);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, example());
}

TEST(CachedResult, TheKeyDependsOnEverything) {
  const std::string key = cached_key("etl", "fetch", "a");
  EXPECT_EQ(key, cached_key("etl", "fetch", "a"));
  EXPECT_NE(key, cached_key("etl", "fetch", "b"));
  EXPECT_NE(key, cached_key("etl", "fetc", "a"));
  EXPECT_NE(key, cached_key("et", "fetch", "a"));
  std::string_view workflow;
  std::string_view step;
  ASSERT_TRUE(split_cached_key(key, workflow, step));
  EXPECT_EQ(workflow, "etl");
  EXPECT_EQ(step, "fetch");
  EXPECT_FALSE(split_cached_key("etl/fetch", workflow, step));
}

TEST(CachedResult, ADamagedOneIsNoResult) {
  Record record = to_record(example());
  for (std::size_t size = 0; size < record.state.size(); ++size) {
    Record cut = record;
    cut.state.resize(size);
    EXPECT_FALSE(cached_of(cut)) << size;
  }
  record.id.key = "etl";
  EXPECT_FALSE(cached_of(record));
}

}  // namespace
}  // namespace baton::model
