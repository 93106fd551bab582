#include "embedded/data_dir.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "embedded/owner.hpp"
#include "executors/process/lock.hpp"

namespace baton::embedded {
namespace {

// SQLite takes names of up to 512 bytes, those of the files beside the database included.
constexpr std::size_t kMaxPath = 480;

Error directory_error(const std::string& data_dir, int error, std::string_view doing) {
  const bool read_only = error == EROFS || error == ENOSPC || error == EDQUOT;
  std::string message = "the data directory " + data_dir + " cannot be used: " + std::string(doing) + ": " +
                        errno_text(error) + ". Choose another one with --data or BATON_DATA";
  if (error == ENOSPC || error == EDQUOT) message += ", or free some space";
  return {read_only ? ErrorCode::read_only : ErrorCode::io, std::move(message), data_dir};
}

Status make_directory(const std::string& data_dir) {
  if (data_dir.size() > kMaxPath) {
    return fail(directory_error(
        data_dir, ENAMETOOLONG,
        "it has " + std::to_string(data_dir.size()) + " of at most " + std::to_string(kMaxPath) + " bytes"));
  }
  struct stat info{};
  if (::stat(data_dir.c_str(), &info) == 0) {
    if (!S_ISDIR(info.st_mode)) return fail(directory_error(data_dir, ENOTDIR, "it is no directory"));
    if (info.st_uid != ::geteuid() && ::geteuid() != 0) {
      return fail(directory_error(data_dir, EACCES, "it belongs to another user"));
    }
    return {};
  }
  std::error_code failure;
  const std::filesystem::path path(data_dir);
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), failure);
  if (::mkdir(data_dir.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(directory_error(data_dir, errno, "making it"));
  }
  return {};
}

std::string home_directory() {
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/') return home;
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4096];
  if (::getpwuid_r(::geteuid(), &entry, buffer, sizeof buffer, &found) != 0 || found == nullptr) return "";
  return entry.pw_dir;
}

}  // namespace

Result<Fd> take_ownership(const std::string& data_dir, Duration patience) {
  TRY_VOID(make_directory(data_dir));
  const std::string path = data_dir + "/lock";
  Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return fail(directory_error(data_dir, errno, "opening its lock"));
  TRY_VOID(executors::process::hold_lock(lock.get(), patience,
                                         "another process owns the data directory " + data_dir));
  return lock;
}

std::string default_data_dir() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return std::string(state) + "/baton";
  if (const std::string home = home_directory(); home.starts_with('/')) return home + "/.local/state/baton";
  // Somebody without a home, in a container perhaps. Nobody else can put anything in its place once it is
  // made
  // (/tmp is sticky), and a directory of somebody else's is refused.
  return "/tmp/baton-" + std::to_string(::geteuid());
}

std::string socket_path_of(const std::string& data_dir) {
  return data_dir + "/baton.sock";
}

std::string secrets_key_path(const std::string& data_dir) {
  return data_dir + "/secrets.key";
}

}  // namespace baton::embedded
