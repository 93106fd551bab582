// Who has signed in with a page: sessions, of this process alone. Whoever signed in before a restart does so
// again; no secret of theirs is stored anywhere.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/time.hpp"

namespace baton::auth {

inline constexpr Duration kSessionLasts = Duration::hours(12);
inline constexpr std::size_t kMostSessions = 10'000;

struct Session {
  Hash256 id;        // of its text
  Hash256 key;       // of the key that it was opened with: what that may, and no longer than that may
  std::string csrf;  // what a change has to carry besides the cookie
  WallTime ends;
};
struct OpenedSession {
  std::string text;  // of the cookie: 256 random bits
  Session session;
};

// Any thread.
class Sessions {
 public:
  // io: the system has no randomness. Beyond kMostSessions the one that ends first is closed.
  Result<OpenedSession> open(const Hash256& key, WallTime now);
  // nullopt: there is none (any more).
  std::optional<Session> find(std::string_view text, WallTime now);
  bool is_open(const Hash256& id, WallTime now) const;
  void close(std::string_view text);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<Hash256, Session> sessions_;  // by their ids; guarded by mutex_
};

}  // namespace baton::auth
