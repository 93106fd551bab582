// The one text of a workflow: what its hash is taken of and what is stored.
#pragma once

#include <string>

#include "model/definition.hpp"

namespace baton::spec {

// Compact JSON in the definition language itself. Defaults are applied (there is no `defaults`, and what has
// its default is left out), durations have one spelling, maps of fixed fields are sorted by name; what the
// author named
// (`steps`, `inputs`, `set`, `env` …) keeps its order, since the order of steps has a meaning and the others
// show it to people. parse_canonical() makes an equal workflow of it.
std::string canonical_text(const model::Workflow& workflow);

}  // namespace baton::spec
