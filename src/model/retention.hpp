// How long the runs of a workflow are kept that says so itself: a record per workflow, of its version that
// counts.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/definition.hpp"
#include "model/record.hpp"

namespace baton::model {

// What holds unless something else is set.
inline constexpr Duration kKeepCompleted = Duration::hours(24 * 30);
inline constexpr Duration kKeepFailed = Duration::hours(24 * 90);

inline RecordKey retention_key(std::string_view workflow) {
  return {RecordKind::retention, std::string(workflow)};
}
Record to_record(std::string_view workflow, const Retention& retention, WallTime at);
Result<Retention> retention_of(const Record& record);  // or corrupt

}  // namespace baton::model
