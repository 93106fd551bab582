// Finds damage in the log that a dead owner left. SQLite's recovery takes the first frame that does not check
// as the end of the log: right after a power cut, but a flipped bit in the middle would silently undo every
// commit behind it.
//
// The two can be told apart because a commit is synced before the next one is written (synchronous=FULL): a
// power cut tears the last commit only. So two commits at or behind a bad frame mean damage; damage of the
// last commit itself cannot be told from a cut. The header is one sector and never torn.
// Format: https://www.sqlite.org/fileformat2.html#walformat
#pragma once

#include <string>

#include "base/error.hpp"

namespace baton::store::sqlite {

// Before the database is opened, by its owner. corrupt: frames in the middle are damaged; io: not readable. A
// log that is missing, empty or never used is fine.
Status check_log(const std::string& path);

}  // namespace baton::store::sqlite
