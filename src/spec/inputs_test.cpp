#include "spec/inputs.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "spec/parse.hpp"

namespace baton::spec {
namespace {

namespace json = boost::json;

std::shared_ptr<const model::Workflow> workflow() {
  const ParseResult result = parse_workflow(R"(
name: x
inputs:
  source: {type: string, minLength: 1}
  limit: {type: integer, minimum: 1, default: 1000}
  tags: {type: array, items: {type: string}, optional: true}
steps: {a: {run: "true"}}
)",
                                            {"x.yaml"});
  EXPECT_TRUE(result.workflow) << render(result.diagnostics);
  return result.workflow;
}

std::string resolve(std::string_view given) {
  const auto resolved = resolve_inputs(*workflow(), json::parse(given));
  if (resolved) return json::serialize(*resolved);
  EXPECT_EQ(resolved.error().code, ErrorCode::invalid_input);
  return resolved.error().where + "\n" + resolved.error().message;
}

TEST(Inputs, DefaultsAreFilledInInTheOrderOfTheDeclaration) {
  EXPECT_EQ(resolve(R"({"source":"a"})"), R"({"source":"a","limit":1000,"tags":null})");
  EXPECT_EQ(resolve(R"({"tags":["x"],"limit":5,"source":"a"})"), R"({"source":"a","limit":5,"tags":["x"]})");
  EXPECT_EQ(resolve(R"({"source":"a","tags":null})"), R"({"source":"a","limit":1000,"tags":null})");
}

TEST(Inputs, AllProblemsAtOnce) {
  EXPECT_EQ(resolve(R"({"sorce":"a","limit":0,"tags":["x",5]})"),
            "/sorce\n"
            "unknown input \"sorce\", did you mean \"source\"?\n"
            "the input \"source\" is missing\n"
            "inputs.limit: must be at least 1, not 0\n"
            "inputs.tags at /1: must be a string, not 5");
  EXPECT_EQ(resolve("null"), "/source\nthe input \"source\" is missing");
  EXPECT_EQ(resolve("[]"), "\nthe input of a run must be a map of names to values");
  EXPECT_EQ(resolve(R"({"source":null})"), "/source\ninputs.source: must be a string, not null");
  EXPECT_EQ(resolve(R"({"source":"a","limit":null})"), "/limit\ninputs.limit: must be an integer, not null");
}

std::string coerce(std::string_view schema, std::string_view text) {
  const auto value = coerce_text(json::parse(schema), text);
  return value ? json::serialize(*value) : "error: " + value.error().message;
}

TEST(Inputs, TextBecomesWhatIsDeclared) {
  EXPECT_EQ(coerce(R"({"type":"string"})", "abc"), "\"abc\"");
  EXPECT_EQ(coerce(R"({"type":"string"})", "5"), "\"5\"");
  EXPECT_EQ(coerce(R"({"type":"string"})", "\"quoted\""), "\"quoted\"");
  EXPECT_EQ(coerce(R"({"type":"string"})", ""), "\"\"");
  EXPECT_EQ(coerce(R"({"type":"integer"})", "5"), "5");
  EXPECT_EQ(coerce(R"({"type":"boolean"})", "true"), "true");
  EXPECT_EQ(coerce(R"({"type":["integer","string"]})", "5"), "5");
  EXPECT_EQ(coerce(R"({"type":["integer","string"]})", "five"), "\"five\"");
  EXPECT_EQ(coerce("{}", "[1]"), "[1]");
  EXPECT_EQ(coerce("{}", "text"), "\"text\"");
  EXPECT_EQ(coerce(R"({"type":"array"})", R"(["a"])"), R"(["a"])");
  EXPECT_EQ(coerce(R"({"type":"integer"})", "five"), "error: it must be an integer, not \"five\"");
  EXPECT_EQ(coerce(R"({"type":"integer","minimum":6})", "5"), "error: it must be at least 6, not 5");
  EXPECT_EQ(coerce(R"({"type":"array","items":{"type":"string"}})", "[1]"),
            "error: at /0 it must be a string, not 1");
  EXPECT_EQ(coerce(R"({"type":"string"})", "\xff"), "error: the text is not UTF-8");
}

}  // namespace
}  // namespace baton::spec
