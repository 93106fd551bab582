// Text → scenarios. Pure: other files are read by the caller.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "scenario/scenario.hpp"
#include "spec/diagnostic.hpp"

namespace baton::scenario {

struct ReadResult {
  std::vector<Scenario> scenarios;  // empty if there are errors
  std::vector<spec::Diagnostic> diagnostics;
};

// The text of a workflow's file; `path` as it stands in the scenario.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

// Finds all errors at once. `file_name` is for messages; without its folders and endings it names a single
// scenario.
ReadResult read_scenarios(std::string_view text, const std::string& file_name, const ReadFile& read_file);

}  // namespace baton::scenario
