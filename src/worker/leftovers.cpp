#include "worker/leftovers.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <tuple>

#include "base/fd.hpp"
#include "executors/process/scratch.hpp"

namespace baton::worker {
namespace {

namespace fs = std::filesystem;

using executors::process::remove_tree;

constexpr const char* kMark = "/.temporary";
constexpr std::string_view kAside = ".gone-";  // no name of a run

// The names in a directory; none if it cannot be read.
std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
    names.push_back(entry->path().filename().string());
  return names;
}

WallTime changed_at(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};
  return {status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1000};
}

}  // namespace

std::vector<RunFolder> run_folders(const std::string& scratch, WallTime now) {
  std::vector<RunFolder> folders;
  for (const std::string& name : names_in(scratch)) {
    const auto run = RunId::parse(name);
    if (!run) continue;
    const std::string path = scratch + '/' + name;
    // Each attempt makes and deletes files in the inner one.
    const WallTime used = std::max(changed_at(path), changed_at(path + "/.baton"));
    folders.push_back({*run, std::max(now - used, Duration{})});
  }
  return folders;
}

Status set_aside(const std::string& scratch, const RunId& run) {
  const std::string from = scratch + '/' + run.text();
  for (int number = 0;; ++number) {
    const std::string to = scratch + '/' + std::string(kAside) + run.text() + '-' + std::to_string(number);
    if (::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT) return {};
    // The one before is still there because it could not be deleted.
    if ((errno != ENOTEMPTY && errno != EEXIST) || number == 1000)
      return fail(ErrorCode::io, "cannot rename " + from + ": " + errno_text(errno));
  }
}

Status remove_set_aside(const std::string& scratch) {
  Status all;
  for (const std::string& name : names_in(scratch)) {
    if (!name.starts_with(kAside)) continue;
    if (Status removed = remove_tree(scratch + '/' + name); !removed && all) all = std::move(removed);
  }
  return all;
}

void remove_folder(const std::string& path) {
  std::ignore = remove_tree(path);
}

std::string lock_path(const std::string& worker_folder) {
  return worker_folder + "/worker.lock";
}

Status mark_temporary(const std::string& worker_folder) {
  const std::string path = worker_folder + kMark;
  const Fd made(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!made) return fail(ErrorCode::io, "cannot make " + path + ": " + errno_text(errno));
  return {};
}

void remove_abandoned(const std::string& worker_folder) {
  const fs::path own(worker_folder);
  const std::string parent = own.parent_path().string();
  for (const std::string& name : names_in(parent)) {
    if (name == own.filename()) continue;
    const std::string folder = parent + '/' + name;
    if (changed_at(folder + kMark) == WallTime{}) continue;
    const Fd lock(::open(lock_path(folder).c_str(), O_RDWR | O_CLOEXEC));
    if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::ignore = remove_tree(folder);
  }
}

}  // namespace baton::worker
