// A SQLite VFS that hands everything to another one, except what a derived class does differently. Methods
// return SQLite's result codes. https://www.sqlite.org/vfs.html
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>

namespace baton::store::sqlite {

class VfsShim {
 public:
  VfsShim(const VfsShim&) = delete;
  VfsShim& operator=(const VfsShim&) = delete;
  virtual ~VfsShim();  // no connection may use it any more

  const char* name() const { return name_.c_str(); }

  // SQLite allocates it, the file of the other VFS behind it.
  struct File {
    sqlite3_file methods;  // first: SQLite sees only this
    VfsShim* shim;
    sqlite3_file* real;
    const char* path;     // lives as long as the file; null for a temporary one
    int flags;            // SQLITE_OPEN_…
    std::uint32_t state;  // the derived class's; 0 at first
  };

 protected:
  // Registers `name` over `base` ("" = the system's default, which must exist).
  VfsShim(std::string name, const std::string& base);

  // May be called by several threads, for one file by one at a time.
  virtual int read(File& file, void* data, int size, sqlite3_int64 at) {
    return real_read(file, data, size, at);
  }
  virtual int write(File& file, const void* data, int size, sqlite3_int64 at) {
    return real_write(file, data, size, at);
  }
  virtual int truncate(File& file, sqlite3_int64 size) {
    return file.real->pMethods->xTruncate(file.real, size);
  }
  virtual int sync(File& file, int flags) { return file.real->pMethods->xSync(file.real, flags); }
  virtual int remove(const char* path, int sync_folder) { return base_->xDelete(base_, path, sync_folder); }

  static int real_read(File& file, void* data, int size, sqlite3_int64 at) {
    return file.real->pMethods->xRead(file.real, data, size, at);
  }
  static int real_write(File& file, const void* data, int size, sqlite3_int64 at) {
    return file.real->pMethods->xWrite(file.real, data, size, at);
  }

 private:
  struct Calls;  // the C functions behind the tables
  friend Calls;

  std::string name_;
  sqlite3_vfs* base_;
  sqlite3_vfs vfs_{};
  sqlite3_io_methods methods_{};
};

}  // namespace baton::store::sqlite
