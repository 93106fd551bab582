#include "embedded/free_space.hpp"

#include <sys/statvfs.h>

#include <algorithm>

namespace baton::embedded {
namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20;

std::string mebibytes(std::uint64_t bytes) {
  return std::to_string(bytes / kMebi) + " MiB";
}

}  // namespace

std::uint64_t usual_reserve(std::uint64_t file_system_bytes) {
  return std::clamp(file_system_bytes / 20, 256 * kMebi, 10 * 1024 * kMebi);
}

Status check_free_space(const std::string& data_dir, std::optional<std::uint64_t> reserve) {
  struct statvfs status{};
  if (::statvfs(data_dir.c_str(), &status) != 0 || status.f_blocks == 0) return {};
  const std::uint64_t block = status.f_frsize;
  const std::uint64_t free = status.f_bavail * block;
  const std::uint64_t wanted = reserve.value_or(usual_reserve(status.f_blocks * block));
  if (free >= wanted) return {};
  return fail(ErrorCode::read_only,
              "no new runs are taken: the file system of " + data_dir + " has " + mebibytes(free) +
                  " free, and " + mebibytes(wanted) +
                  " are kept for the runs that are under way. Free some space, or set min_free_space "
                  "(BATON_MIN_FREE_SPACE)");
}

}  // namespace baton::embedded
