// `cleanup` and `compensate`: what the table of fields cannot say about them.
#pragma once

#include "spec/findings.hpp"
#include "spec/graph.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

// Reports those of steps under `finally`, and `cleanup.after` that names no step, or one that does not need
// the step with the cleanup.
void check_endings(const Tree& tree, const Graph& graph, Findings& findings);

}  // namespace baton::spec
