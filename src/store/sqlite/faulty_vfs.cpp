#include "store/sqlite/faulty_vfs.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace baton::store::sqlite {
namespace {

constexpr std::size_t kSector = 512;

std::string unique_name() {
  static std::atomic<int> count = 0;
  return "faulty-" + std::to_string(++count);
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  std::string content(static_cast<std::size_t>(std::max<std::streamoff>(in.tellg(), 0)), '\0');
  in.seekg(0).read(content.data(), static_cast<std::streamsize>(content.size()));
  return content;
}

}  // namespace

FaultyVfs::FaultyVfs() : VfsShim(unique_name(), "") {}

void FaultyVfs::fail_at(int n, Operations which, int code, bool for_ever) {
  const std::lock_guard lock(mutex_);
  countdown_ = n;
  which_ = which;
  code_ = code;
  for_ever_ = for_ever;
  failed_ = false;
}

void FaultyVfs::heal() {
  const std::lock_guard lock(mutex_);
  countdown_ = 0;
}

int FaultyVfs::fault(bool is_sync) {
  if (countdown_ == 0 || which_ == (is_sync ? Operations::writes : Operations::syncs)) return SQLITE_OK;
  if (--countdown_ > 0) return SQLITE_OK;
  if (for_ever_) countdown_ = 1;
  failed_ = true;
  return code_;
}

FaultyVfs::Disk& FaultyVfs::disk_of(const File& file) {
  const auto found = disks_.find(file.path);
  if (found != disks_.end()) return found->second;
  return disks_[file.path] = {content_of(file.path), {}};  // what was there before is durable
}

int FaultyVfs::write(File& file, const void* data, int size, sqlite3_int64 at) {
  if (dead_) return SQLITE_IOERR_WRITE;
  const std::lock_guard lock(mutex_);
  if (const int code = fault(false); code != SQLITE_OK) return code;
  if (file.path) {
    disk_of(file).since.push_back(
        {at, {static_cast<const char*>(data), static_cast<std::size_t>(size)}, false});
  }
  return real_write(file, data, size, at);
}

int FaultyVfs::truncate(File& file, sqlite3_int64 size) {
  if (dead_) return SQLITE_IOERR_TRUNCATE;
  const std::lock_guard lock(mutex_);
  if (const int code = fault(false); code != SQLITE_OK) return code;
  if (file.path) disk_of(file).since.push_back({size, {}, true});
  return VfsShim::truncate(file, size);
}

int FaultyVfs::sync(File& file, int) {
  if (dead_) return SQLITE_IOERR_FSYNC;
  const std::lock_guard lock(mutex_);
  if (const int code = fault(true); code != SQLITE_OK) return code;
  if (file.path) disks_[file.path] = {content_of(file.path), {}};
  return SQLITE_OK;  // the real disk need not spin for it
}

int FaultyVfs::remove(const char* path, int sync_folder) {
  if (dead_) return SQLITE_IOERR_DELETE;
  const std::lock_guard lock(mutex_);
  disks_.erase(path);
  return VfsShim::remove(path, sync_folder);
}

void FaultyVfs::apply(std::string& content, const Change& change) {
  const auto at = static_cast<std::size_t>(change.at);
  if (change.truncation) {
    content.resize(std::min(content.size(), at));
    return;
  }
  if (content.size() < at + change.bytes.size()) content.resize(at + change.bytes.size());
  content.replace(at, change.bytes.size(), change.bytes);
}

void FaultyVfs::restore(std::mt19937& random) {
  const std::lock_guard lock(mutex_);
  for (auto& [path, disk] : disks_) {
    std::filesystem::remove(path + "-shm");  // memory, not disk
    std::shuffle(disk.since.begin(), disk.since.end(), random);
    for (const Change& change : disk.since) {
      if (change.truncation) {
        if (random() % 2 == 0) apply(disk.durable, change);
        continue;
      }
      for (std::size_t done = 0; done < change.bytes.size(); done += kSector) {
        if (random() % 2 == 0) continue;
        apply(disk.durable,
              {change.at + static_cast<sqlite3_int64>(done), change.bytes.substr(done, kSector), false});
      }
    }
    std::ofstream(path, std::ios::binary | std::ios::trunc) << disk.durable;
  }
  disks_.clear();
  dead_ = false;
}

}  // namespace baton::store::sqlite
