#include "spec/help.hpp"

#include <gtest/gtest.h>

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

    add
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
            "there is no field \"steps.*.retry.jiter\", did you mean \"steps.*.retry.jitter\"?");
  EXPECT_FALSE(field_help(""));
  EXPECT_FALSE(field_help("steps.*"));
  EXPECT_FALSE(field_help("steps..."));
}

TEST(Help, Completion) {
  EXPECT_EQ(complete_field("steps.*.retry.max"),
            (std::vector<std::string>{"steps.*.retry.max_attempts", "steps.*.retry.max_retries",
                                      "steps.*.retry.max"}));
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
