// The inputs of a workflow: their declarations, and whether what a run is started with fits them.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/definition.hpp"
#include "spec/findings.hpp"
#include "spec/tree.hpp"

namespace baton::spec {

// Reports declarations that are no schemas, and defaults that do not fit their own.
void check_inputs(const Tree& tree, Findings& findings);
// Reads declarations that have been checked.
std::vector<model::Input> read_inputs(const Tree& tree);

// The complete input of a run: `given` with defaults filled in, in the order of the declaration; an optional
// input that is not given is null. Fails with ErrorCode::invalid_input: the message has a line for each
// problem (inputs that are not declared with the nearest name, missing ones, values that do not fit), `where`
// is the JSON pointer of the first.
Result<boost::json::object> resolve_inputs(const model::Workflow& workflow, const boost::json::value& given);

// Whether there is an input of that name whose declaration allows null.
bool takes_null(const model::Workflow& workflow, std::string_view name);

// A value that was typed as text (`--input limit=5`): JSON if it is JSON and fits the schema, else the text
// itself if that fits. Fails with ErrorCode::invalid_input.
Result<boost::json::value> coerce_text(const boost::json::value& schema, std::string_view text);

}  // namespace baton::spec
