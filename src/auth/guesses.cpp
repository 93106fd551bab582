#include "auth/guesses.hpp"

#include <algorithm>

namespace baton::auth {
namespace {

constexpr std::size_t kMostAddresses = 10'000;
constexpr Duration kWindow = Duration::minutes(1);

}  // namespace

void Guesses::wrong(const std::string& address, WallTime now) {
  const std::lock_guard lock(mutex_);
  if (!windows_.contains(address) && windows_.size() >= kMostAddresses) {
    std::erase_if(windows_, [&](const auto& entry) { return now - entry.second.since >= kWindow; });
    if (windows_.size() >= kMostAddresses) {
      windows_.erase(
          std::ranges::min_element(windows_, {}, [](const auto& entry) { return entry.second.since; }));
    }
  }
  Window& window = windows_[address];
  // A clock that was set back begins anew, too.
  if (window.count == 0 || now - window.since >= kWindow || now < window.since) window = {now, 0};
  ++window.count;
}

Duration Guesses::locked_for(const std::string& address, WallTime now) const {
  const std::lock_guard lock(mutex_);
  const auto found = windows_.find(address);
  if (found == windows_.end() || found->second.count < kGuessesPerMinute) return {};
  const Duration spent = now - found->second.since;
  return spent >= kWindow || spent < Duration{} ? Duration{} : kWindow - spent;
}

}  // namespace baton::auth
