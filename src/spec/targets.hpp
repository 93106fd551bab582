// Downstream services and circuit breakers of a definition: whether names fit together, and what a step gets
// from the target that it names.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "model/breaker.hpp"
#include "spec/findings.hpp"
#include "spec/graph.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

void check_targets(const Tree& tree, const Graph& graph, Findings& findings);

// What a checked definition says about targets.
class Targets {
 public:
  explicit Targets(const Tree& tree);

  // The field that holds for a step: of its operation, else of its target; kNoNode if neither has it.
  NodeId field_of(NodeId step, std::string_view name) const;
  // The breaker of a step; null if it has none.
  std::shared_ptr<const model::BreakerSettings> breaker_of(NodeId step) const;

 private:
  void declare(NodeId breaker, std::string_view name);

  const Tree& tree_;
  std::map<std::string_view, NodeId> targets_;
  std::map<std::string, std::shared_ptr<const model::BreakerSettings>, std::less<>>
      breakers_;  // those with settings
};

// The canonical form of a breaker that a step names.
boost::json::value to_json(const model::BreakerSettings& settings);

}  // namespace baton::spec
