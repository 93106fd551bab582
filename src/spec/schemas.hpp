// JSON Schemas within a definition: `inputs`, `response_schema`.
#pragma once

#include <boost/json/value.hpp>
#include <optional>

#include "schema/schema.hpp"
#include "spec/findings.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

// Compiles `source`, the schema that stands at `node` (without what is Baton's own and no keyword). What is
// wrong with it is reported where it stands. `budget` is that of the definition's schemas together.
std::optional<schema::Schema> check_schema(const Tree& tree, NodeId node, const boost::json::value& source,
                                           schema::Budget& budget, Findings& findings);

}  // namespace baton::spec
