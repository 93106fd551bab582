#include "store/sqlite/database_file.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/fd.hpp"
#include "store/sqlite/backup.hpp"
#include "store/sqlite/checksum_vfs.hpp"
#include "store/sqlite/errors.hpp"
#include "store/sqlite/log_check.hpp"
#include "store/sqlite/migrations.hpp"

namespace baton::store::sqlite {
namespace {

constexpr int kWriterBusyMs = 200;   // only a foreign program can hold the lock
constexpr int kReaderBusyMs = 5000;  // a reader that opens during a recovery of the log waits for it

std::unexpected<Error> file_error(int error, const std::string& what) {
  const bool refused =
      error == EACCES || error == EPERM || error == EROFS || error == ENOSPC || error == EDQUOT;
  return fail(refused ? ErrorCode::read_only : ErrorCode::io, "cannot " + what + ": " + errno_text(error));
}

// SQLite's allocation statistics, which nobody reads here, take a lock of the whole process for each
// allocation (a tenth of the writer's time). They can be switched off only before SQLite's first use: if
// somebody else was earlier, they stay on.
void without_statistics() {
  static const int once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)once;
}

bool is_empty(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) != 0 || status.st_size == 0;
}

// Makes the whole file under another name, then renames it: there never is half a database, and it costs two
// syncs instead of fourteen (a cold start waits for each).
Status create(const std::string& path, const std::string& vfs) {
  if (!is_empty(path + "-wal")) {
    return fail(ErrorCode::corrupt, "the database " + path + " is missing, but its log is there (" + path +
                                        "-wal): put the database back, or move the log away to begin anew");
  }
  if (::access(unfinished_restore(path).c_str(), F_OK) == 0) {
    return fail(ErrorCode::corrupt, "a restore of " + path +
                                        " was interrupted: run `baton restore` again, or remove " +
                                        unfinished_restore(path) + " to begin with an empty database");
  }
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());
  // SQLite would take the umask's mode; its log takes the mode of the database.
  const Fd file(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return file_error(errno, "create " + path);
  {
    Connection connection(temporary, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, kWriterBusyMs,
                          checksum_vfs(vfs));
    connection.exec("PRAGMA synchronous = OFF");
    connection.pragma_text("PRAGMA journal_mode = MEMORY");
    reserve_checksums(connection);
    connection.exec("PRAGMA page_size = 4096");
    connection.exec("PRAGMA auto_vacuum = INCREMENTAL");
    migrate(connection, 0);
    if (connection.pragma_text("PRAGMA journal_mode = WAL") != "wal") {
      return fail(ErrorCode::io, "the file system of " + path +
                                     " does not support SQLite's write-ahead log (shared memory): put the "
                                     "data directory on a local disk");
    }
  }
  // Closed by SQLite before: closing a descriptor of our own would end its locks.
  if (::fsync(file.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    return file_error(errno, "create " + path);
  }
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const Fd folder(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return file_error(errno, "make " + path + " durable");
  return {};
}

// SQLite takes an end that is cut within a page for zeros, and its next checkpoint would make that true.
// While there is a log, a checkpoint may have been interrupted there: then checksum_vfs.hpp sees to it.
Status check_end(Connection& connection, const std::string& path, bool has_log) {
  struct stat status{};
  if (has_log || ::stat(path.c_str(), &status) != 0) return {};
  if (status.st_size % connection.pragma("PRAGMA page_size") == 0) return {};
  return fail(error_of_code(SQLITE_IOERR_DATA, "the end of " + path + " is missing", "opening the database"));
}

}  // namespace

Result<std::unique_ptr<Connection>> open_for_writing(const std::string& path, const std::string& vfs) {
  without_statistics();
  if (is_empty(path)) TRY_VOID(create(path, vfs));
  TRY_VOID(check_log(path + "-wal"));
  const bool has_log = !is_empty(path + "-wal");
  auto connection = std::make_unique<Connection>(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                                                 kWriterBusyMs, checksum_vfs(vfs));
  if (sqlite3_db_readonly(connection->handle(), "main") == 1) {
    return fail(ErrorCode::read_only, "the database file " + path + " may not be written by this user");
  }
  TRY_VOID(check_end(*connection, path, has_log));
  TRY(const std::int64_t schema, check_schema(*connection));
  if (connection->pragma_text("PRAGMA journal_mode = WAL") != "wal") {
    return fail(ErrorCode::io, "the database " + path + " cannot be used with a write-ahead log");
  }
  connection->exec("PRAGMA synchronous = FULL");
  connection->exec("PRAGMA wal_autocheckpoint = 0");   // write_ahead_log.hpp decides when
  connection->exec("PRAGMA journal_size_limit = -1");  // overwriting a log is cheaper than lengthening it
  connection->exec("PRAGMA cache_size = -16384");      // KiB
  connection->exec("PRAGMA temp_store = MEMORY");
  connection->exec("PRAGMA trusted_schema = OFF");
  migrate(*connection, schema);
  return connection;
}

Result<std::unique_ptr<Connection>> open_for_reading(const std::string& path, const std::string& vfs) {
  auto connection = std::make_unique<Connection>(path, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
                                                 kReaderBusyMs, checksum_vfs(vfs));
  connection->exec("PRAGMA query_only = ON");
  connection->exec("PRAGMA trusted_schema = OFF");
  connection->exec("PRAGMA temp_store = MEMORY");
  TRY(const std::int64_t schema, check_schema(*connection));
  if (schema != newest_schema()) {
    return fail(ErrorCode::bad_configuration,
                "the database " + path + " has an older schema: start the owner first");
  }
  return connection;
}

}  // namespace baton::store::sqlite
