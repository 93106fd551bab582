// When SQLite's log is copied into the database, and how large its file is (MEASURED: a commit that
// overwrites log is a third cheaper than one that lengthens it; a checkpoint inside of a commit is its
// p99.9).
#pragma once

#include <cstddef>

#include "base/error.hpp"
#include "store/sqlite/query.hpp"

namespace baton::store::sqlite {

// Belongs to the writer's connection and is used in its turns.
class WriteAheadLog {
 public:
  WriteAheadLog(Connection& connection, int checkpoint_pages);
  ~WriteAheadLog();
  WriteAheadLog(const WriteAheadLog&) = delete;
  WriteAheadLog& operator=(const WriteAheadLog&) = delete;

  // Whether so many pages were added since the last checkpoint that the next one is due.
  bool due() const { return pages_ - checkpointed_ >= checkpoint_pages_; }
  bool half_due() const { return pages_ - checkpointed_ >= checkpoint_pages_ / 2; }
  // Copies the log into the database. A full disk or a foreign lock only puts it off; an I/O error is fatal:
  // the owner must not go on.
  Status checkpoint();

  bool is_sized() const { return sized_; }
  // Lengthens the log's file with zeros, which SQLite takes for the end of the log. Takes some milliseconds.
  // No space costs only speed; a sync that fails is fatal as everywhere.
  Status lengthen();

 private:
  static int on_commit(void* self, sqlite3* database, const char* name, int pages);

  Connection& connection_;
  int checkpoint_pages_;
  int pages_ = 0;         // in the log, after the last commit
  int checkpointed_ = 0;  // of these, when the last checkpoint ended
  bool sized_ = false;
};

}  // namespace baton::store::sqlite
