#include "net/loop.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <thread>
#include <vector>

namespace baton::net {
namespace {

TEST(LoopTest, RunsPostedTasksInOrderAndStops) {
  Loop loop;
  std::vector<int> seen;
  for (int i = 0; i < 3; ++i) loop.post([&, i] { seen.push_back(i); });
  loop.post([&] {
    EXPECT_TRUE(loop.on_loop_thread());
    loop.stop();
    loop.post([&] { seen.push_back(3); });
  });
  loop.run();
  EXPECT_EQ(seen, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_FALSE(loop.on_loop_thread());
}

TEST(LoopTest, PostsFromManyThreadsAllRun) {
  Loop loop;
  loop.start();
  int count = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 2000; ++i) loop.post([&] { ++count; });
      });
    }
  }
  loop.invoke([] {});
  EXPECT_EQ(count, 8000);
  loop.stop();
  loop.stop();
  loop.join();
  loop.join();
}

TEST(LoopTest, InvokeWorksInEveryPhase) {
  Loop loop;
  int calls = 0;
  loop.invoke([&] { ++calls; });
  loop.start();
  loop.invoke([&] { loop.invoke([&] { ++calls; }); });
  loop.stop();
  loop.join();
  loop.invoke([&] { ++calls; });
  EXPECT_EQ(calls, 3);
}

TEST(LoopTest, InvokeDuringStopNeverHangs) {
  for (int round = 0; round < 200; ++round) {
    Loop loop;
    loop.start();
    int calls = 0;
    std::jthread other([&] { loop.invoke([&] { ++calls; }); });
    loop.stop();
    loop.join();
    other.join();
    EXPECT_EQ(calls, 1);
  }
}

TEST(LoopTest, MailboxOutlivesTheLoop) {
  Mailbox mailbox;
  auto token = std::make_shared<int>(1);
  {
    Loop loop;
    mailbox = loop.mailbox();
    mailbox.post([token] {});
  }
  mailbox.post([token] { FAIL(); });
  EXPECT_EQ(token.use_count(), 1);
}

TEST(LoopTest, TimersFireInOrderAndCanBeCancelled) {
  Loop loop;
  std::vector<int> seen;
  const auto now = Loop::now();
  const auto late = loop.call_at(now + Duration::millis(20), [&] {
    seen.push_back(3);
    loop.stop();
  });
  auto never = loop.call_at(now + Duration::millis(5), [&] { seen.push_back(-1); });
  const auto second = loop.call_at(now + Duration::millis(10), [&] { seen.push_back(1); });
  const auto third = loop.call_at(now + Duration::millis(10), [&] { seen.push_back(2); });
  const auto first = loop.call_at(now - Duration::seconds(5), [&] {
    seen.push_back(0);
    never.cancel();
    never.cancel();
  });
  {
    const auto dropped = loop.call_after(Duration::millis(0), [&] { seen.push_back(-2); });
  }
  const auto far = loop.call_after(Duration::max(), [] {});
  EXPECT_TRUE(never.pending());
  loop.run();
  EXPECT_EQ(seen, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_FALSE(first.pending());
  EXPECT_TRUE(far.pending());
}

TEST(LoopTest, TimerFiresNotBeforeItsTime) {
  Loop loop;
  const auto due = Loop::now() + Duration::millis(3);
  MonoTime fired;
  const auto timer = loop.call_at(due, [&] {
    fired = Loop::now();
    loop.stop();
  });
  loop.run();
  EXPECT_GE(fired, due);
}

TEST(LoopTest, TaskMayReplaceItsOwnTimer) {
  Loop loop;
  int fired = 0;
  Timer timer;
  std::function<void()> tick = [&] {
    if (++fired == 5) return loop.stop();
    timer = loop.call_after(Duration::millis(0), [&] { tick(); });
  };
  timer = loop.call_after(Duration::millis(0), [&] { tick(); });
  loop.run();
  EXPECT_EQ(fired, 5);
}

TEST(LoopTest, TimerHandleOutlivesTheLoop) {
  Timer timer;
  {
    Loop loop;
    timer = loop.call_after(Duration::hours(1), [] {});
  }
  EXPECT_FALSE(timer.pending());
  timer.cancel();
}

TEST(LoopTest, DeliversSignals) {
  Loop loop;
  std::vector<int> seen;
  loop.on_signals({SIGTERM, SIGHUP}, [&](int number) {
    seen.push_back(number);
    if (seen.size() == 1) {
      std::raise(SIGHUP);
    } else {
      loop.stop();
    }
  });
  std::raise(SIGTERM);
  loop.run();
  EXPECT_EQ(seen, (std::vector<int>{SIGTERM, SIGHUP}));
}

TEST(LoopTest, RunsAgainAfterStop) {
  Loop loop;
  for (int round = 0; round < 3; ++round) {
    bool ran = false;
    loop.post([&] {
      ran = true;
      loop.stop();
    });
    loop.run();
    EXPECT_TRUE(ran);
  }
}

}  // namespace
}  // namespace baton::net
