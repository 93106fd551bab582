// What a definition says about failure: `on_error`, `max_failures`, deadlines. What several of the fields say
// together, and the values read and written.
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <vector>

#include "model/definition.hpp"
#include "spec/findings.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

// Reports what one field alone cannot show: patterns that are none, rules that can never be reached or have
// no effect, limits of 0. `owner` is a step (or action) or the workflow. Values of a wrong form, which
// check_fields() has reported, are passed over.
void check_failure(const Tree& tree, NodeId owner, bool is_step, Findings& findings);

// Read a value that has been checked.
std::vector<model::ErrorRule> read_on_error(const Tree& tree, NodeId list);
// Null if the step says nothing of this.
std::unique_ptr<model::FailureRules> read_failure(const Tree& tree, NodeId step);
std::unique_ptr<model::Notes> read_notes(const Tree& tree, NodeId step);
model::TriggerRule read_trigger_rule(const Tree& tree, NodeId step);

// The values as they would stand in a definition.
boost::json::value to_json(const std::vector<model::ErrorRule>& rules);
boost::json::value to_json(const model::MaxFailures& value);

}  // namespace baton::spec
