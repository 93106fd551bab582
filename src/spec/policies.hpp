// Retry, timeout and cache policies: what several of their fields say together, and what is meant where a
// field is left out.
#pragma once

#include <boost/json/value.hpp>
#include <optional>

#include "model/definition.hpp"
#include "spec/findings.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

// Report impossible combinations. Values of a wrong form, which check_fields() has reported, are passed over.
void check_retry(const Tree& tree, NodeId node, Findings& findings);
void check_timeout(const Tree& tree, NodeId node, Findings& findings);
void check_cache(const Tree& tree, NodeId node, Findings& findings);

// Read a value that has been checked.
model::Retry read_retry(const Tree& tree, NodeId node);
model::Timeout read_timeout(const Tree& tree, NodeId node);
model::Cache read_cache(const Tree& tree, NodeId node);

// The value as it would stand in a definition, all fields written.
boost::json::value to_json(const model::Retry& retry);
boost::json::value to_json(const model::Timeout& timeout);
boost::json::value to_json(const model::Cache& cache);

}  // namespace baton::spec
