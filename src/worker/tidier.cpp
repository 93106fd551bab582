#include "worker/tidier.hpp"

#include <algorithm>
#include <map>

#include "executors/process/disk_room.hpp"
#include "worker/leftovers.hpp"

namespace baton::worker {
namespace {

constexpr Duration kDisk = Duration::seconds(10);  // between looks at the free space
constexpr Duration kUrgent = Duration::minutes(1);

}  // namespace

// A tenth of the time that they stay is soon enough.
Duration Tidier::every() const {
  return std::clamp(Duration{options_.keep.us / 10}, Duration::seconds(1), kDisk);
}

bool Tidier::look() {
  room_ = has_room();
  const WallTime now = options_.now();
  const Duration pause =
      room_ ? std::clamp(Duration{options_.keep.us / 10}, Duration::seconds(1), Duration::minutes(10))
            : kUrgent;
  // Also when somebody has set the clock back.
  if (now - swept_ >= pause || now < swept_) {
    swept_ = now;
    sweep(room_ ? options_.keep : Duration{});
    room_ = has_room();
  }
  return room_;
}

bool Tidier::has_room() {
  const auto room = executors::process::disk_room(options_.scratch, options_.reserve);
  if (room.enough() != room_) {
    options_.note(room.enough() ? "the disk has room again: tasks are taken"
                                : "no more tasks are taken: the file system of " + options_.scratch +
                                      " has " + room.text() + " for those that run");
  }
  return room.enough();
}

void Tidier::sweep(Duration keep) {
  std::vector<RunFolder> folders = run_folders(options_.scratch, options_.now());
  // What was in use until lately cannot be due, whatever has become of its run.
  std::erase_if(folders, [&](const RunFolder& folder) { return folder.unused < keep; });
  for (std::size_t begin = 0; begin < folders.size(); begin += kMostRuns) {
    const std::size_t end = std::min(begin + kMostRuns, folders.size());
    std::map<RunId, Duration> unused;
    std::vector<RunId> runs;
    for (std::size_t i = begin; i < end; ++i) {
      unused.emplace(folders[i].run, folders[i].unused);
      runs.push_back(folders[i].run);
    }
    const auto ends = options_.ask(runs);
    if (!ends) break;  // the next look asks again
    for (const RunEnd& run : *ends) {
      const auto folder = unused.find(run.run);
      if (folder == unused.end()) continue;
      if (run.ago ? *run.ago < keep : folder->second < std::max(keep, kUnknown)) continue;
      options_.unless_busy(run.run, [&] {
        if (const Status gone = set_aside(options_.scratch, run.run); !gone)
          options_.note(gone.error().message);
      });
    }
  }
  if (const Status removed = remove_set_aside(options_.scratch); !removed)
    options_.note(removed.error().message);
}

}  // namespace baton::worker
