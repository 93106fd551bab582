// Failures that come together do not come back together (RELIABILITY R18), on virtual time.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/testing/flow_builder.hpp"
#include "engine/testing/world.hpp"

namespace baton::engine {
namespace {

using testing::FlowBuilder;
using testing::World;

constexpr int kFailures = 10'000;

boost::json::array items() {
  boost::json::array list;
  for (int i = 0; i < kFailures; ++i) list.emplace_back(i);
  return list;
}

// Ends all attempts that can start at this moment; how many there were.
int each_that_is_ready(World& world, const model::Outcome& outcome) {
  int count = 0;
  for (auto tasks = world.claim(kFailures); !tasks.empty(); tasks = world.claim(kFailures)) {
    count += static_cast<int>(tasks.size());
    for (const auto& task : tasks) world.send(model::ReportAttempt{task.token, task.task, outcome});
    world.settle();
  }
  return count;
}

// All items fail in one moment. How many of them start again in each second from then on.
std::vector<int> starts_per_second(model::Jitter jitter, Duration initial) {
  model::Retry retry;
  retry.max_attempts = 2;
  retry.initial = initial;
  retry.max = Duration::minutes(10);
  retry.jitter = jitter;
  retry.jitter_add = Duration::minutes(5);
  World world({.settings = {.item_window = kFailures}, .check_memory = false});
  world.submit(
      FlowBuilder("w").run("a").for_each(items()).retry(retry).max_failures({.value = kFailures}).done());
  each_that_is_ready(world, testing::failed());
  std::vector<int> starts;
  for (int left = kFailures; left > 0 && starts.size() < 3'600;) {
    world.advance(Duration::seconds(1));
    starts.push_back(each_that_is_ready(world, testing::completed()));
    left -= starts.back();
  }
  // Only the seconds between the first and the last: the delay that all have in common spreads nothing.
  const auto some = [](int count) { return count > 0; };
  starts.erase(starts.begin(), std::ranges::find_if(starts, some));
  return starts;
}

TEST(Herd, TenThousandFailuresInOneMomentComeBackOneByOne) {
  for (const auto& [jitter, initial] : {std::pair(model::Jitter::full, Duration::minutes(10)),
                                        std::pair(model::Jitter::equal, Duration::minutes(10)),
                                        std::pair(model::Jitter::decorrelated, Duration::minutes(3)),
                                        std::pair(model::Jitter::add, Duration::minutes(1))}) {
    const std::vector<int> starts = starts_per_second(jitter, initial);
    int sum = 0;
    for (const int count : starts) sum += count;
    ASSERT_EQ(sum, kFailures);
    EXPECT_GT(starts.size(), 250U);
    // busiest <= 3 * mean, in integers
    EXPECT_LE(static_cast<long>(*std::ranges::max_element(starts)) * static_cast<long>(starts.size()),
              3L * kFailures)
        << "jitter " << static_cast<int>(jitter);
  }
}

}  // namespace
}  // namespace baton::engine
