// Signals to a run that no wait has taken yet: records that belong to their run and go with its end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/record.hpp"

namespace baton::model {

inline constexpr std::size_t kMaxSignalBytes = std::size_t{256} << 10;    // of its data
inline constexpr std::size_t kMaxSignalsKept = 500;                       // that nobody has taken, of one run
inline constexpr std::size_t kMaxSignalBytesKept = std::size_t{4} << 20;  // of their data together

struct Signal {
  RunId run;
  std::string name;
  std::uint32_t number = 0;  // from 1, in the order in which the run got them
  std::string data;          // JSON
  std::string by;
  WallTime at;

  friend bool operator==(const Signal&, const Signal&) = default;
};

// Records of the signals of a run with this name begin so, and are in their order.
std::string signals_key(const RunId& run, std::string_view name);
// Those of all its signals begin so.
std::string signals_key(const RunId& run);
Record to_record(const Signal& signal);
Result<Signal> signal_of(const Record& record);

}  // namespace baton::model
