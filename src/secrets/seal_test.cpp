#include "secrets/seal.hpp"

#include <gtest/gtest.h>

namespace baton::secrets {
namespace {

const std::string kPurpose = purpose_of(ShardId{0}, "TOKEN");

TEST(Seal, OpensAgainAndShowsNothing) {
  const Key key = Key::random();
  for (const std::string& value : {std::string("s3cret"), std::string(), std::string(64 << 10, 'x')}) {
    const std::string sealed = seal(key, kPurpose, value);
    if (!value.empty()) EXPECT_EQ(sealed.find(value), std::string::npos);
    const auto opened = open_sealed(key, kPurpose, sealed);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(*opened, value);
  }
  EXPECT_NE(seal(key, kPurpose, "same"), seal(key, kPurpose, "same"));
}

TEST(Seal, EveryChangedByteIsFound) {
  const Key key = Key::random();
  const std::string sealed = seal(key, kPurpose, "s3cret");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(open_sealed(key, kPurpose, changed)) << i;
    EXPECT_FALSE(open_sealed(key, kPurpose, sealed.substr(0, i))) << i;
  }
}

TEST(Seal, AnotherKeyIsToldFromDamage) {
  const std::string sealed = seal(Key::random(), kPurpose, "s3cret");
  const auto opened = open_sealed(Key::random(), kPurpose, sealed);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::bad_configuration);
}

TEST(Seal, AValueBelongsToItsNameAndShard) {
  const Key key = Key::random();
  const std::string sealed = seal(key, kPurpose, "s3cret");
  EXPECT_EQ(open_sealed(key, purpose_of(ShardId{0}, "OTHER"), sealed).error().code, ErrorCode::corrupt);
  EXPECT_EQ(open_sealed(key, purpose_of(ShardId{1}, "TOKEN"), sealed).error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace baton::secrets
