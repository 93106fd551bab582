// Results that steps with `cache` keep for later runs: records of kind cached_result, whose key says for what
// they hold.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

struct CachedResult {
  std::string key;  // of the record, see cached_key()
  TaskId task;      // that made it
  WallTime made_at;
  WallTime expires_at;  // as the step said then
  std::string result;   // JSON

  friend bool operator==(const CachedResult&, const CachedResult&) = default;
};

inline constexpr std::size_t kMaxCachedResult = std::size_t{256} << 10;  // bytes

// "WORKFLOW/STEP/HASH". `content`: all that the result depends on.
std::string cached_key(std::string_view workflow, std::string_view step, std::string_view content);
// Its parts; false if it is none.
bool split_cached_key(std::string_view key, std::string_view& workflow, std::string_view& step);

// Its group is its workflow.
Record to_record(const CachedResult& cached);
Result<CachedResult> cached_of(const Record& record);  // or corrupt

}  // namespace baton::model
