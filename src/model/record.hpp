// Records: durable state that is neither a run nor a task, such as pauses, breakers, resources, dead letters
// and signals. All kinds share one table and one way into a commit; what a record's state holds is known by
// the kind's own file alone.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace baton::model {

// Stored as numbers: append at the end, never reorder.
enum class RecordKind : std::uint8_t {
  pause = 1,
  breaker,
  resource,
  dead_letter,
  signal,
  approval,
  limit,
  rate,
  workflow,
  queue,
  route,
  cached_result,
  addition,
  api_key,
  audit,
  audit_head,
  retention,
  removal,
  space,
  request,
  draft,
  secret
};

// Resident kinds are few at a time: all of a shard are loaded at its start and stay in memory. The others are
// loaded when a decision names them; additions with their run.
constexpr bool is_resident(RecordKind kind) {
  return kind != RecordKind::dead_letter && kind != RecordKind::approval &&
         kind != RecordKind::cached_result && kind != RecordKind::addition && kind != RecordKind::audit;
}

struct RecordKey {
  RecordKind kind = RecordKind::pause;
  std::string key;  // unique within shard and kind; what belongs to a run begins with the run's id

  friend auto operator<=>(const RecordKey&, const RecordKey&) = default;
};

struct Record {
  RecordKey id;
  std::string group;  // what lists are narrowed by and counted by; may be empty
  WallTime at;        // when it came to be
  std::string state;  // packed by the kind's own encoding (base/codec.hpp)

  friend bool operator==(const Record&, const Record&) = default;
};

// Changes whenever the record does: what ETag and If-Match say. "0": there is none.
std::string tag_of(const Record* record);

struct RecordChange {
  Record record;  // of an erased one only `id` counts
  bool erased = false;
};

}  // namespace baton::model
