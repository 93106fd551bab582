// The health checks of a workflow's targets as a workflow of their own: `baton preflight` runs it.
#pragma once

#include <string>

#include "model/definition.hpp"

namespace baton::spec {

// A definition with one step for each target that has `health`, named as the target; "" if none has. It has
// the workflow's inputs if a URL reads them.
std::string preflight_definition(const model::Workflow& workflow);

}  // namespace baton::spec
