#include "engine/values.hpp"

#include <gtest/gtest.h>

namespace baton::engine {
namespace {

model::PayloadKey key(Ordinal ordinal) {
  return {RunKey::make(ShardId{0}, 1), model::PayloadSlot::task_result, ordinal};
}
model::Text text(std::string value) {
  return std::make_shared<const std::string>(std::move(value));
}

TEST(ValueCache, KeepsWhatIsNotDurableAndDropsTheOldest) {
  ValueCache cache(1000);
  cache.put(key(1), text(std::string(400, 'a')), 5);
  cache.put(key(2), text(std::string(400, 'b')), 0);
  cache.put(key(3), text(std::string(400, 'c')), 0);
  cache.text(key(2));  // used last
  cache.committed(4);
  EXPECT_TRUE(cache.has(key(1))) << "on its way to the store";
  EXPECT_TRUE(cache.has(key(2)) != cache.has(key(3)) || !cache.has(key(2)));
  EXPECT_FALSE(cache.has(key(3)));
  cache.committed(5);
  cache.put(key(4), text(std::string(900, 'd')), 0);
  cache.committed(5);
  EXPECT_FALSE(cache.has(key(1)));
  EXPECT_LE(cache.bytes(), 1000u + 200);
}

TEST(ValueCache, CountsParsedFormsAndForgets) {
  ValueCache cache;
  EXPECT_EQ(cache.bytes(), 0u);
  cache.put(key(1), text(R"([1,2,3])"), 0);
  const std::size_t unparsed = cache.bytes();
  EXPECT_EQ((*cache.json(key(1)))->as_array().size(), 3u);
  EXPECT_GT(cache.bytes(), unparsed);
  EXPECT_EQ(cache.json(key(1))->get(), cache.json(key(1))->get()) << "parsed once";
  cache.put(key(1), text("7"), 0);
  EXPECT_EQ((*cache.json(key(1)))->as_int64(), 7) << "a newer value takes its place";
  const model::PayloadKey input{RunKey::make(ShardId{0}, 1), model::PayloadSlot::run_input};
  cache.put(input, text("{}"), 0);
  const model::PayloadKey result{input.run, model::PayloadSlot::task_result, 7};
  const model::PayloadKey other{RunKey::make(ShardId{0}, 2), model::PayloadSlot::run_input};
  cache.put(result, text("1"), 0);
  const std::size_t kept = cache.bytes();
  cache.put(other, text("{}"), 0);
  const std::size_t of_other = cache.bytes() - kept;
  cache.forget(other.run);
  EXPECT_EQ(cache.bytes(), kept);
  cache.put(other, text("{}"), 0);
  cache.forget(input.run);
  EXPECT_FALSE(cache.has(input));
  EXPECT_FALSE(cache.has(result));
  EXPECT_TRUE(cache.has(other));
  EXPECT_FALSE(cache.has(key(1))) << "of the same run";
  EXPECT_EQ(cache.bytes(), of_other);
  ValueCache none(0);
  none.put(key(1), text("1"), 0);
  none.committed(0);
  EXPECT_EQ(none.bytes(), 0u);
}

TEST(ValueCache, WhatThereIsNotIsNull) {
  ValueCache cache;
  cache.put(key(1), nullptr, 0);
  EXPECT_TRUE(cache.has(key(1)));
  EXPECT_EQ(cache.text(key(1)), nullptr);
  EXPECT_TRUE((*cache.json(key(1)))->is_null());
}

TEST(ValueCache, DamagedValuesAreErrors) {
  ValueCache cache;
  cache.put(key(1), text("{\"a\":"), 0);
  EXPECT_EQ(cache.json(key(1)).error().code, ErrorCode::expression);
  cache.put(key(2), text(std::string(100'000, '[')), 0);
  EXPECT_FALSE(cache.json(key(2)));
}

TEST(ValueCache, ARefusedValueSaysWhy) {
  ValueCache cache;
  cache.refuse(key(1), Error{ErrorCode::too_large, "the list has 65 MiB", ""}, 1);
  ASSERT_TRUE(cache.has(key(1)));
  const auto value = cache.json(key(1));
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().message, "the list has 65 MiB");
}

}  // namespace
}  // namespace baton::engine
