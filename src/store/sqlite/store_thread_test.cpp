#include "store/sqlite/store_thread.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <vector>

namespace baton::store::sqlite {
namespace {

TEST(StoreThread, RunsJobsInOrderAndFinishesThem) {
  std::vector<int> order;
  {
    StoreThread thread;
    for (int i = 0; i < 100; ++i) thread.post([&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(StoreThread, ACallerEntersOnlyWhenNothingWaits) {
  StoreThread thread;
  {
    const auto turn = thread.try_enter();
    EXPECT_TRUE(turn);
    EXPECT_FALSE(thread.try_enter());
    thread.post([] {});
  }
  (void)thread.enter();
  EXPECT_TRUE(thread.try_enter());
}

TEST(StoreThread, AJobWaitsForTheCallersTurn) {
  std::atomic<bool> inside = true;
  std::atomic<bool> overlapped = false;
  {
    StoreThread thread;
    const auto turn = thread.try_enter();
    thread.post([&] { overlapped = inside.load(); });
    inside = false;
  }  // the turn ends before the thread does
  EXPECT_FALSE(overlapped);
}

TEST(StoreThread, EnterWaitsForWhatWasPosted) {
  StoreThread thread;
  std::latch go(1);
  std::atomic<int> done = 0;
  for (int i = 0; i < 3; ++i) {
    thread.post([&] {
      go.wait();
      ++done;
    });
  }
  EXPECT_FALSE(thread.try_enter());
  go.count_down();
  const auto turn = thread.enter();
  EXPECT_EQ(done, 3);
}

TEST(StoreThread, TurnsNeverOverlap) {
  StoreThread thread;
  int unguarded = 0;  // the sanitizer's business, too
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        if (t % 2 == 0) {
          thread.post([&] { ++unguarded; });
        } else if (const auto turn = thread.try_enter()) {
          ++unguarded;
        } else {
          const auto waited = thread.enter();
          ++unguarded;
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  const auto turn = thread.enter();
  EXPECT_EQ(unguarded, 1200);
}

}  // namespace
}  // namespace baton::store::sqlite
