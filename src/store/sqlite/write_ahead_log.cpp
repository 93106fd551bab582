#include "store/sqlite/write_ahead_log.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/fd.hpp"
#include "store/sqlite/errors.hpp"

namespace baton::store::sqlite {
namespace {

constexpr off_t kSizedTo = off_t{4} << 20;
// Readers that overlap without a gap keep the log from starting over. When it is this many times as long as
// it should be, the checkpoint waits for them (as long as the connection's busy time-out).
constexpr int kPatience = 16;

}  // namespace

WriteAheadLog::WriteAheadLog(Connection& connection, int checkpoint_pages)
    : connection_(connection), checkpoint_pages_(std::max(1, checkpoint_pages)) {
  sqlite3_wal_hook(connection_.handle(), &WriteAheadLog::on_commit, this);
}

WriteAheadLog::~WriteAheadLog() {
  sqlite3_wal_hook(connection_.handle(), nullptr, nullptr);
}

int WriteAheadLog::on_commit(void* self, sqlite3*, const char*, int pages) {
  auto& log = *static_cast<WriteAheadLog*>(self);
  if (pages < log.pages_) log.checkpointed_ = 0;  // it started over
  log.pages_ = pages;
  return SQLITE_OK;
}

Status WriteAheadLog::checkpoint() {
  const int mode =
      pages_ >= kPatience * checkpoint_pages_ ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
  const int code = sqlite3_wal_checkpoint_v2(connection_.handle(), "main", mode, nullptr, nullptr);
  checkpointed_ = pages_;
  if (code == SQLITE_OK) return {};
  const int extended = sqlite3_extended_errcode(connection_.handle());
  if (!is_io_failure(extended)) return {};
  return fail(
      error_of_code(extended, sqlite3_errmsg(connection_.handle()), "copying the log into the database"));
}

Status WriteAheadLog::lengthen() {
  sized_ = true;
  const char* const name = sqlite3_filename_wal(sqlite3_db_filename(connection_.handle(), "main"));
  const Fd file(::open(name, O_WRONLY | O_CLOEXEC));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return {};
  static constexpr std::size_t kChunk = 64 << 10;
  const std::string zeros(kChunk, '\0');
  for (off_t at = status.st_size; at < kSizedTo;) {
    const auto size = static_cast<std::size_t>(std::min<off_t>(kChunk, kSizedTo - at));
    const ssize_t written = ::pwrite(file.get(), zeros.data(), size, at);
    if (written <= 0) {
      (void)::ftruncate(file.get(), status.st_size);
      return {};
    }
    at += written;
  }
  if (::fdatasync(file.get()) == 0 || errno == ENOSPC || errno == EDQUOT) return {};
  return fail(ErrorCode::io, std::string("cannot sync ") + name + ": " + errno_text(errno));
}

}  // namespace baton::store::sqlite
