// Removals: that runs were removed, by whom and why. As long as files of the runs are left, their ids stand
// here: a new owner goes on deleting them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

struct Removal {
  std::string key;  // of the record; sorts by time
  WallTime at;      // the last one, of several that are told together
  std::string by;   // the actor
  std::string why;  // "" = not said
  std::uint64_t count = 0;
  std::vector<RunId> runs;  // whose files are left

  friend bool operator==(const Removal&, const Removal&) = default;
};

// Notes of removals whose files are deleted: the newest ones are kept.
inline constexpr std::size_t kRemovalsKept = 100;
inline constexpr std::size_t kRemovalReasonLimit = 1000;  // bytes

// `first`: one of the runs; a run is removed once.
std::string removal_key(WallTime at, const RunId& first);
Record to_record(const Removal& removal);
Result<Removal> removal_of(const Record& record);  // or corrupt

}  // namespace baton::model
