#include "base/text.hpp"

#include <gtest/gtest.h>

#include <array>

namespace baton {
namespace {

TEST(Text, Names) {
  EXPECT_TRUE(is_name("a"));
  EXPECT_TRUE(is_name("Build.v2_x-1"));
  EXPECT_FALSE(is_name(""));
  EXPECT_FALSE(is_name(".hidden"));
  EXPECT_FALSE(is_name("a b"));
  EXPECT_FALSE(is_name("ä"));
  EXPECT_TRUE(is_name(std::string(128, 'x')));
  EXPECT_FALSE(is_name(std::string(129, 'x')));
}

TEST(Text, Utf8) {
  EXPECT_TRUE(is_utf8("aä€😀"));
  EXPECT_FALSE(is_utf8("\xC0\x80"));
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));
  EXPECT_EQ(to_utf8("a\xFF"
                    "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(to_utf8("\xE2\x82"), "\xEF\xBF\xBD");
  EXPECT_EQ(utf8_prefix("aä", 2), "a");
  EXPECT_EQ(utf8_prefix("aä", 3), "aä");
}

TEST(Text, NearestWord) {
  constexpr std::array<std::string_view, 4> kWords = {"needs", "timeout", "retry", "env"};
  EXPECT_EQ(nearest("need", kWords), "needs");
  EXPECT_EQ(nearest("tiemout", kWords), "timeout");
  EXPECT_EQ(nearest("banana", kWords), "");
}

TEST(Text, PrintableHidesNothing) {
  EXPECT_EQ(printable("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(printable("ä€"), "ä€");
  EXPECT_EQ(printable("\xC2\x9B"), "\\xc2\\x9b");
  EXPECT_EQ(printable("\xFF"), "\\xff");
}

}  // namespace
}  // namespace baton
