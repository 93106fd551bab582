// spec_bench [STEPS]: what it takes to read, check, lay out and compare a definition of so many steps
// (100,000), each with needs, an environment, a condition and two expressions. The floor is reading the text
// into a tree.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "spec/diff.hpp"
#include "spec/format.hpp"
#include "spec/parse.hpp"
#include "spec/read.hpp"

namespace {

using namespace baton;

// `through`: the far step is read without being needed directly, so that the order of all steps decides.
std::string definition(int steps, bool json, bool through = false) {
  std::string text =
      json ? R"({"name": "large", "inputs": {"limit": {"type": "integer", "default": 5}}, "steps": {)"
           : "name: large\ninputs: {limit: {type: integer, default: 5}}\nsteps:\n";
  for (int i = 0; i < steps; ++i) {
    const std::string name = "s" + std::to_string(i);
    // One step before it, and one far before it.
    const std::string near = "s" + std::to_string(i - 1);
    const std::string far = "s" + std::to_string(i / 2);
    const bool needs = i > 0;
    const std::string list = near + (i > 2 && !through ? ", " + far : "");
    if (json) {
      std::string quoted = "\"" + near + "\"";
      if (i > 2) quoted += ", \"" + far + "\"";
      text += std::string(i == 0 ? "" : ", ") + "\"" + name +
              "\": {\"run\": \"work\", \"env\": {\"L\": \"${{ inputs.limit }}\"" +
              (needs ? ", \"B\": \"${{ steps." + near + ".result }}\"" : "") + "}";
      if (needs) text += ", \"needs\": [" + quoted + "], \"when\": \"steps." + far + ".attempts > 0\"";
      text += "}";
    } else {
      text += "  " + name + ":\n";
      if (needs) text += "    needs: [" + list + "]\n    when: steps." + far + ".attempts > 0\n";
      text += "    run: work\n    env:\n      L: ${{ inputs.limit }}\n";
      if (needs) text += "      B: ${{ steps." + near + ".result }}\n";
    }
  }
  return text + (json ? "}}" : "");
}

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "spec_bench: %s\n", what);
  std::exit(1);
}

// One thread and no I/O: the processor's time is the time, and says the same on a busy machine.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void measure(const char* title, std::size_t bytes, const std::function<void()>& work) {
  std::vector<double> seconds;
  for (int i = 0; i < 5; ++i) {
    const double begin = cpu_seconds();
    work();
    seconds.push_back(cpu_seconds() - begin);
  }
  std::ranges::sort(seconds);
  std::printf("%-36s %8.3f s   (%.3f to %.3f)  %6.1f MB/s\n", title, seconds[2], seconds[0], seconds[4],
              static_cast<double>(bytes) / 1e6 / seconds[2]);
}

}  // namespace

int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 100'000;
  {
    const std::string text = definition(steps, false, true);
    std::printf("YAML, conditions on steps that are needed through others: %d steps, %.1f MB\n", steps,
                static_cast<double>(text.size()) / 1e6);
    measure("  check (baton validate)", text.size(), [&] {
      require(spec::check_workflow(text, {.file_name = "x.yaml"}).outline.has_value(), "check");
    });
  }
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
