// Dead letters: tasks that failed for good, with what a person needs to judge and replay them. One per task
// and generation. The rendered arguments and the log stay where they are, with the task.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

struct DeadLetter {
  TaskId task;
  std::uint32_t generation = 1;
  std::string workflow;
  std::uint32_t version = 1;
  std::string step;
  std::int32_t index = -1;  // of a mapped step's item
  std::string queue;
  std::string job_id;
  std::string error_type;
  std::string error_message;
  std::uint32_t attempts = 0;  // that counted
  std::uint32_t starts = 0;    // all
  std::uint32_t lost = 0;
  std::uint32_t interrupted = 0;
  std::string worker;  // of the last attempt
  WallTime queued_at;  // first; 0 = it never came so far
  WallTime started_at;
  WallTime failed_at;

  friend bool operator==(const DeadLetter&, const DeadLetter&) = default;
};

// "<task id>.<generation>"
std::string dead_letter_id(const TaskId& task, std::uint32_t generation);
// Whether a text may be the id of one.
bool is_dead_letter_id(std::string_view text);

// Equal for failures that look like the same fault: workflow, step, error type, and the message without its
// numbers and ids. Twelve hexadecimal digits.
std::string failure_signature(const DeadLetter& letter);
// The message as the signature sees it: "user 4711 of 2c9f…" is "user # of #".
std::string without_particulars(std::string_view message);

Record to_record(const DeadLetter& letter);               // its group is the signature
Result<DeadLetter> dead_letter_of(const Record& record);  // or corrupt

}  // namespace baton::model
