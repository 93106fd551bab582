// Which version of a workflow counts (`baton start NAME` makes runs of it), and who made it so. A record of
// its own (model/record.hpp) for each workflow that was applied; its versions themselves are definitions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

struct Application {
  std::uint32_t version = 0;
  WallTime at;
  std::string by;    // the actor
  std::string note;  // what they said about it; may be empty

  friend bool operator==(const Application&, const Application&) = default;
};

struct AppliedWorkflow {
  std::string name;
  std::vector<Application> applications;  // newest first, never empty; the newest kApplicationsKept are kept

  std::uint32_t version() const { return applications.front().version; }
  friend bool operator==(const AppliedWorkflow&, const AppliedWorkflow&) = default;
};

inline constexpr std::size_t kApplicationsKept = 100;
inline constexpr std::size_t kNoteLimit = 1000;  // bytes

inline RecordKey applied_key(std::string_view workflow) {
  return {RecordKind::workflow, std::string(workflow)};
}
Record to_record(const AppliedWorkflow& workflow);
Result<AppliedWorkflow> applied_of(const Record& record);  // or corrupt

}  // namespace baton::model
