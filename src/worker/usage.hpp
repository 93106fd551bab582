// What this process and all that it has started use, as Linux' /proc says.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace baton::worker {

struct Usage {
  // Of one core, in percent, since the last look; none at the first. 250 = two and a half cores.
  std::optional<double> cpu_percent;
  // Resident memory; what several processes share counts for each of them.
  std::optional<std::uint64_t> memory_bytes;
};

// One thread at a time.
class UsageMeter {
 public:
  using Clock = std::chrono::steady_clock;

  // The same again for kAtMostEvery: a look reads all of /proc.
  Usage look(Clock::time_point now);

  static constexpr std::chrono::seconds kAtMostEvery{5};

 private:
  Usage last_;
  std::optional<Clock::time_point> looked_;
  std::uint64_t ticks_ = 0;  // of the CPU, at that time
};

}  // namespace baton::worker
