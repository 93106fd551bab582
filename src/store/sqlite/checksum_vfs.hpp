// Checksums of database pages. SQLite checks the structure of a page, not its content: a flipped bit in a
// stored value would be served. So each page of the database file ends with a checksum of the rest, written
// and verified below SQLite, in eight reserved bytes: place and algorithm are those of SQLite's cksumvfs
// extension (https://www.sqlite.org/cksumvfs.html), so that its tools can verify our files.
//
// A page whose checksum does not fit gives SQLITE_IOERR_DATA. The log needs nothing: its frames have
// checksums of their own. Reading our files with other programs is harmless, even if they copy the log of a
// dead owner into the database: such pages have no checksum (zero) until they are written again, and are not
// verified. Pages that other programs change are refused. Files without the reserved bytes (salvaged by
// `.recover`) are not verified.
#pragma once

#include <string>

#include "store/sqlite/query.hpp"

namespace baton::store::sqlite {

// The name of the checking VFS over `base` ("" = the system's), registered at its first use and for ever.
std::string checksum_vfs(const std::string& base);
// Before the first page of a new database is written.
void reserve_checksums(Connection& connection);

}  // namespace baton::store::sqlite
