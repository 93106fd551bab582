// tests/definitions/: wrong definitions, each with what is said about it in NAME.expected. BATON_UPDATE=1
// writes the expected texts anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/text.hpp"
#include "spec/parse.hpp"

namespace baton::spec {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> definitions() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(BATON_SOURCE_DIR "/tests/definitions")) {
    const auto extension = entry.path().extension();
    if (extension == ".yaml" || extension == ".json") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

TEST(Definitions, EachSaysWhatIsWrong) {
  ASSERT_GE(definitions().size(), 40U);
  for (const std::filesystem::path& path : definitions()) {
    const std::string name = path.filename().string();
    const ParseResult result = parse_workflow(read(path), {name});
    EXPECT_FALSE(result.workflow) << name;
    ASSERT_FALSE(result.diagnostics.empty()) << name;
    const std::string rendered = render(result.diagnostics);
    const std::filesystem::path expected = path.string() + ".expected";
    if (std::getenv("BATON_UPDATE") != nullptr) std::ofstream(expected) << rendered;
    EXPECT_EQ(rendered, read(expected));
  }
}

TEST(Definitions, EveryDiagnosticIsWhole) {
  for (const std::filesystem::path& path : definitions()) {
    const std::string text = read(path);
    const auto lines = static_cast<std::uint32_t>(std::ranges::count(text, '\n')) + 1;
    for (const Diagnostic& d : parse_workflow(text, {path.filename().string()}).diagnostics) {
      EXPECT_GE(d.line, 1U) << path;
      EXPECT_LE(d.line, lines) << path;
      EXPECT_GE(d.column, 1U) << path;
      EXPECT_GT(d.end_column, d.column) << path;
      EXPECT_FALSE(d.message.empty()) << path;
      EXPECT_EQ(printable(d.message), d.message) << path;
      EXPECT_EQ(printable(d.suggestion), d.suggestion) << path;
    }
  }
}

}  // namespace
}  // namespace baton::spec
