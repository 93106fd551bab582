// Questions that steps ask (`wait: {approval}`), as long as nobody has answered them: one record per task
// that waits for an answer. The engine knows the same from the task's row; the records are there to be
// listed.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

struct Approval {
  TaskId task;
  std::string workflow;
  std::string step;
  std::string title;        // of the step, or its name
  std::int32_t index = -1;  // of a mapped step's item
  std::string question;     // may be empty
  std::string job_id;
  WallTime asked_at;
  WallTime until;  // then it has failed; 0 = never

  friend bool operator==(const Approval&, const Approval&) = default;
};

RecordKey approval_key(const TaskId& task);
Record to_record(const Approval& approval);          // its group is the run's id
Result<Approval> approval_of(const Record& record);  // or corrupt

}  // namespace baton::model
