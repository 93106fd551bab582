// The steps of a definition, what each needs, and questions about the order between them. No recursion:
// 100,000 steps in a row are as good as one.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.hpp"
#include "spec/findings.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

inline constexpr std::size_t kMaxSteps = 100'000;

struct StepPlace {
  NodeId key = kNoNode;
  NodeId body = kNoNode;
  bool finally = false;
};

// The nearest name for a message. Searching 100,000 names takes time, so a hostile text gets only so many
// suggestions.
class Suggester {
 public:
  explicit Suggester(std::vector<std::string_view> names) : names_(std::move(names)) {}
  std::string_view nearest_to(std::string_view word);

 private:
  std::vector<std::string_view> names_;
  std::size_t budget_ = 500'000;  // names looked at
};

struct Graph {
  std::vector<StepPlace> steps;  // `steps`, then `finally`: the place is the ordinal
  std::unordered_map<std::string_view, Ordinal> ordinals;
  std::vector<std::vector<Ordinal>> needs;  // ascending, distinct; what could not be resolved is left out
  std::vector<Ordinal> order;  // each step after the steps that it needs; empty if there is a cycle

  bool needs_directly(Ordinal step, Ordinal other) const;
};

// Reports names that are taken, needs that are unknown, doubled, of the step itself or of the wrong phase,
// and cycles.
Graph read_graph(const Tree& tree, Findings& findings);

struct AncestorQuery {
  Ordinal step = 0;
  Ordinal ancestor = 0;
};
// For each query whether `step` needs `ancestor`, directly or through others. The graph must have an order.
//
// Works on batches of 512 ancestors: one pass over the part of the order between the batch's first ancestor
// and its last asker carries a bit for each. So references to near steps cost next to nothing, and the worst
// case is (asked-for ancestors / 512) passes over all edges.
std::vector<bool> are_ancestors(const Graph& graph, std::span<const AncestorQuery> queries);

}  // namespace baton::spec
