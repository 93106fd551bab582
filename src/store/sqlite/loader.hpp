// Answers a LoadRequest from what is committed.
#pragma once

#include "store/sqlite/query.hpp"
#include "store/store.hpp"

namespace baton::store::sqlite {

// May throw SQLite::Exception.
Result<Loaded> load(Connection& connection, const LoadRequest& request);

}  // namespace baton::store::sqlite
