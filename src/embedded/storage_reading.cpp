#include "embedded/storage_reading.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

namespace baton::embedded {
namespace {

using telemetry::Metric;

void read_file(const std::string& path, std::string_view file, telemetry::Reading& reading) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return;
  reading.set(Metric::database_bytes, {file}, static_cast<double>(found.st_size));
}

}  // namespace

void read_storage(const std::string& data_dir, telemetry::Reading& reading) {
  read_file(data_dir + "/baton.db", "database", reading);
  read_file(data_dir + "/baton.db-wal", "log", reading);
  struct statvfs disk{};
  if (::statvfs(data_dir.c_str(), &disk) != 0) return;
  const auto block = static_cast<double>(disk.f_frsize);
  reading.set(Metric::disk_free, static_cast<double>(disk.f_bavail) * block);
  reading.set(Metric::disk_size, static_cast<double>(disk.f_blocks) * block);
}

}  // namespace baton::embedded
