// SQLite's errors as Baton's, and what a failed commit means.
#pragma once

#include <string_view>

#include "SQLiteCpp/Exception.h"
#include "base/error.hpp"

namespace baton::store::sqlite {

// SQLite's extended result code of an exception.
int code_in(const SQLite::Exception& e);

// `doing` is a phrase: "reading a run".
Error error_of(const SQLite::Exception& e, std::string_view doing);
Error error_of_code(int extended_code, std::string_view message, std::string_view doing);

// Whether a COMMIT that failed with this code certainly left nothing behind. Everything else (an I/O or fsync
// error) may have left the commit on disk: nobody can say.
bool leaves_nothing(int extended_code);
// Whether the medium failed (as opposed to being full, busy or forbidden).
bool is_io_failure(int extended_code);

// Runs `body`, which returns a Result or Status, and turns the library's exceptions into its error.
template <typename Body>
auto guarded(std::string_view doing, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const SQLite::Exception& e) {
    return fail(error_of(e, doing));
  }
}

}  // namespace baton::store::sqlite
