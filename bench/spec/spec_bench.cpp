// spec_bench [STEPS]: what it takes to read, check, lay out and compare a definition of so many steps
// (100,000), each with needs, an environment, a condition and two expressions. The floor is reading the text
// into a tree.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "spec/diff.hpp"
#include "spec/format.hpp"
#include "spec/parse.hpp"
#include "spec/read.hpp"

namespace {

using namespace baton;

std::string definition(int steps, bool json) {
  std::string text =
      json ? R"({"name": "large", "inputs": {"limit": {"type": "integer", "default": 5}}, "steps": {)"
           : "name: large\ninputs: {limit: {type: integer, default: 5}}\nsteps:\n";
  for (int i = 0; i < steps; ++i) {
    const std::string name = "step-" + std::to_string(i);
    // One step before it, and one far before it.
    const std::string near = "step-" + std::to_string(i - 1);
    const std::string far = "step-" + std::to_string(i / 2);
    const bool second = i > 2;
    if (json) {
      text += std::string(i == 0 ? "" : ", ") + "\"" + name +
              "\": {\"run\": \"work\", \"env\": {\"LIMIT\": \"${{ inputs.limit }}\"";
      if (i > 0) text += ", \"BEFORE\": \"${{ steps[\\\"" + near + "\\\"].result }}\"";
      text += "}";
      if (i > 0) text += ", \"needs\": [\"" + near + "\"" + (second ? ", \"" + far + "\"" : "") + "]";
      if (second) text += ", \"when\": \"steps[\\\"" + far + "\\\"].status == \\\"completed\\\"\"";
      text += "}";
    } else {
      text += "  " + name + ":\n";
      if (i > 0) text += "    needs: [" + near + (second ? ", " + far : "") + "]\n";
      if (second) text += "    when: steps[\"" + far + "\"].status == \"completed\"\n";
      text += "    run: work\n    env:\n      LIMIT: ${{ inputs.limit }}\n";
      if (i > 0) text += "      BEFORE: ${{ steps[\"" + near + "\"].result }}\n";
    }
  }
  return text + (json ? "}}" : "");
}

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "spec_bench: %s\n", what);
  std::exit(1);
}

void measure(const char* title, std::size_t bytes, const std::function<void()>& work) {
  std::vector<double> seconds;
  for (int i = 0; i < 5; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  std::ranges::sort(seconds);
  std::printf("%-36s %8.3f s   (%.3f to %.3f)  %6.1f MB/s\n", title, seconds[2], seconds[0], seconds[4],
              static_cast<double>(bytes) / 1e6 / seconds[2]);
}

}  // namespace

int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 100'000;
  for (const bool json : {false, true}) {
    const std::string text = definition(steps, json);
    const std::string name = json ? "x.json" : "x.yaml";
    std::printf("%s: %d steps, %.1f MB\n", json ? "JSON" : "YAML", steps,
                static_cast<double>(text.size()) / 1e6);
    measure("  read into a tree", text.size(),
            [&] { require(spec::read_tree(name, text, {}).has_value(), "read"); });
    measure("  check (baton validate)", text.size(),
            [&] { require(spec::check_workflow(text, {.file_name = name}).outline.has_value(), "check"); });
    measure("  parse (baton run)", text.size(),
            [&] { require(spec::parse_workflow(text, {.file_name = name}).workflow != nullptr, "parse"); });
    if (!json) {
      measure("  lay out (baton fmt)", text.size(),
              [&] { require(spec::format_yaml(text).has_value(), "format"); });
    }
    const auto tree = spec::read_tree(name, text, {});
    require(tree.has_value(), "read");
    measure("  compare with itself (baton diff)", text.size(),
            [&] { require(spec::diff(*tree, *tree).empty(), "diff"); });
  }
}
