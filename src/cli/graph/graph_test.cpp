#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "cli/graph/exchange.hpp"
#include "cli/graph/layers.hpp"
#include "cli/graph/picture.hpp"
#include "cli/text_width.hpp"
#include "spec/parse.hpp"

namespace baton::cli {
namespace {

spec::Outline outline_of(std::string_view text) {
  const spec::CheckResult checked = spec::check_workflow(text);
  if (!checked.outline) throw std::runtime_error(spec::render(checked.diagnostics));
  return *checked.outline;
}

constexpr std::string_view kRelease = R"(name: release
title: Build and release
steps:
  checkout: {run: x}
  lint: {needs: [checkout], run: x}
  unit: {needs: [checkout], for_each: [a, b, c], run: x}
  build: {needs: [checkout], run: x}
  package: {needs: [lint, unit, build], run: x}
  approve: {needs: [package], when: inputs.live, set: {ok: true}}
  deploy: {needs: [approve, build], run: x}
finally:
  report: {run: x}
inputs: {live: {type: boolean, default: true}}
)";

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// tests/graphs: definitions, each with its drawings in NAME.txt. BATON_UPDATE=1 draws them anew: look at
// them.
TEST(Picture, Drawings) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(BATON_SOURCE_DIR "/tests/graphs")) {
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
  }
  for (const char* example : {"hello", "fan-out", "dataset-build"}) {
    paths.push_back(std::filesystem::path(BATON_SOURCE_DIR "/examples") / example / "workflow.yaml");
  }
  ASSERT_GE(paths.size(), 6U);
  for (const auto& path : paths) {
    const auto outline = outline_of(read(path));
    std::string text = draw(outline, 80, Strokes::unicode, {}).value_or("does not fit\n") +
                       "\n--- ASCII, 60 columns\n\n" +
                       draw(outline, 60, Strokes::ascii, {}).value_or("does not fit\n") + "\n--- list\n\n" +
                       list_steps(outline, Strokes::unicode, {}) + "\n--- summary\n\n" +
                       summarise(outline, 60, Strokes::ascii, {});
    const std::string name =
        path.filename() == "workflow.yaml" ? path.parent_path().filename().string() : path.stem().string();
    const std::filesystem::path expected =
        std::filesystem::path(BATON_SOURCE_DIR "/tests/graphs") / (name + ".txt");
    if (std::getenv("BATON_UPDATE") != nullptr) std::ofstream(expected) << text;
    EXPECT_EQ(text, read(expected)) << name;
  }
}

TEST(Picture, StepsShareABoxWhereThereIsNoRoom) {
  std::string text = "name: wide\nsteps:\n  plan: {run: x}\n";
  for (int i = 0; i < 30; ++i) text += "  part-" + std::to_string(i) + ": {needs: [plan], run: x}\n";
  const auto drawing = [&](std::size_t columns) {
    return draw(outline_of(text), columns, Strokes::unicode, {});
  };
  EXPECT_NE(drawing(80).value_or("").find("part-0 … part-29"), std::string::npos);
  EXPECT_NE(drawing(80).value_or("").find("30 steps"), std::string::npos);
  EXPECT_NE(drawing(1000).value_or("").find("│ part-29 │"), std::string::npos);
  EXPECT_FALSE(drawing(15));
}

TEST(Picture, NeverWiderThanAsked) {
  for (std::size_t columns = 20; columns < 100; ++columns) {
    const auto drawing = draw(outline_of(kRelease), columns, Strokes::unicode, {});
    if (!drawing) continue;
    std::stringstream lines(*drawing);
    std::string line;
    std::getline(lines, line);  // the heading is text
    while (std::getline(lines, line)) EXPECT_LE(text_width(line), columns);
  }
}

TEST(Picture, NamesAndConditionsCannotSteerTheTerminal) {
  const auto outline =
      outline_of("name: x\ntitle: \"a\\e[31mb\"\nsteps: {a: {when: '\"\\u001b[2J\" == \"\"', run: x}}\n");
  EXPECT_EQ(draw(outline, 80, Strokes::unicode, {}).value_or("").find('\x1b'), std::string::npos);
  EXPECT_EQ(list_steps(outline, Strokes::unicode, {}).find('\x1b'), std::string::npos);
  EXPECT_EQ(to_mermaid(outline).find('\x1b'), std::string::npos);
  EXPECT_EQ(to_dot(outline).find('\x1b'), std::string::npos);
}

TEST(Exchange, Mermaid) {
  EXPECT_EQ(
      to_mermaid(outline_of("name: x\nsteps: {a: {run: x}, b: {needs: [a], when: '\"<\" == \"#\"', run: x}}\n"
                            "finally: {c: {run: x}}\n")),
      R"(flowchart TD
  s0["a"]
  s1["b<br/><small>if #quot;#lt;#quot; == #quot;#35;#quot;</small>"]:::conditional
  subgraph finally
    s2["c"]
  end
  s0 -.-> s1
  classDef conditional stroke-dasharray: 4 3
)");
}

TEST(Exchange, Dot) {
  EXPECT_EQ(
      to_dot(outline_of("name: x\nsteps: {a: {run: x}, b: {needs: [a], when: '\"x\" == \"y\"', run: x}}\n"
                        "finally: {c: {run: x}}\n")),
      R"(digraph "x" {
  node [shape=box, style=rounded];
  "a" [label="a"];
  "b" [label="b\nif \"x\" == \"y\"", style="rounded,dashed"];
  subgraph cluster_finally {
    label="finally"; style=dashed;
    "c" [label="c"];
  }
  "a" -> "b" [style=dashed];
}
)");
}

TEST(Exchange, Json) {
  EXPECT_EQ(
      boost::json::serialize(
          to_json(outline_of("name: x\nsteps: {a: {set: {}}, b: {needs: [a], run: x}}\n"))),
      R"({"workflow":"x","title":null,"steps":[)"
      R"({"name":"a","title":null,"kind":"set","phase":"steps","needs":[],"branches":[],"when":null,"for_each":null},)"
      R"({"name":"b","title":null,"kind":"run","phase":"steps","needs":["a"],"branches":[],"when":null,)"
      R"("for_each":null}]})");
}

LayerGraph random_graph(std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto pick = [&](int count) { return static_cast<int>(random() % static_cast<std::uint32_t>(count)); };
  LayerGraph graph;
  const int boxes = 1 + pick(24);
  for (int i = 0; i < boxes; ++i) graph.widths.push_back(5 + 2 * pick(10));
  for (int to = 1; to < boxes; ++to) {
    std::set<int> from;
    for (int n = pick(4); n > 0; --n) from.insert(pick(to));
    for (const int f : from) graph.edges.emplace_back(f, to);
  }
  return graph;
}

// What a line covers, as (column, row between the layers): two lines may only cross there.
TEST(Layers, EveryNeedIsALineAndLinesDoNotRunTogether) {
  int overlapping = 0;
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    const LayerGraph graph = random_graph(seed);
    const Layers layers = arrange(graph);
    const auto place = [&](int p) -> const LayerPlace& { return layers.places[static_cast<std::size_t>(p)]; };
    // Places stand in their layer, apart from each other and within the width.
    for (const auto& layer : layers.layers) {
      for (std::size_t i = 0; i < layer.size(); ++i) {
        const LayerPlace& p = place(layer[i]);
        ASSERT_GE(p.middle - p.width / 2, 0) << seed;
        ASSERT_LT(p.middle + p.width / 2, layers.width) << seed;
        if (i > 0) {
          const LayerPlace& before = place(layer[i - 1]);
          ASSERT_LT(before.middle + before.width / 2, p.middle - p.width / 2) << seed;
        }
      }
    }
    // Following the lines from a box down to boxes gives its needs, no more and no less.
    std::set<std::pair<int, int>> found;
    for (int box = 0; box < static_cast<int>(graph.widths.size()); ++box) {
      std::vector<int> open{box};
      while (!open.empty()) {
        const int at = open.back();
        open.pop_back();
        for (const LineGroup& group :
             layers.between.empty() || place(at).layer + 1 >= static_cast<int>(layers.layers.size())
                 ? std::vector<LineGroup>{}
                 : layers.between[static_cast<std::size_t>(place(at).layer)]) {
          if (std::ranges::find(group.sources, at) == group.sources.end()) continue;
          for (const int target : group.targets) {
            if (place(target).box < 0) {
              open.push_back(target);
            } else {
              ASSERT_TRUE(found.emplace(box, place(target).box).second) << seed;
            }
          }
        }
      }
    }
    ASSERT_EQ(found, std::set(graph.edges.begin(), graph.edges.end())) << seed;
    for (std::size_t gap = 0; gap < layers.between.size(); ++gap) {
      std::set<std::pair<int, int>> sideways;  // (column, track)
      std::set<std::pair<int, int>> down;      // (column, half track)
      for (const LineGroup& group : layers.between[gap]) {
        std::set<std::pair<int, int>> own_sideways;
        std::set<std::pair<int, int>> own_down;
        int low = INT32_MAX;
        int high = 0;
        for (const int source : group.sources) {
          const int column = place(source).middle;
          low = std::min(low, column);
          high = std::max(high, column);
          for (int row = -1; row <= 2 * group.track; ++row) own_down.emplace(column, row);
        }
        for (const int column : group.columns) {
          low = std::min(low, column);
          high = std::max(high, column);
          for (int row = 2 * group.track; row <= 2 * layers.tracks[gap]; ++row) own_down.emplace(column, row);
        }
        for (int column = low; column <= high && low < high; ++column)
          own_sideways.emplace(column, group.track);
        for (const auto& cell : own_sideways) ASSERT_TRUE(sideways.insert(cell).second) << seed;
        bool shared = false;
        for (const auto& cell : own_down) shared |= !down.insert(cell).second;
        overlapping += shared ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(overlapping, 0);
}

}  // namespace
}  // namespace baton::cli
