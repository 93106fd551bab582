#include "store/sqlite/errors.hpp"

#include <sqlite3.h>

#include <string>

namespace baton::store::sqlite {
namespace {

constexpr int primary(int extended_code) {
  return extended_code & 0xff;
}

ErrorCode code_of(int extended_code) {
  switch (primary(extended_code)) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return ErrorCode::read_only;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::corrupt;
    case SQLITE_TOOBIG:
      return ErrorCode::too_large;
    case SQLITE_NOMEM:
      return ErrorCode::overloaded;
    case SQLITE_IOERR:
      if (extended_code == SQLITE_IOERR_DATA) return ErrorCode::corrupt;  // a checksum (checksum_vfs.hpp)
      return extended_code == SQLITE_IOERR_NOMEM ? ErrorCode::overloaded : ErrorCode::io;
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
      return ErrorCode::io;
    default:
      return ErrorCode::internal;
  }
}

std::string_view hint_of(ErrorCode code, int extended_code) {
  if (code == ErrorCode::corrupt) {
    return "; stop Baton and restore a backup, or salvage what can be read with "
           "`sqlite3 baton.db .recover | sqlite3 salvaged.db`";
  }
  if (primary(extended_code) == SQLITE_FULL) return "; free space on the disk of the data directory";
  if (code == ErrorCode::read_only && primary(extended_code) != SQLITE_READONLY) {
    return "; another program holds a lock on the database: close it";
  }
  return "";
}

}  // namespace

Error error_of_code(int extended_code, std::string_view message, std::string_view doing) {
  std::string text = "SQLite failed while ";
  text += doing;
  text += ": ";
  text += message;
  text += " (code " + std::to_string(extended_code) + ")";
  const ErrorCode code = code_of(extended_code);
  text += hint_of(code, extended_code);
  return {code, std::move(text), {}};
}

int code_in(const SQLite::Exception& e) {
  return e.getExtendedErrorCode() >= 0 ? e.getExtendedErrorCode() : e.getErrorCode();
}

Error error_of(const SQLite::Exception& e, std::string_view doing) {
  return error_of_code(code_in(e), e.what(), doing);
}

bool leaves_nothing(int extended_code) {
  switch (primary(extended_code)) {
    case SQLITE_FULL:  // a frame did not fit: the commit's last frame, which makes it valid, is not there
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CONSTRAINT:
    case SQLITE_READONLY:
      return true;
    default:
      return false;
  }
}

bool is_io_failure(int extended_code) {
  return code_of(extended_code) == ErrorCode::io || code_of(extended_code) == ErrorCode::corrupt;
}

}  // namespace baton::store::sqlite
