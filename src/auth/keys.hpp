// The keys that let somebody in, as a table in memory beside the store's records.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/principal.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/time.hpp"
#include "model/api_key.hpp"

namespace baton::auth {

// How often the store hears that a key was used.
inline constexpr Duration kNoteUseEvery = Duration::minutes(5);

enum class Standing : std::uint8_t {
  unknown,  // no such key: a guess
  expired,
  revoked,
  valid
};

struct Answer {
  Standing standing = Standing::unknown;
  std::string name;         // of the key, unless unknown
  Principal principal;      // if valid
  bool note_use = false;    // the store should hear of it
  bool known_here = false;  // it was let in from this address before
};

// Any thread.
class Keys {
 public:
  // The keys as they are in the store now; where they were let in from stays known.
  void replace(std::vector<model::KeyRow> rows);
  // Who presents this text from that address, which is kept as one that the key is used from if `admit` says
  // so. Takes as long for a wrong text as for a right one: it is looked up by its hash, which nobody can
  // choose, and compared in constant time.
  Answer check(std::string_view text, const std::string& address, WallTime now, bool admit = true);
  Answer check(const Hash256& hash, const std::string& address, WallTime now, bool admit = true);
  // Whether one that was let in may stay. Changes nothing.
  bool is_valid(const Hash256& hash, WallTime now) const;

 private:
  struct Entry {
    model::KeyRow row;
    std::deque<std::string> addresses;  // the last ones that it was let in from
  };
  mutable std::mutex mutex_;
  std::unordered_map<Hash256, Entry> entries_;  // guarded by mutex_
};

}  // namespace baton::auth
