// A draft: the name of a workflow that has no steps yet. No run can be made of it; applying a definition with
// its name takes its place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

inline constexpr std::size_t kMaxDrafts = 1000;  // of a shard
inline constexpr std::size_t kMaxDraftTitle = 1000;
inline constexpr std::size_t kMaxDraftDescription = 10'000;

struct Draft {
  std::string name;
  std::string title;
  std::string description;
  std::string by;
  WallTime at;

  friend bool operator==(const Draft&, const Draft&) = default;
};

inline RecordKey draft_key(std::string_view name) {
  return {RecordKind::draft, std::string(name)};
}
Record to_record(const Draft& draft);
Result<Draft> draft_of(const Record& record);  // or corrupt

// A name made of a title (SEMANTICS 51): "Nightly Build (EU)" → "nightly-build-eu"; "" if nothing of it can
// stand in a name.
std::string name_from_title(std::string_view title);
// The n-th name to try when others are taken: "nightly", "nightly-2", "nightly-3", …
std::string numbered_name(std::string_view name, std::size_t number);

}  // namespace baton::model
