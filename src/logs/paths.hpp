// Where logs lie beneath the log directory: <yyyy-mm-dd>/<run id>/<ordinal>.<attempt>
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/ids.hpp"

namespace baton::logs {

// The directory of a run's logs, relative to the log directory. The date is that of the run's creation (UTC),
// which its id contains.
std::string run_path(const RunId& run);
// The log of one attempt, relative to the log directory. `attempt` counts over all generations of the task:
// two attempts with the same path would replace each other's log.
std::string attempt_path(const TaskId& task, std::uint32_t attempt);

// Deletes all logs of a run, and the directory of its day when it was the last one. No logs: no error.
Status remove_run(const std::string& log_directory, const RunId& run);

}  // namespace baton::logs
