// How often an address may present what is no key.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "base/time.hpp"

namespace baton::auth {

inline constexpr std::uint32_t kGuessesPerMinute = 10;

// Any thread. Remembers a bounded number of addresses: beyond, those that have not guessed for the longest
// time are forgotten.
class Guesses {
 public:
  // Takes note of a wrong one.
  void wrong(const std::string& address, WallTime now);
  // Whether the address has used up its guesses; then for how long.
  Duration locked_for(const std::string& address, WallTime now) const;

 private:
  struct Window {
    WallTime since;
    std::uint32_t count = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Window> windows_;  // guarded by mutex_
};

}  // namespace baton::auth
