#include "spec/graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "spec/parse.hpp"
#include "spec/read.hpp"

namespace baton::spec {
namespace {

// A random graph in which a step needs only steps with smaller numbers of `hidden`, a random order.
Graph random_graph(std::size_t steps, std::size_t most_needs, std::mt19937& random) {
  std::vector<Ordinal> hidden(steps);
  for (Ordinal i = 0; i < steps; ++i) hidden[i] = i;
  std::ranges::shuffle(hidden, random);
  Graph graph;
  graph.steps.resize(steps);
  graph.needs.resize(steps);
  for (std::size_t i = 1; i < steps; ++i) {
    const std::size_t count = random() % (most_needs + 1);
    for (std::size_t n = 0; n < count; ++n) graph.needs[hidden[i]].push_back(hidden[random() % i]);
    std::ranges::sort(graph.needs[hidden[i]]);
    const auto rest = std::ranges::unique(graph.needs[hidden[i]]);
    graph.needs[hidden[i]].erase(rest.begin(), rest.end());
  }
  graph.order = hidden;
  return graph;
}

TEST(Ancestors, AgreeWithAnExhaustiveSearch) {
  std::mt19937 random(7);
  for (const std::size_t steps : {1, 2, 10, 700, 1500}) {
    const Graph graph = random_graph(steps, 3, random);
    std::vector<std::vector<bool>> reach(steps, std::vector<bool>(steps, false));
    for (const Ordinal step : graph.order) {
      for (const Ordinal needed : graph.needs[step]) {
        reach[step][needed] = true;
        for (std::size_t a = 0; a < steps; ++a) {
          if (reach[needed][a]) reach[step][a] = true;
        }
      }
    }
    std::vector<AncestorQuery> queries;
    for (int i = 0; i < 5000; ++i) {
      queries.push_back({static_cast<Ordinal>(random() % steps), static_cast<Ordinal>(random() % steps)});
    }
    const std::vector<bool> answers = are_ancestors(graph, queries);
    for (std::size_t i = 0; i < queries.size(); ++i) {
      ASSERT_EQ(answers[i], reach[queries[i].step][queries[i].ancestor])
          << queries[i].step << " " << queries[i].ancestor;
    }
  }
}

TEST(Graph, TheOrderRespectsTheNeeds) {
  std::string text = "steps:\n";
  std::mt19937 random(3);
  for (int i = 0; i < 500; ++i) {
    text += "  s" + std::to_string(i) + ": {needs: [";
    // Every second step needs later ones, so that the order is not that of the file.
    for (int n = 0; n < 3; ++n) {
      if (i % 2 == 0 && i > 0) text += "s" + std::to_string(random() % static_cast<unsigned>(i) | 1U) + ", ";
    }
    text += "]}\n";
  }
  const auto tree = read_yaml(text, {});
  ASSERT_TRUE(tree);
  Findings findings(*tree);
  const Graph graph = read_graph(*tree, findings);
  ASSERT_EQ(graph.order.size(), 500U);
  std::vector<std::size_t> place(500);
  for (std::size_t i = 0; i < 500; ++i) place[graph.order[i]] = i;
  for (Ordinal step = 0; step < 500; ++step) {
    for (const Ordinal needed : graph.needs[step]) EXPECT_LT(place[needed], place[step]);
  }
}

std::string chain(std::size_t steps, bool closed) {
  std::string text = "name: chain\nsteps:\n";
  for (std::size_t i = 0; i < steps; ++i) {
    const std::string before = "s" + std::to_string(i == 0 ? steps - 1 : i - 1);
    text += "  s" + std::to_string(i) + ":\n";
    if (i == 0 && !closed) {
      text += "    set: {x: 0}\n";
    } else {
      text += "    needs: [" + before + "]\n    set: {x: \"${{ steps." + before + ".result.x + 1 }}\"}\n";
    }
  }
  return text;
}

TEST(Graph, AHundredThousandStepsInARow) {
  const ParseResult result = parse_workflow(chain(100'000, false), {"chain.yaml"});
  ASSERT_TRUE(result.workflow) << render(result.diagnostics);
  EXPECT_EQ(result.workflow->steps.size(), 100'000U);
  EXPECT_EQ(result.workflow->steps[99'999].needs, std::vector<Ordinal>{99'998});
}

TEST(Graph, ALongCircleIsNamedInShort) {
  const ParseResult result = parse_workflow(chain(20'000, true), {"circle.yaml"});
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(result.diagnostics[0].message,
            "these steps need each other in a circle: s0 → s19999 → s19998 → s19997 → s19996 → s19995 → "
            "s19994 → s19993 "
            "→ s19992 → s19991 → s19990 → s19989 → … (19988 more) → s0 (each needs the next)");
  EXPECT_EQ(result.diagnostics[0].path, "steps.s0.needs[0]");
}

TEST(Graph, OneStepTooMany) {
  std::string text = "name: many\nsteps:\n";
  for (int i = 0; i <= 100'000; ++i) text += "  s" + std::to_string(i) + ": {run: a}\n";
  const ParseResult result = parse_workflow(text, {"many.yaml"});
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(result.diagnostics[0].message, "the workflow has 100001 steps; at most 100000 are possible");
}

TEST(Graph, ManyErrorsAreCounted) {
  std::string text = "name: many\nsteps:\n";
  for (int i = 0; i < 50'000; ++i)
    text += "  s" + std::to_string(i) + ": {run: a, needs: [t" + std::to_string(i) + "]}\n";
  const ParseResult result = parse_workflow(text, {"many.yaml"});
  ASSERT_EQ(result.diagnostics.size(), 201U);
  EXPECT_EQ(result.diagnostics[200].message, "and 49800 more errors");
}

}  // namespace
}  // namespace baton::spec
