#include "executors/process/usage.hpp"

#include <gtest/gtest.h>

#include <ctime>

namespace baton::executors::process {
namespace {

void work() {
  const std::clock_t until = std::clock() + CLOCKS_PER_SEC / 10;
  while (std::clock() < until) {
  }
}

TEST(Usage, CountsThisProcess) {
  UsageMeter meter;
  const auto begin = UsageMeter::Clock::now();
  const Usage first = meter.look(begin);
  EXPECT_FALSE(first.cpu_percent);
  ASSERT_TRUE(first.memory_bytes);
  EXPECT_GT(*first.memory_bytes, 1U << 20);
  EXPECT_FALSE(meter.look(begin + std::chrono::seconds(1)).cpu_percent);  // the same again
  work();
  const Usage later = meter.look(begin + std::chrono::seconds(10));
  ASSERT_TRUE(later.cpu_percent);
  EXPECT_GT(*later.cpu_percent, 0);
  EXPECT_LT(*later.cpu_percent, 100);
}

TEST(Usage, OfAProcessThatHasJustBegunIsKnownAtOnce) {
  const auto begin = UsageMeter::Clock::now();
  UsageMeter meter(begin);
  work();
  const Usage first = meter.look(begin + std::chrono::seconds(10));
  ASSERT_TRUE(first.cpu_percent);
  EXPECT_GT(*first.cpu_percent, 0);
}

TEST(Usage, PartsAddUp) {
  const Usage part = part_of({.cpu_percent = 30.0, .memory_bytes = 3000}, 3);
  EXPECT_EQ(part.cpu_percent, 10.0);
  EXPECT_EQ(part.memory_bytes, 1000U);
  EXPECT_FALSE(part_of({}, 3).cpu_percent);
}

}  // namespace
}  // namespace baton::executors::process
