#include "secrets/reveal.hpp"

#include <gtest/gtest.h>

namespace baton::secrets {
namespace {

std::string revealed(std::string_view spec) {
  const auto out = reveal(spec, [](std::string_view name) -> Result<std::string> {
    if (name == "A") return "s3cret";
    if (name == "b-c") return "${{ secrets.A }}\"\n";
    return fail(ErrorCode::not_found, "there is no secret " + std::string(name));
  });
  return out ? *out : "error: " + out.error().message;
}

TEST(Reveal, PutsValuesInPlace) {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"env":{"T":"Bearer ${{ secrets.A }}","N":1}})", R"({"env":{"T":"Bearer s3cret","N":1}})"},
      {R"(["${{ secrets[\"b-c\"] }}"])", R"(["${{ secrets.A }}\"\n"])"},
      {R"(["$${{ secrets.A }}"])", R"(["${{ secrets.A }}"])"},
      {R"(["${{ \"$\" }}${{ secrets.A }}"])", R"(["$s3cret"])"},
      {R"({"${{ secrets.A }}":"x"})", R"({"${{ secrets.A }}":"x"})"},
      {R"(["${{ secrets.NONE }}"])", "error: there is no secret NONE"},
  };
  for (const auto& [spec, expected] : rows) EXPECT_EQ(revealed(spec), expected) << spec;
}

TEST(Reveal, WhatIsNothingOfThisIsAnError) {
  EXPECT_TRUE(revealed(R"(["${{ run.id }}"])").starts_with("error: unknown variable"));
  EXPECT_TRUE(revealed(R"(["${{ secrets.A"])").starts_with("error: "));
  EXPECT_TRUE(revealed("[").starts_with("error: "));
}

}  // namespace
}  // namespace baton::secrets
