// Holds a tree against the table of fields: unknown fields, wrong kinds of values, values out of range,
// fields of later versions. What several fields say together (names, needs, expressions) is checked by later
// passes.
#pragma once

#include <optional>

#include "base/time.hpp"
#include "spec/fields.hpp"
#include "spec/findings.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

void check_fields(const Tree& tree, Findings& findings);

// What a field's value is read as, after the check: nullopt where the check found an error.
std::optional<Duration> read_duration(const Tree& tree, NodeId node);

}  // namespace baton::spec
