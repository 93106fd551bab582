// A disk for tests: makes the n-th operation fail, and cuts the power. What it may do, and why:
//   - fail one write, sync or truncation, or all from the n-th on, with a code of the test's choice: a full
//     disk, a broken one;
//   - forget, at a power cut, what was written after a file's last successful sync: of these writes any part
//     may have reached the disk, in any order, cut at any sector of 512 bytes. Names of files are durable at
//     once (the store syncs the folder when it makes one; SQLite does for its log).
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "store/sqlite/vfs_shim.hpp"

namespace baton::store::sqlite {

class FaultyVfs final : public VfsShim {
 public:
  FaultyVfs();

  enum class Operations : std::uint8_t { writes, syncs, both };  // truncations are writes
  // The n-th operation of this kind from now on (1 = the next) fails with `code`; or all from there on.
  void fail_at(int n, Operations which, int code, bool for_ever);
  void heal();
  bool failed() const { return failed_; }

  // The power goes: nothing more is written. Then, when nothing has the files open any more, `restore` makes
  // of them what a disk may have kept.
  void cut_power() { dead_ = true; }
  void restore(std::mt19937& random);

 protected:
  int write(File& file, const void* data, int size, sqlite3_int64 at) override;
  int truncate(File& file, sqlite3_int64 size) override;
  int sync(File& file, int flags) override;
  int remove(const char* path, int sync_folder) override;

 private:
  struct Change {
    sqlite3_int64 at = 0;
    std::string bytes;  // of a write
    bool truncation = false;
  };
  struct Disk {
    std::string durable;
    std::vector<Change> since;
  };

  int fault(bool is_sync);  // SQLITE_OK, or what this operation fails with
  Disk& disk_of(const File& file);
  static void apply(std::string& content, const Change& change);

  std::atomic<bool> dead_ = false;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;  // guards the rest
  std::map<std::string, Disk> disks_;
  int countdown_ = 0;  // 0 = no fault
  int code_ = 0;
  bool for_ever_ = false;
  Operations which_ = Operations::both;
};

}  // namespace baton::store::sqlite
