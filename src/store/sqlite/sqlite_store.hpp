// The store in one SQLite file (docs/design/003-on-disk.md). Exactly one writer exists at a time, in the
// process that owns the data directory; readers may be many.
#pragma once

#include <memory>
#include <string>

#include "store/store.hpp"

namespace baton::store {

struct SqliteOptions {
  std::string vfs;              // name of a registered SQLite VFS; "" = the system's. For fault tests.
  int checkpoint_pages = 1000;  // of the write-ahead log, after which it is copied into the database
  std::size_t inline_rows = 8;  // batches of up to this many rows are committed on the caller's thread
};

// Opens the database for writing; creates it (mode 0600) and brings an older schema up to date. The folder
// must exist and be owned by the caller (lock on DATA/lock); the path is absolute or relative to the working
// directory.
//   bad_configuration  the file is not Baton's, or was made by a newer Baton
//   corrupt            damaged; the message says what can be done
//   read_only          the disk is full, or file or folder may not be written
//   io                 anything else
//
// The writer has a thread of its own for large batches; commits of few rows run on the caller's thread when
// nothing is queued before them. It may be called from any thread. Its destructor finishes what was begun.
// After one `unknown`, or when copying the log into the database failed with an I/O error, nothing is written
// any more and every commit is `unknown`.
Result<std::unique_ptr<Writer>> open_sqlite_writer(const std::string& path,
                                                   const SqliteOptions& options = {});

// Opens the same file read-only; a writer must have made it. Any number of threads may call one reader: it
// has, together with those of other shards that come from it, up to four connections; further callers wait
// for one. Never waits for the writer.
Result<std::unique_ptr<Reader>> open_sqlite_reader(const std::string& path, const SqliteOptions& options = {},
                                                   ShardId shard = {});

}  // namespace baton::store
