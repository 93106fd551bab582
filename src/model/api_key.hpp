// Keys of people and programs that are not the user who runs Baton, and what their roles may: records of
// their own. The key itself is nowhere, only its hash.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/time.hpp"
#include "model/record.hpp"
#include "model/space.hpp"

namespace baton::model {

// Stored as numbers: append at the end, never reorder.
enum class Role : std::uint8_t {
  viewer = 1,  // look at everything but keys and audit
  operator_,   // steer: start, cancel, retry, pause, signal, approve …
  editor,      // change: definitions, limits, queues, routes
  admin,       // keys, audit, backups
  worker       // take tasks and report how they ended, and nothing else; an operator may that, too
};
inline constexpr Role kLastRole = Role::worker;
// Whether who has one may what the other is needed for: of viewer, operator, editor and admin each may what
// those before it may; a worker may only what a worker may.
constexpr bool includes(Role role, Role needed) {
  if (role == Role::worker) return needed == Role::worker;
  return role >= (needed == Role::worker ? Role::operator_ : needed);
}
std::string_view name(Role role);  // "operator"
std::optional<Role> role_from(std::string_view name);

inline constexpr std::size_t kMaxKeys = 1000;
inline constexpr std::string_view kFirstKey = "admin";  // that a server makes at its first start

struct KeyRow {
  std::string name;
  Hash256 hash;  // of the whole key, SHA-256
  Role role = Role::viewer;
  std::string space = std::string(kDefaultNamespace);  // or kEveryNamespace
  std::string by;                                      // who made it
  std::string why;
  WallTime at;
  std::optional<WallTime> expires_at;
  std::optional<WallTime> revoked_at;
  std::string revoked_by;
  std::optional<WallTime> used_at;  // the last time, to a few minutes

  bool is_valid(WallTime now) const { return !revoked_at && (!expires_at || now < *expires_at); }
  friend bool operator==(const KeyRow&, const KeyRow&) = default;
};

inline RecordKey api_key_key(std::string_view name) {
  return {RecordKind::api_key, std::string(name)};
}
Record to_record(const KeyRow& row);
Result<KeyRow> api_key_of(const Record& record);  // or corrupt

}  // namespace baton::model
