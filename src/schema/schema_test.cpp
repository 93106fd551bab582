#include "schema/schema.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace baton::schema {
namespace {

std::string text(const Problems& problems) {
  std::string out;
  for (const Problem& p : problems) out += p.pointer + ": " + p.message + "\n";
  return out;
}

std::string check(std::string_view schema, std::string_view value) {
  const auto compiled = Schema::compile(boost::json::parse(schema));
  if (!compiled) return "does not compile: " + text(compiled.error());
  return text(compiled->validate(boost::json::parse(value)));
}

TEST(Schema, Types) {
  EXPECT_EQ(check(R"({"type":"string"})", R"("x")"), "");
  EXPECT_EQ(check(R"({"type":"string"})", "1"), ": must be a string, not 1\n");
  EXPECT_EQ(check(R"({"type":"integer"})", "1.0"), "");
  EXPECT_EQ(check(R"({"type":"integer"})", "1.5"), ": must be an integer, not 1.5E0\n");
  EXPECT_EQ(check(R"({"type":["null","integer"]})", "null"), "");
  EXPECT_EQ(check(R"({"type":["null","integer"]})", "true"), ": must be null or an integer, not true\n");
  EXPECT_EQ(check("true", "1"), "");
  EXPECT_EQ(check("false", "1"), ": is not allowed\n");
}

}  // namespace
}  // namespace baton::schema
