// What `baton run` prints when the run has ended.
#pragma once

#include <string>

#include "base/error.hpp"
#include "cli/console.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/view/run_model.hpp"

namespace baton::cli {

// The whole run on stdout: {"run": …, "tasks": […]}, or as a table the tree of its steps. What failed, with
// the end of its log, stands below the table or, with the other forms, on stderr.
Status report(Session& session, Console& console, Format format, const std::string& run,
              const RunModel& model);

}  // namespace baton::cli
