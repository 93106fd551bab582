// The way back from a backup, into a data directory that nobody owns.
#pragma once

#include <string>

#include "base/error.hpp"
#include "store/sqlite/backup.hpp"

namespace baton::embedded {

// As store::restore_sqlite; `owned` if a process owns the directory. Makes the directory if it is missing.
Result<store::Restored> restore(const std::string& file, const std::string& data_dir, bool replace);

}  // namespace baton::embedded
