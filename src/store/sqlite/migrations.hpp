// The schema, and how an older file becomes a newer one. docs/design/003-on-disk.md explains each table.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.hpp"
#include "store/sqlite/query.hpp"

namespace baton::store::sqlite {

// "Batn": marks the file as ours (PRAGMA application_id).
inline constexpr std::int64_t kApplicationId = 0x4261746e;

// migrations()[n - 1] brings a file from schema n - 1 to n. Append only.
std::span<const char* const> migrations();
inline std::int64_t newest_schema() {
  return static_cast<std::int64_t>(migrations().size());
}

// The file's schema. Refuses files that are not ours or newer than this program (bad_configuration).
Result<std::int64_t> check_schema(Connection& connection);
// Applies what is missing, each migration in one transaction. May throw SQLite::Exception: then the file has
// the schema of the last one that was committed.
void migrate(Connection& connection, std::int64_t from);

}  // namespace baton::store::sqlite
