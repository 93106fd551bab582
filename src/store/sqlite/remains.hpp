// What removed runs have left: tasks, payloads, added steps, and facts in journal entries that other runs
// share. It is cleared away in pieces, each a transaction of its own, and the pages that it took are given
// back to the file system.
//
// A piece takes up to a thousand removed runs together and goes through their entries of the journal from
// the newest back: runs that were removed together mostly share entries, and each is rewritten once.
#pragma once

#include "base/error.hpp"
#include "store/sqlite/query.hpp"

namespace baton::store::sqlite {

// Belongs to the writer's connection and is used in its turns.
class Remains {
 public:
  explicit Remains(Connection& connection) : connection_(connection) {}

  // Does one piece: some milliseconds. True: there is more. May throw SQLite::Exception: then nothing of the
  // piece is done, or, if that came while `committing`, perhaps all of it.
  bool clear_some(bool& committing);

 private:
  bool clear_runs(bool& committing);
  bool give_pages_back(bool& committing);

  Connection& connection_;
};

}  // namespace baton::store::sqlite
