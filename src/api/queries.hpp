// What can be asked about runs and tasks, as JSON. Tasks that never changed have no row in the store: they
// are derived from the run's definition.
#pragma once

#include <optional>
#include <string>

#include "api/definitions.hpp"
#include "api/json_text.hpp"
#include "api/remaining.hpp"
#include "api/run_steps.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "model/pause.hpp"
#include "store/store.hpp"

namespace baton::api {

// Where a list of tasks goes on: tasks stand in the order of steps, then items.
struct TaskCursor {
  Ordinal step = 0;
  std::uint32_t item = 0;

  static std::optional<TaskCursor> parse(std::string_view text);
  std::string text() const;
};

// Where a list of runs goes on; "" = it has ended, as nullopt of a text that is none.
std::string run_cursor(std::optional<RunKey> next);
std::optional<RunKey> parse_run_cursor(std::string_view text);

// What one thing looks like, with its ETag (without quotes).
struct Tagged {
  std::string body;
  std::string tag;
};

// A page ends when it has this many bytes, whatever its limit of items is.
inline constexpr std::size_t kPageBytes = std::size_t{8} << 20;

// Thread-safe. Everything about a run that does not exist is not_found.
class Queries {
 public:
  explicit Queries(store::Reader& store) : store_(store), definitions_(store) {}

  store::Reader& store() { return store_; }
  Definitions& definitions() { return definitions_; }

  Result<store::RunView> find(const RunId& id);
  // Null if the definition cannot be read.
  std::shared_ptr<const model::Workflow> workflow_of(const model::RunRow& row);

  // With what its tasks have added.
  Result<std::shared_ptr<const RunSteps>> steps_of(const model::RunRow& row);
  // Null if they cannot be read.
  std::shared_ptr<const RunSteps> known_steps_of(const model::RunRow& row);

  Result<Tagged> run(const RunId& id);
  Result<Tagged> run(const store::RunView& view);
  Result<std::string> runs(const store::RunFilter& filter, std::optional<RunKey> before, std::size_t limit);
  // Seed 001's `recoverable`: failed, and recovered less often than its definition allows.
  Result<std::string> recoverable_runs(const store::RunFilter& filter, std::optional<RunKey> before,
                                       std::size_t limit);
  Result<std::string> history(const RunId& id, std::optional<JournalSequence> before, std::size_t limit);

  // The run as it was then, by folding its journal: everything up to the first fact that is later than `at`.
  // Tasks by ordinal, from `from` on.
  Result<std::string> state_at(const RunId& id, WallTime at, Ordinal from, std::size_t limit);

  // Seed 001's progress object.
  Result<std::string> progress(const RunId& id, std::optional<WallTime> now);

  Result<std::string> tasks(const RunId& run, TaskCursor from, std::size_t limit);
  Result<std::string> task(const TaskId& id);
  Result<model::TaskRow> task_row(const TaskId& id);

 private:
  struct Run;
  Result<PastDurations> past_durations(const model::RunRow& row);
  Result<Run> open(const RunId& id);
  Result<store::TaskView> locate(Run& run, const TaskId& id);
  Status write_run_item(const model::RunRow& row, JsonText& out);
  Result<std::string> resources_of(const RunId& run);
  Result<std::optional<model::Pause>> pause_of(const model::RunRow& row);
  std::size_t ended_steps(const model::RunRow& row, const RunSteps* steps);
  Status write_task_item(Run& run, const store::TaskView& view, bool attempt_list, JsonText& out);
  Result<std::optional<std::string>> result_of(Run& run, const store::TaskView& view);

  store::Reader& store_;
  Definitions definitions_;
};

}  // namespace baton::api
