// What people have set for queues: how many tasks may wait in one, how the turns of its fair keys are
// weighted; and routes, which say in which queue the tasks of steps wait that name none (SEMANTICS 39, 40).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

inline constexpr std::uint32_t kMostWaiting = 10'000'000;  // tasks of a queue that a bound may allow
inline constexpr std::uint32_t kMostWeight = 1000;
inline constexpr std::size_t kMaxWeights = 1000;  // of a queue
inline constexpr std::size_t kMaxPattern = 256;   // bytes
inline constexpr std::size_t kMaxRoutes = 200;    // of a shard

struct QueueRow {
  std::string name;
  std::uint32_t max_waiting = 0;                 // 0 = no bound
  std::map<std::string, std::uint32_t> weights;  // of fair keys, 1 to kMostWeight; others have 1
  std::string by;                                // who changed it the last time
  std::string why;                               // "" = not said
  WallTime at;

  friend bool operator==(const QueueRow&, const QueueRow&) = default;
};

inline RecordKey queue_key(std::string_view name) {
  return {RecordKind::queue, std::string(name)};
}
Record to_record(const QueueRow& row);
Result<QueueRow> queue_of(const Record& record);  // or corrupt

// `*` stands for any text, `?` for one character. A pattern with a slash is held against `WORKFLOW/STEP`, one
// without against the step's name alone.
struct RouteRow {
  std::string pattern;
  std::string queue;
  std::string by;
  std::string why;
  WallTime at;

  friend bool operator==(const RouteRow&, const RouteRow&) = default;
};

inline RecordKey route_key(std::string_view pattern) {
  return {RecordKind::route, std::string(pattern)};
}
Record to_record(const RouteRow& row);
Result<RouteRow> route_of(const Record& record);  // or corrupt

// Whether the pattern is about this step.
bool matches(std::string_view pattern, std::string_view workflow, std::string_view step);
// Of two patterns that match, the one that says more comes first: that with more characters that are no
// wildcards, then the longer one, then by name.
bool says_more(std::string_view pattern, std::string_view other);

}  // namespace baton::model
