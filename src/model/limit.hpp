// Limits that people have set, and how far rates are used up: records of their own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

// How much there is of something that tasks use.
struct LimitRow {
  std::string name;
  std::uint32_t limit = 0;
  std::string by;   // who set it
  std::string why;  // "" = not said
  WallTime at;

  friend bool operator==(const LimitRow&, const LimitRow&) = default;
};

inline RecordKey limit_key(std::string_view name) {
  return {RecordKind::limit, std::string(name)};
}
Record to_record(const LimitRow& row);
Result<LimitRow> limit_of(const Record& record);  // or corrupt

// A rate by the generic cell rate algorithm (ITU-T I.371): one instant says everything. A start moves it
// `interval` on, from now or from where it is; it may be at most (burst − 1) intervals ahead of now.
struct RateRow {
  std::string name;
  std::int64_t used_until = 0;  // nanoseconds of shard time
  std::int64_t interval = 0;    // nanoseconds from one start to the next
  std::uint32_t burst = 1;

  friend bool operator==(const RateRow&, const RateRow&) = default;
};

inline RecordKey rate_key(std::string_view name) {
  return {RecordKind::rate, std::string(name)};
}
Record to_record(const RateRow& row);
Result<RateRow> rate_of(const Record& record);  // or corrupt

}  // namespace baton::model
