// Opening the database file: creation, the settings that hold for ever and those of a connection.
#pragma once

#include <memory>
#include <string>

#include "base/error.hpp"
#include "store/sqlite/query.hpp"

namespace baton::store::sqlite {

// The one connection that writes. Creates the file if there is none and migrates it. May throw
// SQLite::Exception.
Result<std::unique_ptr<Connection>> open_for_writing(const std::string& path, const std::string& vfs);
// A connection that cannot write, whatever it is told. May throw SQLite::Exception.
Result<std::unique_ptr<Connection>> open_for_reading(const std::string& path, const std::string& vfs);

}  // namespace baton::store::sqlite
