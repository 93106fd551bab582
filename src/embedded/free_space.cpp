#include "embedded/free_space.hpp"

#include "executors/process/disk_room.hpp"

namespace baton::embedded {

Status check_free_space(const std::string& data_dir, std::optional<std::uint64_t> reserve) {
  const executors::process::DiskRoom room = executors::process::disk_room(data_dir, reserve);
  if (room.enough()) return {};
  return fail(ErrorCode::read_only,
              "no new runs are taken: the file system of " + data_dir + " has " + room.text() +
                  " kept for the runs that are under way. Free some space, or set min_free_space "
                  "(BATON_MIN_FREE_SPACE)");
}

}  // namespace baton::embedded
