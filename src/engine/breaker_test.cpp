#include "engine/breaker.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>
#include <tuple>

#include "model/breaker_transitions.hpp"

namespace baton::engine {
namespace {

using model::BreakerRow;
using model::BreakerState;

constexpr ShardTime at(std::int64_t seconds) {
  return {seconds * 1'000'000};
}
constexpr WallTime wall(std::int64_t seconds) {
  return {1'700'000'000'000'000 + seconds * 1'000'000};
}

BreakerRow closed(std::uint32_t failures, std::uint32_t rate = 0) {
  BreakerRow row;
  row.settings.name = "nlp";
  row.settings.failures = failures;
  row.settings.rate_percent = rate;
  return row;
}

TEST(Breaker, TellsTheServicesFailuresFromOthers) {
  model::BreakerSettings settings;
  settings.types = {"overload", "quota"};
  EXPECT_EQ(sign_of(settings, "", 0), Sign::success);
  for (const char* type : {"timeout", "connection", "overload", "quota"})
    EXPECT_EQ(sign_of(settings, type, 0), Sign::failure) << type;
  for (const int status : {500, 503, 599, 429}) EXPECT_EQ(sign_of(settings, "http", status), Sign::failure);
  for (const int status : {400, 404, 408, 422}) EXPECT_EQ(sign_of(settings, "http", status), Sign::neutral);
  for (const char* type : {"exit", "validation", "lost", "interrupted", "cancelled", "mine"})
    EXPECT_EQ(sign_of(settings, type, 0), Sign::neutral) << type;
}

TEST(Breaker, OpensAtTheNthFailureInARowAndASuccessStartsOver) {
  BreakerRow row = closed(3);
  EXPECT_FALSE(note(row, Sign::failure, at(1), wall(1)));
  EXPECT_FALSE(note(row, Sign::failure, at(2), wall(2)));
  EXPECT_FALSE(note(row, Sign::success, at(3), wall(3)));
  EXPECT_FALSE(note(row, Sign::failure, at(4), wall(4)));
  EXPECT_FALSE(note(row, Sign::neutral, at(4), wall(4)));
  EXPECT_FALSE(note(row, Sign::failure, at(5), wall(5)));
  EXPECT_TRUE(admits(row, 100));
  EXPECT_TRUE(note(row, Sign::failure, at(6), wall(6)));
  EXPECT_EQ(row.state, BreakerState::open);
  EXPECT_EQ(row.failure_count, 3U);
  EXPECT_EQ(row.last_failure_at, wall(6));
  EXPECT_EQ(row.open_until(), at(66));
  EXPECT_FALSE(admits(row, 0));
}

TEST(Breaker, LetsProbesThroughAfterItsRecoveryAndClosesOnSuccess) {
  BreakerRow row = closed(1);
  row.settings.probes = 2;
  row.settings.successes = 2;
  note(row, Sign::failure, at(10), wall(10));
  EXPECT_FALSE(half_open(row, at(69), wall(69)));
  EXPECT_TRUE(half_open(row, at(70), wall(70)));
  EXPECT_TRUE(admits(row, 0));
  EXPECT_TRUE(admits(row, 1));
  EXPECT_FALSE(admits(row, 2));
  EXPECT_FALSE(note(row, Sign::success, at(71), wall(71)));
  EXPECT_EQ(row.state, BreakerState::half_open);
  EXPECT_TRUE(note(row, Sign::success, at(72), wall(72)));
  EXPECT_EQ(row.state, BreakerState::closed);
  EXPECT_EQ(row.failure_count, 0U);
}

TEST(Breaker, AFailedProbeOpensItForAWholeRecoveryAgain) {
  BreakerRow row = closed(1);
  note(row, Sign::failure, at(0), wall(0));
  half_open(row, at(60), wall(60));
  EXPECT_TRUE(note(row, Sign::failure, at(61), wall(61)));
  EXPECT_EQ(row.open_until(), at(121));
  EXPECT_EQ(row.times_opened, 2U);
  // One that began before it opened says nothing any more.
  EXPECT_FALSE(note(row, Sign::success, at(62), wall(62)));
  EXPECT_EQ(row.state, BreakerState::open);
}

TEST(Breaker, OpensAtARateWithinTheWindowOnly) {
  BreakerRow row = closed(0, 50);
  row.settings.min_calls = 10;
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(note(row, i % 2 ? Sign::success : Sign::failure, at(i), wall(i)));
  // Eight of the nine have left the window of 60 s.
  EXPECT_FALSE(note(row, Sign::failure, at(66), wall(66)));
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(note(row, Sign::success, at(67), wall(67)));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(note(row, Sign::failure, at(68), wall(68)));
  EXPECT_TRUE(note(row, Sign::failure, at(68), wall(68))) << "7 of 14";
}

TEST(Breaker, ForceWinsOverTheState) {
  BreakerRow row = closed(1);
  row.force = model::BreakerForce::open;
  EXPECT_FALSE(admits(row, 0));
  row.force = model::BreakerForce::closed;
  note(row, Sign::failure, at(0), wall(0));
  EXPECT_EQ(row.state, BreakerState::open);
  EXPECT_TRUE(admits(row, 50));
}

TEST(Breaker, ARecordKeepsEverything) {
  BreakerRow row = closed(3, 20);
  row.settings.types = {"a", "b"};
  note(row, Sign::failure, at(100), wall(100));
  note(row, Sign::success, at(110), wall(110));
  for (int i = 0; i < 3; ++i) note(row, Sign::failure, at(111), wall(111));
  row.force = model::BreakerForce::closed;
  row.forced_by = "alice";
  row.reason = "maintenance";
  row.last_failure = "http: 503";
  const auto read = model::breaker_of(model::to_record(row));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, row);
  model::Record damaged = model::to_record(row);
  damaged.state.resize(damaged.state.size() - 1);
  EXPECT_FALSE(model::breaker_of(damaged));
}

// Seed 003's goal: a service with 2 % independent failures at 10 calls a second for 1,000 hours; in fewer
// than 1 % of the hours may a breaker trip.
TEST(Breaker, IndependentFailuresRarelyTripIt) {
  for (const bool by_rate : {false, true}) {
    BreakerRow row = closed(by_rate ? 0 : 5, by_rate ? 50 : 0);
    std::mt19937_64 random(3);
    int tripped_hours = 0;
    for (std::int64_t hour = 0; hour < 1000; ++hour) {
      bool tripped = false;
      for (std::int64_t call = 0; call < 36'000; ++call) {
        const ShardTime now{(hour * 36'000 + call) * 100'000};
        const WallTime when{now.us};
        half_open(row, now, when);
        if (!admits(row, 0)) continue;
        tripped |= note(row, random() % 50 == 0 ? Sign::failure : Sign::success, now, when) &&
                   row.state == BreakerState::open;
      }
      tripped_hours += tripped ? 1 : 0;
    }
    EXPECT_LT(tripped_hours, 10) << (by_rate ? "by rate" : "by failures in a row");
  }
}

// Every state with every event, until nothing new comes up.
TEST(Breaker, DoesWhatItsTableSaysAndEverythingInIt) {
  model::BreakerSettings settings;
  settings.name = "b";
  settings.failures = 2;
  settings.successes = 2;
  settings.recovery = Duration::seconds(60);
  struct Life {
    BreakerRow row;
    ShardTime now;
  };
  const auto signature = [](const Life& life) {
    return std::tuple(life.row.state, life.row.failure_count, life.row.success_count,
                      life.now >= life.row.open_until());
  };
  std::set<std::pair<BreakerState, BreakerState>> seen;
  std::set<std::tuple<BreakerState, std::uint32_t, std::uint32_t, bool>> known;
  std::deque<Life> open(1);
  open.front().row.settings = settings;
  while (!open.empty()) {
    const Life life = open.front();
    open.pop_front();
    for (int event = 0; event < 5; ++event) {
      Life next = life;
      if (event < 3) {
        note(next.row, static_cast<Sign>(event), next.now, {});
      } else if (event == 3) {
        next.now = next.now + Duration::seconds(61);
      } else {
        half_open(next.row, next.now, {});
      }
      if (next.row.state != life.row.state) {
        EXPECT_TRUE(model::is_legal(life.row.state, next.row.state));
        seen.emplace(life.row.state, next.row.state);
      }
      if (next.row.failure_count > 3 || !known.insert(signature(next)).second) continue;
      // It closes again, whatever was before.
      BreakerRow end = next.row;
      half_open(end, next.now + Duration::seconds(61), {});
      for (int i = 0; i < 2; ++i) note(end, Sign::success, next.now + Duration::seconds(62), {});
      EXPECT_EQ(end.state, BreakerState::closed);
      open.push_back(next);
    }
  }
  for (const auto& t : model::breaker_transitions()) {
    if (t.cause.starts_with("reset")) continue;  // see breakers_test.cpp: APersonsWordWins
    EXPECT_TRUE(seen.contains({t.from, t.to})) << model::name(t.from) << " to " << model::name(t.to);
  }
}

}  // namespace
}  // namespace baton::engine
