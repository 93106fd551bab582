// The definition language for tools: a JSON Schema made of the table of fields.
#pragma once

#include <boost/json/object.hpp>

namespace baton::spec {

// Draft 7, for editors and other tools; with descriptions, defaults and examples. It says all that the table
// says. What only the parser checks (the names in `needs`, expressions …) is listed in
// docs/reference/definition.md.
boost::json::object json_schema();

}  // namespace baton::spec
