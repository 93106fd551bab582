// What a step says about limits, rates and fair turns: `concurrency`, `uses`, `rate_limit`, `fair_key`. What
// several of the fields say together, and the values read and written.
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string_view>

#include "model/definition.hpp"
#include "model/flow.hpp"
#include "spec/findings.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

// Reports what one field alone cannot show: a limit that is named twice, too many of them, empty keys. Values
// of a wrong form, which check_fields() has reported, are passed over.
void check_flow(const Tree& tree, NodeId step, Findings& findings);

// Null if the step says nothing of this. The rate and the concurrency of a step without a key of their own
// have the name "WORKFLOW.STEP".
std::unique_ptr<model::FlowRules> read_flow(const Tree& tree, NodeId step, std::string_view workflow,
                                            std::string_view name);

// Of the runs of a workflow.
void check_run_limit(const Tree& tree, Findings& findings);
std::optional<model::RunLimit> read_run_limit(const Tree& tree);

// The values as they would stand in a definition; null = the field is not there.
boost::json::value concurrency_json(const model::FlowRules& rules);
boost::json::value uses_json(const model::FlowRules& rules);
boost::json::value rate_json(const model::FlowRules& rules);

}  // namespace baton::spec
