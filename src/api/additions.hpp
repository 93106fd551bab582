// Steps that a task adds to its run: what they may need is asked of the run.
#pragma once

#include <string>
#include <string_view>

#include "api/queries.hpp"
#include "base/error.hpp"
#include "spec/parse.hpp"

namespace baton::api {

// not_found: there is no such task. Mistakes of the text are in the result's diagnostics.
Result<spec::AdditionResult> read_addition(Queries& queries, const TaskId& task, std::string_view text,
                                           const std::string& file);

}  // namespace baton::api
