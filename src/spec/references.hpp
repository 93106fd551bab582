// Parses and checks all expressions of a definition: syntax, types as far as they are known, unknown names,
// and that a step reads only what exists when it runs.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "spec/findings.hpp"
#include "spec/graph.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

// What expressions read from outside of the run.
struct Reads {
  // Names of environment variables that stand there as env.NAME.
  std::set<std::string> of_steps;
  // By the values of the workflow's `env` and of `defaults`; they count if a step uses the value.
  std::vector<std::pair<NodeId, std::string>> of_shared;
  std::set<std::string> secrets;
};

Reads check_references(const Tree& tree, const Graph& graph, Findings& findings);

}  // namespace baton::spec
