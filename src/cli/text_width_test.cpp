#include "cli/text_width.hpp"

#include <gtest/gtest.h>

namespace baton::cli {
namespace {

TEST(TextWidth, CountsColumns) {
  EXPECT_EQ(text_width(""), 0U);
  EXPECT_EQ(text_width("abc"), 3U);
  EXPECT_EQ(text_width("naïve ✓"), 7U);
  EXPECT_EQ(text_width("日本"), 4U) << "East Asian wide";
  EXPECT_EQ(text_width("e\xCC\x81"), 1U) << "a combining accent takes none";
  EXPECT_EQ(text_width("\x1b[31mred\x1b[0m"), 3U);
  EXPECT_EQ(text_width("🙂"), 2U);
}

TEST(TextWidth, IllFormedTextIsSafe) {
  for (const char* text : {"\xFF", "\xE2\x82", "\xF0\x9F", "a\xC3", "\x1b[31", "\x1b["}) {
    EXPECT_LE(text_width(text), 4U);
    EXPECT_LE(text_width(fit(text, 1)), 1U);
  }
}

TEST(TextWidth, Fits) {
  EXPECT_EQ(fit("abcdef", 6), "abcdef");
  EXPECT_EQ(fit("abcdef", 5), "abcd…");
  EXPECT_EQ(fit("abcdef", 1), "…");
  EXPECT_EQ(fit("abcdef", 0), "");
  EXPECT_EQ(fit("日本語", 5), "日本…") << "4 columns and the mark";
  EXPECT_EQ(fit("日本語", 4), "日…") << "a wide character is not cut in half";
}

TEST(TextWidth, KeepsColoursThatEndBehindTheCut) {
  EXPECT_EQ(fit("\x1b[31mabcdef\x1b[0m", 3), "\x1b[31mab…\x1b[0m");
}

TEST(TextWidth, Pads) {
  EXPECT_EQ(pad("ab", 4), "ab  ");
  EXPECT_EQ(pad("日", 4), "日  ");
  EXPECT_EQ(pad("abcdef", 4), "abc…");
  EXPECT_EQ(pad_left("ab", 4), "  ab");
}

}  // namespace
}  // namespace baton::cli
