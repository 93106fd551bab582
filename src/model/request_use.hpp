// Idempotency keys that requests came with: which request it was, and what the engine answered. Submissions
// keep theirs with their runs instead, for as long as those live.
//
// A use is two records: by its key, and by its number, so that the oldest are found without looking at all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/time.hpp"
#include "model/command.hpp"
#include "model/record.hpp"

namespace baton::model {

inline constexpr std::size_t kMaxRequestKey = 512;         // bytes, as the engine gets it
inline constexpr std::uint64_t kMaxRequestsKept = 10'000;  // of a shard: the last ones

struct RequestUse {
  std::string key;
  Hash256 body;              // of the request
  std::uint64_t number = 0;  // from 1, in the order in which they came
  std::string answer;        // packed
  WallTime at;

  friend bool operator==(const RequestUse&, const RequestUse&) = default;
};

RecordKey request_use_key(std::string_view key);
Record to_record(const RequestUse& use);
Result<RequestUse> request_use_of(const Record& record);  // or corrupt

// The record that finds a use by its number. Its keys are in the order of the numbers, behind all of
// request_use_key().
RecordKey request_number_key(std::uint64_t number);
Record number_record(const RequestUse& use);
struct NumberedRequest {
  std::uint64_t number = 0;
  std::string key;
  WallTime at;
};
std::optional<NumberedRequest> numbered_request_of(const Record& record);  // nullopt: damaged

// What is kept of an answer. nullopt: of such there is nothing to keep, because what it answers asks only, or
// may be repeated without a key.
std::optional<std::string> packed(const ReplyBody& answer);
Result<ReplyBody> answer_of(std::string_view packed);  // or corrupt

}  // namespace baton::model
