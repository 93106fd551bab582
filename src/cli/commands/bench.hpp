// baton bench.
#pragma once

#include "cli/program.hpp"

namespace baton::cli {

void add_bench(Program& program);

}  // namespace baton::cli
