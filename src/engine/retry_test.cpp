#include "engine/retry.hpp"

#include <gtest/gtest.h>

namespace baton::engine {
namespace {

using model::Backoff;
using model::Jitter;
using model::Retry;

Retry policy(Backoff backoff, Jitter jitter = Jitter::none) {
  Retry r;
  r.max_attempts = 10;
  r.backoff = backoff;
  r.initial = Duration::seconds(1);
  r.max = Duration::seconds(60);
  r.jitter = jitter;
  return r;
}

std::vector<std::int64_t> delays(const Retry& retry, int n) {
  Random random(Seed{1, 2});
  std::vector<std::int64_t> out;
  for (int i = 1; i <= n; ++i) out.push_back(retry_delay(retry, i, Duration{}, random).us / 1'000'000);
  return out;
}

TEST(Retry, BackoffsWithoutJitter) {
  EXPECT_EQ(delays(policy(Backoff::exponential), 8), (std::vector<std::int64_t>{1, 2, 4, 8, 16, 32, 60, 60}));
  EXPECT_EQ(delays(policy(Backoff::linear), 4), (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(delays(policy(Backoff::fixed), 3), (std::vector<std::int64_t>{1, 1, 1}));
}

TEST(Retry, CeleryPreset) {
  Retry celery = policy(Backoff::exponential);
  celery.initial = Duration::seconds(60);
  celery.max = Duration::hours(1);
  EXPECT_EQ(delays(celery, 4), (std::vector<std::int64_t>{60, 120, 240, 480}));
}

TEST(Retry, HugeNumbersDoNotOverflow) {
  Retry r = policy(Backoff::exponential);
  r.max = Duration::max();
  r.multiplier_thousandths = 1'000'000'000;
  Random random(Seed{});
  EXPECT_EQ(retry_delay(r, UINT32_MAX, Duration{}, random), r.max);
  r.multiplier_thousandths = 1000;
  EXPECT_EQ(retry_delay(r, UINT32_MAX, Duration{}, random), r.initial);
  r.backoff = Backoff::linear;
  EXPECT_LE(retry_delay(r, UINT32_MAX, Duration{}, random), r.max);
}

// Brooker's form would give two of three the whole of `max`.
TEST(Retry, DecorrelatedDelaysDoNotMeetAtTheCap) {
  Random random(Seed{7, 9});
  const Retry retry = policy(Backoff::exponential, Jitter::decorrelated);
  int first_half = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Duration delay = retry_delay(retry, 9, retry.max, random);
    EXPECT_GE(delay, retry.initial);
    EXPECT_LE(delay, retry.max);
    first_half += delay.us < (retry.initial.us + retry.max.us) / 2;
  }
  EXPECT_GT(first_half, 4'800);
  EXPECT_LT(first_half, 5'200);
}

TEST(Retry, DecorrelatedBeginsWithInitialAndAtMostTriples) {
  Random random(Seed{7, 9});
  const Retry retry = policy(Backoff::exponential, Jitter::decorrelated);
  Duration longest;
  for (int i = 0; i < 1'000; ++i) longest = std::max(longest, retry_delay(retry, 1, Duration{}, random));
  EXPECT_GT(longest, Duration::millis(2'900));
  EXPECT_LE(longest, Duration::seconds(3));
  Retry narrow = retry;
  narrow.initial = narrow.max;
  EXPECT_EQ(retry_delay(narrow, 1, Duration{}, random), narrow.max) << "nothing to draw from";
}

TEST(Retry, JitterStaysWithinItsBounds) {
  Random random(Seed{7, 9});
  const Duration d = Duration::seconds(8);
  bool low = false;
  bool high = false;
  Duration previous;
  for (int i = 0; i < 1000; ++i) {
    const Duration full = retry_delay(policy(Backoff::exponential, Jitter::full), 4, {}, random);
    EXPECT_GE(full.us, 0);
    EXPECT_LE(full, d);
    low |= full.us < d.us / 4;
    high |= full.us > d.us * 3 / 4;
    const Duration equal = retry_delay(policy(Backoff::exponential, Jitter::equal), 4, {}, random);
    EXPECT_GE(equal.us, d.us / 2);
    EXPECT_LE(equal, d);
    previous = retry_delay(policy(Backoff::exponential, Jitter::decorrelated), 4, previous, random);
    EXPECT_GE(previous, Duration::seconds(1));
    EXPECT_LE(previous, Duration::seconds(60));
    Retry add = policy(Backoff::exponential, Jitter::add);
    add.jitter_add = Duration::seconds(1);
    const Duration added = retry_delay(add, 4, {}, random);
    EXPECT_GE(added, d);
    EXPECT_LE(added, d + Duration::seconds(1));
  }
  EXPECT_TRUE(low && high);
}

}  // namespace
}  // namespace baton::engine
