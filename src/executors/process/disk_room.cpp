#include "executors/process/disk_room.hpp"

#include <sys/statvfs.h>

#include <algorithm>

namespace baton::executors::process {
namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20;

std::string mebibytes(std::uint64_t bytes) {
  return std::to_string(bytes / kMebi) + " MiB";
}

}  // namespace

std::uint64_t usual_reserve(std::uint64_t file_system_bytes) {
  return std::clamp(file_system_bytes / 20, 256 * kMebi, 10 * 1024 * kMebi);
}

std::string DiskRoom::text() const {
  return mebibytes(free) + " free, and " + mebibytes(wanted) + " are to be";
}

DiskRoom disk_room(const std::string& directory, std::optional<std::uint64_t> reserve) {
  struct statvfs status{};
  if (::statvfs(directory.c_str(), &status) != 0 || status.f_blocks == 0) return {};
  const std::uint64_t block = status.f_frsize;
  return {status.f_bavail * block, reserve.value_or(usual_reserve(status.f_blocks * block))};
}

}  // namespace baton::executors::process
