// What `baton simulate` is told about a workflow: how long its steps take and how often they fail.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/definition.hpp"
#include "simulate/study.hpp"
#include "spec/diagnostic.hpp"

namespace baton::scenario {

struct Assumptions {
  std::optional<std::uint32_t> workers;
  std::map<std::string, simulate::Assumption> steps;
  std::vector<spec::Diagnostic> diagnostics;  // mistakes; then the rest is not to be used
};

// Steps take their `estimate`.
Assumptions assumptions_of(const model::Workflow& workflow);
// Of steps that the text does not name, `otherwise` holds.
Assumptions read_assumptions(std::string_view text, const std::string& file_name,
                             const model::Workflow& workflow, Assumptions otherwise);

}  // namespace baton::scenario
