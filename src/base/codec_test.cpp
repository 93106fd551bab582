#include "base/codec.hpp"

#include <gtest/gtest.h>

namespace baton {
namespace {

std::string sample() {
  Encoder inner;
  inner.number(1, 7);
  Encoder e;
  e.number(1, 300);
  e.signed_number(2, -5);
  e.bytes(3, "text");
  e.number(4, 0);
  e.message(5, inner);
  e.number(6, UINT64_MAX);
  return e.take();
}

TEST(Codec, ReadsBackAndLeavesOutZero) {
  const std::string bytes = sample();
  Decoder d(bytes);
  ASSERT_TRUE(d.next());
  EXPECT_EQ(d.field(), 1u);
  EXPECT_EQ(d.number(), 300u);
  ASSERT_TRUE(d.next());
  EXPECT_EQ(d.signed_number(), -5);
  ASSERT_TRUE(d.next());
  EXPECT_EQ(d.bytes(), "text");
  ASSERT_TRUE(d.next());
  EXPECT_EQ(d.field(), 5u);
  Decoder inner(d.bytes());
  ASSERT_TRUE(inner.next());
  EXPECT_EQ(inner.number(), 7u);
  ASSERT_TRUE(d.next());
  EXPECT_EQ(d.number(), UINT64_MAX);
  EXPECT_FALSE(d.next());
  EXPECT_FALSE(d.failed());
}

TEST(Codec, EveryTruncationEndsWithoutReadingOutside) {
  const std::string bytes = sample();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const std::string cut = bytes.substr(0, n);
    Decoder d(cut);
    while (d.next()) {
    }
  }
  const std::string endless(20, '\xff');
  Decoder d(endless);
  EXPECT_FALSE(d.next());
  EXPECT_TRUE(d.failed());
}

}  // namespace
}  // namespace baton
