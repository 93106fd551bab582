#include "logs/paths.hpp"

#include <filesystem>

#include "base/time.hpp"

namespace baton::logs {

std::string run_path(const RunId& run) {
  std::int64_t milliseconds = 0;
  for (int i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | run.bytes[i];
  return to_rfc3339(WallTime{} + Duration::millis(milliseconds)).substr(0, 10) + '/' + run.text();
}

std::string attempt_path(const TaskId& task, std::uint32_t attempt) {
  return run_path(task.run) + '/' + std::to_string(task.ordinal) + '.' + std::to_string(attempt);
}

Status remove_run(const std::string& log_directory, const RunId& run) {
  const std::filesystem::path directory = std::filesystem::path(log_directory) / run_path(run);
  std::error_code error;
  std::filesystem::remove_all(directory, error);  // does not follow symbolic links
  if (error && error != std::errc::no_such_file_or_directory)
    return fail(ErrorCode::io, "cannot delete the logs: " + errno_text(error.value()), directory.string());
  std::filesystem::remove(directory.parent_path(), error);  // fails while other runs of the day have logs
  return {};
}

}  // namespace baton::logs
