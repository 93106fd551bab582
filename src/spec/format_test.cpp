#include "spec/format.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "spec/parse.hpp"
#include "spec/read.hpp"

namespace baton::spec {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string formatted(std::string_view text) {
  const auto result = format_yaml(text);
  return result ? *result : "error: " + result.error().message;
}

TEST(Format, Layout) {
  EXPECT_EQ(formatted(R"(# A workflow.


name:   x
inputs: { a: {type: string}   , b: [1,2,
   3] }   # both


steps:
    build:     # the first
        # how
        run: |
              make

              make   install
        needs: [ ]
        env: {A: "1"}
        # about build


    # about test
    test:
      needs:
      - build
      - other     # why
      run: >-
        a
        b
finally: {}
# the end
)"),
            R"(# A workflow.

name: x
inputs: {a: {type: string}, b: [1, 2, 3]}  # both

steps:
  build:       # the first
    # how
    run: |
      make

      make   install
    needs: []
    env: {A: "1"}
    # about build

  # about test
  test:
    needs:
      - build
      - other     # why
    run: >-
      a
      b
finally: {}
# the end
)");
}

TEST(Format, WhatIsTooLongForOneLineOrHasCommentsInside) {
  const std::string item = "\"" + std::string(50, 'x') + "\"";
  EXPECT_EQ(formatted("a: {b: [" + item + ", " + item + ", " + item + "], c: 1}\nd: [1, # one\n 2]\n"),
            "a:\n  b:\n    - " + item + "\n    - " + item + "\n    - " + item +
                "\n  c: 1\nd:\n  - 1  # one\n  - 2\n");
}

TEST(Format, EveryCommentIsKept) {
  const std::string text = R"(# 1
--- # 2
# 3
a: # 4
  # 5
  b: # 6
    1 # 7
  # 8
c: # 9
- # 10
  # 11
  d: 1 # 12
  # 13
- e # 14
# 15
f: { # 16
  g: 1, # 17
  # 18
  h: [ # 19
    1 # 20
  ] # 21
  # 22
} # 23
i: | # 24
  text # no comment
# 25
j: "a # no comment
  b" # 26
k: # 27
l: &x # 28
  {m: 1}
n: *x # 29
 # 30
)";
  const auto result = format_yaml(text);
  ASSERT_TRUE(result) << result.error().message;
  for (int i = 1; i <= 30; ++i) {
    const std::string comment = "# " + std::to_string(i);
    EXPECT_TRUE(result->find(comment + "\n") != std::string::npos) << comment << "\n" << *result;
  }
}

TEST(Format, TextsKeepTheirMeaning) {
  for (const char* text : {"a: |+\n  x\n\n\nb: 1\n",
                           "a: |-\n  x\nb: 1\n",
                           "a: |\n  x",
                           "a: |2\n   x\n  y\n",
                           "a: >\n  x\n   y\n\n  z\n\n",
                           "a: >+\n  x\n\n\nb: 1\n",
                           "a: |\n\n  x\n",
                           "a: |\n",
                           "a: >-\n",
                           "a: |+\n\n\nb: 1\n",
                           "- |\n text\n- >\n text\n",
                           "a: x\n  y\n\n  z\nb: 1\n",
                           "a: 'x\n  y''s\n\n  z'\n",
                           "a: \"x\n  y\\\n  z \\\n   w\"\n",
                           "a:\n\nb: ~\n",
                           "? a\n: b\n",
                           "? \"a\\nb\"\n: b\n",
                           "- - 1\n  - 2\n- - 3\n",
                           "-\n  - a\n",
                           "a: !!str 5\nb: &x 1\nc: *x\n",
                           "a: &x {b: 1}\nc:\n  <<: *x\n",
                           "a: &x\n  b: 1\nc: [*x, *x]\n",
                           "- &a x\n- *a\n",
                           "{a: 1}\n",
                           "[]\n",
                           "x\n",
                           "# only a comment\n",
                           "",
                           "\n\n",
                           "a: {b, c: }\n",
                           "a: [b: 1, c]\n",
                           "%YAML 1.2\n---\na: 1\n...\n",
                           "a: ä # ö\nb: 日本  # 語\n",
                           "a:\t1\t# x\n",
                           "a: 1\r\nb: |\r\n  x\r\n",
                           "a: - b\n",
                           "a: {'b': \"c\"}\n",
                           "a:\n ! \n ! b: 1\n",
                           "&x\n&y a: 1\nb: *y\n",
                           "a: \"#\"\nb: x#y\n",
                           "a: |1\n  x\n",
                           "a:\n  - |2\n     x\n    y\n",
                           "[a, [b,\n c\n  d]]\n"}) {
    const auto before = read_tree("x.yaml", text, {});
    if (!before) continue;  // format_yaml() refuses it with the same words
    const auto result = format_yaml(text);
    ASSERT_TRUE(result) << text << ": " << result.error().message;
    const auto after = read_tree("x.yaml", *result, {});
    ASSERT_TRUE(after) << text;
    EXPECT_TRUE(same_values(*before, *after)) << text << *result;
    EXPECT_EQ(formatted(*result), *result);
  }
}

// They are the documentation of good style.
TEST(Format, ExamplesAreLaidOut) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(BATON_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".yaml") continue;
    const std::string text = read(entry.path());
    EXPECT_EQ(formatted(text), text) << entry.path();
  }
}

TEST(Format, NoYaml) {
  EXPECT_FALSE(format_yaml("a: [1"));
  EXPECT_FALSE(format_yaml("a: 1\na: 2\n"));
  EXPECT_FALSE(format_yaml("a: 1\rb: 2\n"));
}

std::vector<std::filesystem::path> corpus() {
  std::vector<std::filesystem::path> paths;
  for (const char* folder : {"/examples", "/tests/definitions", "/tests/graphs",
                             "/tests/fuzz/corpus/spec_yaml", "/tests/fuzz/corpus/spec_definition"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::string(BATON_SOURCE_DIR) + folder)) {
      const auto extension = entry.path().extension();
      if (entry.is_regular_file() && (extension == ".yaml" || extension == ".yml" || extension.empty())) {
        paths.push_back(entry.path());
      }
    }
  }
  std::ranges::sort(paths);
  return paths;
}

// Whatever can be read is laid out, means the same, and stays as it then is.
TEST(Format, OfEverythingThereIs) {
  std::size_t laid_out = 0;
  for (const auto& path : corpus()) {
    const std::string text = read(path);
    if (!read_tree("x.yaml", text, {})) continue;
    const auto result = format_yaml(text);
    if (!result) {
      EXPECT_NE(result.error().message.find("line break"), std::string::npos)
          << path << ": " << result.error().message;
      continue;
    }
    ++laid_out;
    EXPECT_EQ(formatted(*result), *result) << path;
    const auto before = parse_workflow(text, {.file_name = "x.yaml"});
    const auto after = parse_workflow(*result, {.file_name = "x.yaml"});
    ASSERT_EQ(before.workflow == nullptr, after.workflow == nullptr) << path;
    if (before.workflow) {
      EXPECT_EQ(before.workflow->hash, after.workflow->hash) << path;
    }
  }
  EXPECT_GT(laid_out, 100U);
}

// Lines of definitions, torn apart: blanks, comments and empty lines anywhere.
TEST(Format, OfTornTexts) {
  const std::vector<std::filesystem::path> paths = corpus();
  std::size_t laid_out = 0;
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    std::mt19937 random(seed);
    std::stringstream in(read(paths[random() % paths.size()]));
    std::string text;
    for (std::string line; std::getline(in, line);) {
      switch (random() % 12) {
        case 0:
          text += std::string(random() % 6, ' ') + "# " + std::to_string(random() % 100) + "\n";
          break;
        case 1:
          text += "\n";
          break;
        case 2:
          line += "  # " + std::to_string(random() % 100);
          break;
        case 3:
          line += "   ";
          break;
        case 4:
          if (const std::size_t at = line.find_first_of(",{["); at != std::string::npos)
            line.insert(at + 1, " # c\n      ");
          break;
        case 5:
          if (const std::size_t at = line.find(": "); at != std::string::npos) line.insert(at + 1, "   ");
          break;
        default:
          break;
      }
      text += line + "\n";
    }
    if (!read_tree("x.yaml", text, {})) continue;
    const auto result = format_yaml(text);
    if (!result) {
      EXPECT_NE(result.error().message.find("line break"), std::string::npos)
          << seed << ": " << result.error().message << "\n"
          << text;
      continue;
    }
    ++laid_out;
  }
  EXPECT_GT(laid_out, 500U);
}

}  // namespace
}  // namespace baton::spec
