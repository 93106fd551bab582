// Parses and checks all expressions of a definition: syntax, types as far as they are known, unknown names,
// and that a step reads only what exists when it runs.
#pragma once

#include <string>
#include <vector>

#include "spec/findings.hpp"
#include "spec/graph.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

// Names of environment variables that expressions read as env.NAME, sorted.
std::vector<std::string> check_references(const Tree& tree, const Graph& graph, Findings& findings);

}  // namespace baton::spec
