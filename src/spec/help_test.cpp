#include "spec/help.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "spec/fields.hpp"
#include "spec/meant.hpp"

namespace baton::spec {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// With BATON_UPDATE=1 the page is written anew.
TEST(Help, TheReferencePageIsTheTable) {
  const std::string path = BATON_SOURCE_DIR "/docs/reference/definition.md";
  if (std::getenv("BATON_UPDATE") != nullptr) std::ofstream(path) << reference_page();
  EXPECT_EQ(read(path), reference_page());
}

TEST(Help, HelpForAField) {
  const auto help = field_help("steps.retry.jitter");
  ASSERT_TRUE(help);
  EXPECT_EQ(*help, R"(steps.retry.jitter

  Chance in the delay d, so that many failures do not come back together. `full`: 0 to d. `equal`: d/2 to d. `decorrelated`: `initial` to three times the last delay. `{add: T}`: d to d + T.

  Type: one of `none`, `full`, `equal`, `decorrelated` or a map with the fields add
  Default: none

  Example:

    jitter: full

  Fields:

    add  a duration (like 90s, 5m or 1h30m)
)");
  EXPECT_EQ(field_help("steps.*.retry.jitter").value().substr(20), help->substr(18));
  EXPECT_TRUE(field_help("steps.build.retry.jitter.add"));
  EXPECT_TRUE(field_help("finally.report.run"));
  EXPECT_TRUE(field_help("defaults.retry.max"));
}

TEST(Help, AnUnknownFieldIsAnErrorWithTheNearest) {
  const auto help = field_help("steps.*.retry.jiter");
  ASSERT_FALSE(help);
  EXPECT_EQ(help.error().code, ErrorCode::not_found);
  EXPECT_EQ(help.error().message,
            "there is no field \"steps.*.retry.jiter\", did you mean \"steps.retry.jitter\"?");
  EXPECT_FALSE(field_help(""));
  EXPECT_FALSE(field_help("steps..."));
}

TEST(Help, TheBeginningOfAPathListsWhatBeginsSo) {
  EXPECT_EQ(field_help("steps.retry.max_").value_or("nothing"),
            "steps.retry.max_attempts  an integer from 1 to 1000000\n"
            "steps.retry.max_retries   an integer from 0 to 999999\n");
  EXPECT_EQ(field_help("steps.retry.jitter.").value_or("nothing"),
            "steps.retry.jitter.add  a duration (like 90s, 5m or 1h30m)\n");
  EXPECT_FALSE(field_help("steps.retry.jitter.add."));
}

TEST(Help, AsData) {
  const auto data = field_data("steps.retry.backoff");
  ASSERT_TRUE(data);
  EXPECT_EQ(
      boost::json::serialize(*data),
      R"({"path":"steps.retry.backoff","type":"one of `fixed`, `linear`, `exponential`","required":false,)"
      R"("default":"exponential","description":"How the delay grows: not at all; by `initial` each time; by the )"
      R"(factor `multiplier` each time.","example":"backoff: fixed","kinds":[],"words":["fixed","linear",)"
      R"("exponential"],"supported":true,"fields":[]})");
  EXPECT_EQ(field_data("schedules").value().at("supported"), false);
  EXPECT_EQ(field_data("steps.ret").value().at("fields").as_array().at(0).at("path"), "steps.retry");
  EXPECT_FALSE(field_data("stepz"));
}

TEST(Help, PathsAsPeopleWriteThem) {
  for (const std::string& path : field_paths()) EXPECT_NE(field_at(path), nullptr) << path;
}

TEST(Fields, WordsOfOtherToolsLeadToFields) {
  EXPECT_EQ(meant_field(Shape::step, "depends_on"), "needs");
  EXPECT_EQ(meant_field(Shape::step, "tiemout"), "timeout");
  EXPECT_EQ(meant_field(Shape::step, "zzzzzzzz"), "");
  EXPECT_EQ(meant_field(Shape::workflow, "jobs"), "steps");
}

TEST(Fields, EveryRowIsWhole) {
  std::set<std::string> seen;
  for (const FieldPath& p : all_paths()) {
    EXPECT_TRUE(seen.insert(p.path).second) << p.path;
    EXPECT_EQ(field_at(p.path), p.field) << p.path;
    EXPECT_TRUE(p.field->description.ends_with('.')) << p.path;
    if (p.field->status == Status::acts) {
      EXPECT_FALSE(p.field->example.empty()) << p.path;
    }
  }
}

}  // namespace
}  // namespace baton::spec
