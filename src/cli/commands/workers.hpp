// How a worker looks in a table.
#pragma once

#include <vector>

#include "cli/output.hpp"

namespace baton::cli {

// Name, status, attempts, CPU and memory.
std::vector<Column> worker_columns();

}  // namespace baton::cli
