#include "secrets/forms.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "expr/text.hpp"

namespace baton::secrets {
namespace {

bool has(const std::vector<std::string>& forms, std::string_view form) {
  return std::ranges::find(forms, form) != forms.end();
}
// Whether one of the forms stands in the text.
bool covered(const std::vector<std::string>& forms, std::string_view text) {
  return std::ranges::any_of(forms,
                             [&](const std::string& f) { return text.find(f) != std::string_view::npos; });
}

TEST(Forms, AShortValueStandsForItselfAlone) {
  EXPECT_EQ(forms_of("abcd"), std::vector<std::string>{"abcd"});
  EXPECT_EQ(forms_of(" abcd\n"), std::vector<std::string>{"abcd"});
  EXPECT_TRUE(forms_of("abc ").empty());
  EXPECT_TRUE(forms_of("").empty());
}

TEST(Forms, Json) {
  const auto forms = forms_of("a\"b\\c/\n\xC3\xA9\x01");
  EXPECT_TRUE(has(forms, R"(a\"b\\c/\n)"
                         "\xC3\xA9"
                         R"(\u0001)"));
  EXPECT_TRUE(has(forms, R"(a\"b\\c\/\n)"
                         "\xC3\xA9"
                         R"(\u0001)"));
  EXPECT_TRUE(has(forms, R"(a\"b\\c/\n\u00e9\u0001)"));
  EXPECT_TRUE(has(forms, R"(a\"b\\c/\n\u00E9\u0001)"));
  EXPECT_TRUE(has(forms_of("\xF0\x9F\x94\x91key"), R"(\ud83d\udd11key)"));
}

TEST(Forms, TakenForLatin1) {
  EXPECT_TRUE(has(forms_of("caf\xC3\xA9"), "caf\xC3\x83\xC2\xA9"));
  EXPECT_TRUE(has(forms_of("caf\xC3\xA9"), R"(caf\u00c3\u00a9)"));
}

TEST(Forms, PercentEncoding) {
  const auto forms = forms_of("a b/c?d=\xC3\xA9!");
  EXPECT_TRUE(has(forms, "a%20b%2Fc%3Fd%3D%C3%A9%21"));
  EXPECT_TRUE(has(forms, "a%20b%2fc%3fd%3d%c3%a9%21"));
  EXPECT_TRUE(has(forms, "a+b%2Fc%3Fd%3D%C3%A9%21"));
  EXPECT_TRUE(has(forms, "a%20b%2Fc%3Fd%3D%C3%A9!"));
  EXPECT_TRUE(has(forms, "a%20b/c?d=%C3%A9!"));
}

TEST(Forms, Base64AtAnyPlace) {
  const std::string value = "correct horse/battery?";
  const auto forms = forms_of(value);
  for (const char* before : {"", "u", "us", "use", "user:"}) {
    for (const char* after : {"", "\n", "xy", "xyz"}) {
      std::string text = expr::base64(before + value + after);
      EXPECT_TRUE(covered(forms, text)) << before << "…" << after;
      std::ranges::replace(text, '/', '_');
      std::ranges::replace(text, '+', '-');
      EXPECT_TRUE(covered(forms, text)) << before << "…" << after;
    }
  }
}

TEST(Forms, LinesAreMaskedOneByOne) {
  const auto forms =
      forms_of("-----BEGIN KEY-----\nMIIEvQIBADANBg\r\n  kqhkiG9w0BAQ\nabc\n-----END KEY-----\n");
  EXPECT_TRUE(has(forms, "MIIEvQIBADANBg"));
  EXPECT_TRUE(has(forms, "kqhkiG9w0BAQ"));
  EXPECT_FALSE(has(forms, "abc"));
}

TEST(Forms, LongOnesComeInPieces) {
  std::string value;
  for (int i = 0; value.size() < 10'000; ++i) value += std::to_string(i) + "-";
  const auto forms = forms_of(value);
  for (const std::string& form : forms) EXPECT_LE(form.size(), 1024U);
  EXPECT_TRUE(has(forms, value.substr(0, 512)));
  EXPECT_TRUE(has(forms, value.substr(512, 512)));
}

}  // namespace
}  // namespace baton::secrets
