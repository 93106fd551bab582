#include "api/watches.hpp"

#include <utility>

namespace baton::api {

void Watch::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::looking) state_ = State::looking_again;
    if (state_ != State::asleep) return;
    state_ = State::scheduled;
  }
  workers_.post([self = shared_from_this()] { self->run(); });
}

void Watch::run() {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::looking;
  }
  const bool more = look();
  {
    const std::lock_guard lock(mutex_);
    if (!more) {
      state_ = State::done;
      return;
    }
    const bool again = state_ == State::looking_again;
    state_ = again ? State::scheduled : State::asleep;
    if (!again) return;
  }
  // Behind the jobs of others, not in a loop here.
  workers_.post([self = shared_from_this()] { self->run(); });
}

void Watch::look_again_after(Duration delay, Alarms& alarms) {
  const net::MonoTime now = net::Loop::now();
  if (alarm_ > now && alarm_ <= now + delay) return;  // else every wake would begin another chain of alarms
  alarm_ = now + delay;
  alarms.wake_after(delay, weak_from_this());
}

void Watches::add(RunKey run, std::shared_ptr<Watch> watch) {
  const std::lock_guard lock(mutex_);
  if (!closed_) watches_.emplace(run, std::move(watch));
}

void Watches::remove(RunKey run, const Watch* watch) {
  std::shared_ptr<Watch> removed;  // destroyed after the lock is released
  const std::lock_guard lock(mutex_);
  const auto [begin, end] = watches_.equal_range(run);
  for (auto at = begin; at != end; ++at) {
    if (at->second.get() != watch) continue;
    removed = std::move(at->second);
    watches_.erase(at);
    return;
  }
}

void Watches::wake(const std::vector<RunKey>& changed) {
  std::vector<std::shared_ptr<Watch>> woken;
  {
    const std::lock_guard lock(mutex_);
    if (watches_.empty()) return;
    for (const RunKey run : changed) {
      const auto [begin, end] = watches_.equal_range(run);
      for (auto at = begin; at != end; ++at) woken.push_back(at->second);
    }
  }
  for (const auto& watch : woken) watch->wake();
}

void Watches::wake_all() {
  std::vector<std::shared_ptr<Watch>> woken;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [run, watch] : watches_) woken.push_back(watch);
  }
  for (const auto& watch : woken) watch->wake();
}

void Watches::clear() {
  std::multimap<RunKey, std::shared_ptr<Watch>> removed;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  removed.swap(watches_);
}

void Alarms::wake_after(Duration delay, std::weak_ptr<Watch> watch) {
  mailbox_.post([timers = timers_, delay, watch = std::move(watch)]() mutable {
    const std::uint64_t id = ++timers->last;
    // The timer does not own its table, or the table would own itself.
    timers->running[id] =
        timers->loop.call_after(delay, [table = std::weak_ptr(timers), id, watch = std::move(watch)] {
          if (const auto woken = watch.lock()) woken->wake();
          if (const auto held = table.lock()) held->running.erase(id);
        });
  });
}

void Alarms::clear() {
  mailbox_.post([timers = timers_] { timers->running.clear(); });
}

}  // namespace baton::api
