// A run as lines for a terminal. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/console.hpp"
#include "cli/view/run_model.hpp"

namespace baton::cli {

struct TreeOptions {
  std::size_t columns = 80;  // no line is wider
  std::size_t rows = 24;  // not more lines than this; what is least interesting is counted instead of shown
  std::string run_id;
  Style style;
};

// The run, its steps (with the items that are active under mapped ones), and a bar with the expected
// remaining time while it has not ended.
std::vector<std::string> tree_lines(const RunModel& model, WallTime now, const TreeOptions& options);

}  // namespace baton::cli
