#include "embedded/loop_driver.hpp"

#include <sys/random.h>

#include <chrono>

namespace baton::embedded {
namespace {

// Turns in a row before other work of the loop's thread gets its turn.
constexpr int kTurnsAtOnce = 16;

double seconds(Duration duration) {
  return static_cast<double>(duration.us) / 1e6;
}

WallTime wall_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

// Unpredictable across processes: the seed of a stream that every command takes its own numbers from.
class SeedSource {
 public:
  SeedSource() {
    if (::getrandom(&state_, sizeof state_, 0) != static_cast<ssize_t>(sizeof state_)) {
      state_ = {static_cast<std::uint64_t>(wall_now().us), reinterpret_cast<std::uintptr_t>(this)};
    }
  }
  Seed next() {
    engine::Random random(state_);
    state_.low += 0x9E3779B97F4A7C15ULL;
    state_.high ^= random.next();
    return {random.next(), random.next()};
  }

 private:
  Seed state_;
};

}  // namespace

LoopDriver::LoopDriver(net::Loop& loop, store::Writer& store, runtime::Surroundings world,
                       runtime::LoopOptions options, telemetry::Meter* meter)
    : loop_(loop),
      store_(store),
      meter_(meter),
      shard_(store, complete(std::move(world)), std::move(options)) {}

runtime::Surroundings LoopDriver::complete(runtime::Surroundings world) {
  world.monotonic = [] { return Duration{net::Loop::now().us}; };
  world.wall = wall_now;
  world.seed = [source = std::make_shared<SeedSource>()] { return source->next(); };
  world.wake = [this] { loop_.post([this, wanted = net::Loop::now()] { drive_since(wanted); }); };
  return world;
}

void LoopDriver::begin() {
  open_runs_ = shard_.open_runs();
  loop_.post([this] { drive(); });
}

void LoopDriver::close() {
  closed_ = true;
  timer_.cancel();
  shard_.close();
}

void LoopDriver::drive_since(net::MonoTime wanted) {
  if (meter_ != nullptr) meter_->observe(telemetry::Metric::loop_lag, seconds(net::Loop::now() - wanted));
  drive();
}

bool LoopDriver::turn() {
  if (meter_ == nullptr) return shard_.turn();
  const net::MonoTime begun = net::Loop::now();
  const bool more = shard_.turn();
  meter_->observe(telemetry::Metric::loop_turn, seconds(net::Loop::now() - begun));
  return more;
}

void LoopDriver::drive() {
  bool more = true;
  for (int i = 0; i < kTurnsAtOnce && more; ++i) more = turn();
  open_runs_ = shard_.open_runs();
  if (more) {
    loop_.post([this] { drive(); });
    return;
  }
  if (closed_) return;
  if (!shard_.commits_in_flight()) store_.idle();
  arm();
}

void LoopDriver::arm() {
  const auto due = shard_.next_due();
  if (due == armed_ && (!due || timer_.pending())) return;
  armed_ = due;
  timer_.cancel();
  if (due)
    timer_ = loop_.call_at(net::MonoTime{due->us}, [this, due] { drive_since(net::MonoTime{due->us}); });
}

}  // namespace baton::embedded
