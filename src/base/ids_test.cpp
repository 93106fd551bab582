#include "base/ids.hpp"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(Ids, RunIdIsAUuidV7ThatContainsItsKey) {
  const RunKey key = RunKey::make(static_cast<ShardId>(0xABC), 123'456'789);
  const WallTime created{1'763'689'560'123'456};
  const RunId id = RunId::make(key, created, Seed{1, 0xFFFFFFFFFFFFFFFF});
  EXPECT_EQ(id.text()[14], '7');
  EXPECT_EQ(id.key(), key);
  EXPECT_EQ(RunId::parse(id.text()), id);
  EXPECT_LT(id, RunId::make(key, created + Duration::millis(1), Seed{}));
}

TEST(Ids, RefusesOtherTexts) {
  const std::string good = RunId::make(RunKey::make(ShardId{0}, 1), {0}, {}).text();
  EXPECT_FALSE(RunId::parse(""));
  EXPECT_FALSE(RunId::parse(good + "0"));
  EXPECT_FALSE(RunId::parse("00000000-0000-4000-8000-000000000001"));
  std::string spoiled = good;
  spoiled[3] = 'g';
  EXPECT_FALSE(RunId::parse(spoiled));
  EXPECT_FALSE(TaskId::parse(good));
  EXPECT_FALSE(TaskId::parse(good + "."));
  EXPECT_FALSE(TaskId::parse(good + ".-1"));
  EXPECT_FALSE(TaskId::parse(good + ".01"));
  EXPECT_FALSE(TaskId::parse(good + ".99999999999"));
  EXPECT_EQ(TaskId::parse(good + ".17")->ordinal, 17u);
  EXPECT_EQ(TaskId::parse(good + ".17")->text(), good + ".17");
}

TEST(Ids, TokenText) {
  const Token token{3, 1042};
  EXPECT_EQ(token.text(), "3-1042");
  EXPECT_EQ(Token::parse("3-1042"), token);
  for (const char* text : {"", "3", "3-", "-3", "a-1", "3--1", "99999999999-1"})
    EXPECT_FALSE(Token::parse(text)) << text;
}

}  // namespace
}  // namespace baton
