// What the fields of the kinds `wait` and `switch` say together.
#pragma once

#include "model/definition.hpp"
#include "spec/findings.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

// Report what cannot be: two things to wait for, an `else` that is not the last branch … Values of a wrong
// form, which check_fields() has reported, are passed over.
void check_wait(const Tree& tree, Member field, Findings& findings);
void check_branches(const Tree& tree, Member field, Findings& findings);

// The `goto` or `else` of a checked branch: the names of steps that stand there.
std::vector<NodeId> targets_of(const Tree& tree, NodeId branch);

}  // namespace baton::spec
