// Makes the workflow of a tree that all checks have passed.
#pragma once

#include <memory>

#include "model/definition.hpp"
#include "spec/graph.hpp"
#include "spec/references.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

// Takes the needs out of the graph.
std::shared_ptr<model::Workflow> build_workflow(const Tree& tree, Graph& graph, Reads reads);

}  // namespace baton::spec
