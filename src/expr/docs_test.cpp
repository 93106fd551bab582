// The reference page is executed: every line of its `cel` and `template` blocks.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "expr/functions.hpp"
#include "expr/template.hpp"
#include "expr/test_support.hpp"

namespace baton::expr {
namespace {

struct Page {
  std::string variables;
  std::vector<std::pair<std::string, std::string>> cel;        // expression, what follows the arrow
  std::vector<std::pair<std::string, std::string>> templates;  // text, JSON
};

std::string trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return std::string(text);
}

Page read_page() {
  std::ifstream in(BATON_SOURCE_DIR "/docs/reference/expressions.md");
  Page page;
  std::string line;
  std::string block;
  while (std::getline(in, line)) {
    if (line.starts_with("```")) {
      block = block.empty() ? line.substr(3) : std::string();
      continue;
    }
    if (block == "json variables") page.variables += line + "\n";
    if (block != "cel" && block != "template") continue;
    const std::string arrow = block == "cel" ? "// → " : "→ ";
    const auto at = line.rfind(arrow);
    if (at == std::string::npos) {
      ADD_FAILURE() << "no value in the line: " << line;
      continue;
    }
    (block == "cel" ? page.cel : page.templates)
        .emplace_back(trimmed(line.substr(0, at)), line.substr(at + arrow.size()));
  }
  return page;
}

TEST(Documentation, EveryExampleHolds) {
  const auto page = read_page();
  ASSERT_GT(page.cel.size(), 100u);
  ASSERT_GT(page.templates.size(), 4u);
  const auto zones = calendar::ZoneTable::load();
  const auto variables = variables_of(page.variables);
  for (const auto& [text, want] : page.cel) {
    if (!zones && text.contains("Europe/")) continue;
    const auto got = outcome(text, variables, {}, zones ? *zones : test_zones());
    if (want.starts_with("error: ")) {
      // A part in which it happened may follow.
      EXPECT_TRUE(got == want || got.starts_with(want + " (in `"))
          << text << "\n   got " << got << "\n  want " << want;
    } else {
      EXPECT_EQ(got, outcome(want)) << text << " → " << want;
    }
  }
  for (const auto& [text, want] : page.templates) {
    const auto parsed = Template::parse(text);
    ASSERT_TRUE(parsed) << text;
    const auto got = parsed->render(variables, {}, test_zones());
    ASSERT_TRUE(got) << text << ": " << got.error().message;
    EXPECT_EQ(*got, *document(want)) << text;
  }
}

TEST(Documentation, EveryFunctionHasAnExample) {
  const auto page = read_page();
  const auto shown = [&](const std::string& part) {
    return std::any_of(page.cel.begin(), page.cel.end(),
                       [&](const auto& line) { return line.first.contains(part); });
  };
  for (const auto& f : all_functions())
    EXPECT_TRUE(shown((f.style == Function::Style::method ? "." : "") + std::string(f.name) + "(")) << f.name;
  for (const auto* macro : {"has(", ".all(", ".exists(", ".exists_one(", ".map(", ".filter("})
    EXPECT_TRUE(shown(macro)) << macro;
  for (const auto* op :
       {" + ", " - ", " * ", " / ", " % ", " == ", " != ", " < ", " > ", " in ", " && ", " || ", " ? ", "!"})
    EXPECT_TRUE(shown(op)) << op;
}

}  // namespace
}  // namespace baton::expr
