// What this process and all that it has started use, as Linux' /proc says.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace baton::executors::process {

struct Usage {
  // Of one core, in percent, since the last look; none at the first, if there was none before. 250 = two and
  // a half cores.
  std::optional<double> cpu_percent;
  // Resident memory; what several processes share counts for each of them.
  std::optional<std::uint64_t> memory_bytes;
};

// One thread at a time.
class UsageMeter {
 public:
  using Clock = std::chrono::steady_clock;

  UsageMeter() = default;
  // The first look is about the time since the process began, which is now.
  explicit UsageMeter(Clock::time_point begun) : since_(begun) {}

  // The same again for kAtMostEvery: a look reads all of /proc.
  Usage look(Clock::time_point now);

  static constexpr std::chrono::seconds kAtMostEvery{5};

 private:
  Usage last_;
  std::optional<Clock::time_point> looked_;
  std::optional<Clock::time_point> since_;  // what the CPU's ticks are counted from
  std::uint64_t ticks_ = 0;                 // of the CPU, at that time
};

// The part of one of `parts` that share the process: all parts together are the whole.
Usage part_of(Usage whole, std::uint32_t parts);

}  // namespace baton::executors::process
