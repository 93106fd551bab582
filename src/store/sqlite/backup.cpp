#include "store/sqlite/backup.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/fd.hpp"
#include "store/sqlite/checksum_vfs.hpp"
#include "store/sqlite/database_file.hpp"
#include "store/sqlite/errors.hpp"
#include "store/sqlite/migrations.hpp"

namespace baton::store {
namespace {

using sqlite::Connection;
using sqlite::guarded;
using sqlite::Query;

constexpr int kPagesAtOnce = 256;
constexpr int kBusyMs = 5000;
// Nobody starts that many owners between a backup and its restore, and 32 bits have room for 4,000 restores.
constexpr std::int64_t kIncarnations = std::int64_t{1} << 20;

std::unexpected<Error> file_error(int error, const std::string& what) {
  const bool refused =
      error == EACCES || error == EPERM || error == EROFS || error == ENOSPC || error == EDQUOT;
  return fail(refused ? ErrorCode::read_only : ErrorCode::io, "cannot " + what + ": " + errno_text(error));
}

bool exists(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

Status sync_folder_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const Fd folder(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return file_error(errno, "make " + path + " durable");
  return {};
}

Status sync_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file || ::fsync(file.get()) != 0) return file_error(errno, "make " + path + " durable");
  return {};
}

Status make_empty(const std::string& path) {
  ::unlink(path.c_str());  // of an attempt that was interrupted
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return file_error(errno, "create " + path);
  return {};
}

// What SQLite's own check does not know of.
constexpr const char* kTasksOfNothing =
    "SELECT count(*) FROM task WHERE run NOT IN (SELECT key FROM run UNION ALL SELECT run FROM remains)";
constexpr std::array kNothing = {
    "SELECT count(*) FROM idempotency WHERE run NOT IN (SELECT key FROM run)",
    "SELECT count(*) FROM payload WHERE id NOT IN (SELECT id FROM payload_content)",
};

// Reads every page. `thorough`: indexes are held against their tables.
Result<BackupReport> examine(Connection& connection, const std::string& file, bool thorough = true) {
  BackupReport report{.file = file};
  TRY(report.schema, sqlite::check_schema(connection));
  if (const std::string said =
          connection.pragma_text(thorough ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)");
      said != "ok") {
    return fail(ErrorCode::corrupt, file + " is damaged: " + said);
  }
  std::vector<const char*> checks(kNothing.begin(), kNothing.end());
  // Before schema 4 no run was ever removed.
  checks.push_back(report.schema >= 4 ? kTasksOfNothing
                                      : "SELECT count(*) FROM task WHERE run NOT IN (SELECT key FROM run)");
  for (const char* sql : checks) {
    Query query = connection.query(sql);
    if (query.next() && query.number_at(0) != 0) {
      return fail(ErrorCode::corrupt, file + " is damaged: it has rows that point to nothing");
    }
  }
  report.bytes = connection.pragma("PRAGMA page_count") * connection.pragma("PRAGMA page_size");
  report.runs = connection.pragma("SELECT count(*) FROM run");
  report.open_runs = connection.pragma("SELECT count(*) FROM run WHERE status < 5");
  if (report.schema >= 3) {
    report.last_commit.us = connection.pragma("SELECT coalesce(max(wall_time), 0) FROM meta");
  }
  return report;
}

// A connection to a file that is not yet anybody's database: nothing of it has to survive a crash.
std::unique_ptr<Connection> open_scratch(const std::string& path, const std::string& vfs) {
  auto connection = std::make_unique<Connection>(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, kBusyMs,
                                                 sqlite::checksum_vfs(vfs));
  connection->exec("PRAGMA synchronous = OFF");
  connection->exec("PRAGMA temp_store = MEMORY");
  connection->exec("PRAGMA trusted_schema = OFF");
  return connection;
}

std::unexpected<Error> sqlite_error(Connection& connection, std::string_view doing) {
  return fail(sqlite::error_of_code(sqlite3_extended_errcode(connection.handle()),
                                    sqlite3_errmsg(connection.handle()), doing));
}

Status copy_pages(Connection& from, Connection& to, const std::function<bool()>& stopped) {
  // Its first page tells the checksums' layer the size of all others, so it comes first.
  sqlite::reserve_checksums(to);
  to.pragma_text("PRAGMA journal_mode = OFF");
  to.exec("PRAGMA page_size = 4096");
  to.exec("PRAGMA user_version = 1");
  const std::unique_ptr<sqlite3_backup, int (*)(sqlite3_backup*)> copy(
      sqlite3_backup_init(to.handle(), "main", from.handle(), "main"), sqlite3_backup_finish);
  if (!copy) return sqlite_error(to, "beginning a backup");
  for (;;) {
    const int code = sqlite3_backup_step(copy.get(), kPagesAtOnce);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_OK)
      return fail(sqlite::error_of_code(code, sqlite3_errstr(code), "copying the pages"));
    if (stopped && stopped()) return fail(ErrorCode::interrupted, "the backup was interrupted");
  }
}

Result<BackupReport> make_copy(const std::string& database, const std::string& part,
                               const std::function<bool()>& stopped, const std::string& vfs) {
  TRY_VOID(make_empty(part));
  {
    TRY(const std::unique_ptr<Connection> source, sqlite::open_for_reading(database, vfs));
    // One transaction: all steps see the same moment.
    source->query("BEGIN").run();
    source->pragma("SELECT count(*) FROM meta");
    const auto target = open_scratch(part, vfs);
    TRY_VOID(copy_pages(*source, *target, stopped));
  }
  const auto copy = open_scratch(part, vfs);
  TRY(BackupReport report, examine(*copy, part));
  return report;
}

// The copy of a file's bytes: a backup may lie where SQLite could not even open it (it writes beside it).
Status copy_bytes(const std::string& from, const std::string& to) {
  const Fd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in && errno == ENOENT) return fail(ErrorCode::not_found, "there is no file " + from);
  struct stat status{};
  if (!in || ::fstat(in.get(), &status) != 0) return file_error(errno, "read " + from);
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::bad_configuration, from + " is no file");
  TRY_VOID(make_empty(to));
  const Fd out(::open(to.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!out) return file_error(errno, "write " + to);
  std::vector<char> buffer(std::size_t{1} << 20);
  for (;;) {
    const ssize_t got = ::read(in.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(errno, "read " + from);
    if (got == 0) return {};
    for (ssize_t done = 0; done < got;) {
      const ssize_t put = ::write(out.get(), buffer.data() + done, static_cast<std::size_t>(got - done));
      if (put < 0 && errno != EINTR) return file_error(errno, "write " + to);
      if (put > 0) done += put;
    }
  }
}

Result<BackupReport> prepare(const std::string& from, const std::string& scratch, const std::string& vfs) {
  TRY_VOID(copy_bytes(from, scratch));
  BackupReport report;
  {
    const auto connection = open_scratch(scratch, vfs);
    TRY(report, examine(*connection, from));
    // Without a log of its own: it is renamed alone.
    if (connection->pragma_text("PRAGMA journal_mode = MEMORY") != "memory") {
      return fail(ErrorCode::io, "cannot prepare " + scratch + ": another program uses it");
    }
    connection->exec(
        ("UPDATE meta SET incarnation = incarnation + " + std::to_string(kIncarnations)).c_str());
  }
  TRY_VOID(sync_file(scratch));
  TRY_VOID(sync_folder_of(scratch));
  return report;
}

Status move(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return file_error(errno, "move " + from + " to " + to);
  return {};
}

std::string free_name(const std::string& database) {
  for (int n = 1;; ++n) {
    const std::string name = database + ".replaced-" + std::to_string(n);
    if (!exists(name) && !exists(name + "-wal")) return name;
  }
}

}  // namespace

Result<BackupReport> backup_sqlite(const std::string& database, const std::string& to,
                                   const std::function<bool()>& stopped, const std::string& vfs) {
  const auto taken = [&] { return fail(ErrorCode::conflict, to + " exists already: choose another name"); };
  if (exists(to)) return taken();
  const std::string part = to + ".part";
  Result<BackupReport> report = guarded("making a backup", [&]() -> Result<BackupReport> {
    TRY(BackupReport made, make_copy(database, part, stopped, vfs));
    TRY_VOID(sync_file(part));
    // A link, not a rename: it never takes the place of a file that came meanwhile.
    if (::link(part.c_str(), to.c_str()) != 0) {
      if (errno == EEXIST) return taken();
      if (errno != EPERM && errno != EOPNOTSUPP) return file_error(errno, "create " + to);
      TRY_VOID(move(part, to));  // a file system without links
    }
    ::unlink(part.c_str());
    TRY_VOID(sync_folder_of(to));
    made.file = to;
    return made;
  });
  if (!report) {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((part + suffix).c_str());
  }
  return report;
}

Result<BackupReport> check_sqlite(const std::string& database, bool thorough, const std::string& vfs) {
  return guarded("checking " + database, [&]() -> Result<BackupReport> {
    TRY(const std::unique_ptr<Connection> connection, sqlite::open_for_reading(database, vfs));
    return examine(*connection, database, thorough);
  });
}

Result<Restored> restore_sqlite(const std::string& from, const std::string& database, bool replace,
                                const std::string& vfs) {
  if (!exists(from)) return fail(ErrorCode::not_found, "there is no file " + from);
  const std::string log = database + "-wal";
  const std::string scratch = sqlite::unfinished_restore(database);
  const bool interrupted = !exists(database) && exists(scratch);
  const bool there = exists(database) || exists(log);
  if (there && !replace && !interrupted) {
    return fail(ErrorCode::conflict,
                "there is a database already (" + database +
                    "): restore into another data directory, or use --replace, which moves it away");
  }
  return guarded("restoring a backup", [&]() -> Result<Restored> {
    Restored restored;
    // An interrupted one is no backup to begin from: the note stays until the new copy is whole.
    const std::string fresh = scratch + ".part";
    Result<BackupReport> prepared = guarded("reading a backup", [&] { return prepare(from, fresh, vfs); });
    if (!prepared) {
      for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((fresh + suffix).c_str());
      return fail(std::move(prepared).error());
    }
    restored.backup = *prepared;
    TRY_VOID(move(fresh, scratch));
    TRY_VOID(sync_folder_of(database));
    // From here on: a log without its database, and a scratch without a database, are both refused by whoever
    // opens. A database never meets another one's log.
    if (there) {
      restored.replaced = free_name(database);
      if (exists(database)) TRY_VOID(move(database, restored.replaced));
      TRY_VOID(sync_folder_of(database));
      if (exists(log)) TRY_VOID(move(log, restored.replaced + "-wal"));
    }
    ::unlink((database + "-shm").c_str());
    TRY_VOID(sync_folder_of(database));
    TRY_VOID(move(scratch, database));
    TRY_VOID(sync_folder_of(database));
    return restored;
  });
}

}  // namespace baton::store
