// The way back from a backup, into a data directory that nobody owns.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "store/sqlite/backup.hpp"

namespace baton::embedded {

// As store::restore_sqlite; `owned` if a process owns the directory. Makes the directory if it is missing.
// `secrets`: how many there are, of all namespaces, sealed with a key that no backup has.
struct Restored : store::Restored {
  std::uint64_t secrets = 0;
};
Result<Restored> restore(const std::string& file, const std::string& data_dir, bool replace);

}  // namespace baton::embedded
