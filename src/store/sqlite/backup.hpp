// Backups: a consistent copy of a database that is in use, checked before it counts, and the way back.
#pragma once

#include <functional>
#include <string>

#include "base/error.hpp"
#include "store/backup.hpp"

namespace baton::store {

// Copies the database as it is at one moment to `to`, which must not exist, while its owner goes on: it is
// only read, but its log cannot start over meanwhile, and grows. The copy is made under the name
// TO.part, checked (structure, checksums, rows that point to nothing), synced and renamed: `to` is a whole
// backup or does not exist. Mode 0600. Stops with `interrupted` when `stopped` says so; it is asked about
// every mebibyte.
//   conflict     `to` exists
//   read_only    the disk is full, or the folder may not be written
//   corrupt      the copy does not check: the database is damaged
//   io           anything else
Result<BackupReport> backup_sqlite(const std::string& database, const std::string& to,
                                   const std::function<bool()>& stopped = {}, const std::string& vfs = "");

// Looks through a database that is in use, and changes nothing: structure and checksums; `thorough`: also
// that indexes and tables agree, which takes several times as long. Errors as of backup_sqlite.
Result<BackupReport> check_sqlite(const std::string& database, bool thorough, const std::string& vfs = "");

struct Restored {
  BackupReport backup;
  std::string replaced;  // where the database is now that was there before; "" = there was none
};

// Puts a copy of a backup in the place of `database`, whose folder the caller owns (no writer, no reader).
// What is there is moved away if `replace` says so, never deleted. Ended at any moment, it leaves the old
// database, the new one, or none, together with a note that makes opening fail until it is done again. The
// incarnation is counted up far, so that no token of the time after the backup comes again.
//   not_found           there is no such file
//   conflict            there is a database and it is not to be replaced
//   bad_configuration   the file is no backup of Baton's, or of a newer one
//   corrupt             it does not check
Result<Restored> restore_sqlite(const std::string& from, const std::string& database, bool replace,
                                const std::string& vfs = "");

namespace sqlite {

// The restored copy, before it is in its place; if it is there and there is no database, a restore was
// interrupted.
inline std::string unfinished_restore(const std::string& database) {
  return database + ".restore";
}

}  // namespace sqlite
}  // namespace baton::store
