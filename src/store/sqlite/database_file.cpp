#include "store/sqlite/database_file.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/fd.hpp"
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

// SQLite would create the file with the umask's mode; its log files take the mode of the database. The name
// must be durable before the first commit is.
Status create_if_missing(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) {
    if (errno == EEXIST) return {};
    return file_error(errno, "create " + path);
  }
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string folder = parent.empty() ? "." : parent;
  const Fd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) return file_error(errno, "make " + path + " durable");
  return {};
}

}  // namespace

Result<std::unique_ptr<Connection>> open_for_writing(const std::string& path, const std::string& vfs) {
  without_statistics();
  TRY_VOID(create_if_missing(path));
  TRY_VOID(check_log(path + "-wal"));
  auto connection = std::make_unique<Connection>(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                                                 kWriterBusyMs, checksum_vfs(vfs));
  if (sqlite3_db_readonly(connection->handle(), "main") == 1) {
    return fail(ErrorCode::read_only, "the database file " + path + " may not be written by this user");
  }
  TRY(const std::int64_t schema, check_schema(*connection));
  if (schema == 0) {
    // Only an empty file takes these.
    reserve_checksums(*connection);
    connection->exec("PRAGMA page_size = 4096");
    connection->exec("PRAGMA auto_vacuum = INCREMENTAL");
  }
  if (connection->database().execAndGet("PRAGMA journal_mode = WAL").getString() != "wal") {
    return fail(ErrorCode::io, "the file system of " + path +
                                   " does not support SQLite's write-ahead log "
                                   "(shared memory): put the data directory on a local disk");
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
