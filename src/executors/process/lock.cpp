#include "executors/process/lock.hpp"

#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace baton::executors::process {
namespace {

constexpr Duration kPause = Duration::millis(20);

// " (process PID)", as its holder wrote it; "" if it has not yet.
std::string holder_of(int file) {
  char text[24];
  const ssize_t size = ::pread(file, text, sizeof text, 0);
  const std::string_view read(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::string_view pid = read.substr(0, read.find('\n'));
  if (pid.empty() || pid.find_first_not_of("0123456789") != std::string_view::npos) return "";
  return " (process " + std::string(pid) + ')';
}

}  // namespace

Status hold_lock(int file, Duration patience, const std::string& taken) {
  for (Duration waited; ::flock(file, LOCK_EX | LOCK_NB) != 0; waited = waited + kPause) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return fail(ErrorCode::io, "cannot lock: " + errno_text(errno));
    if (waited >= patience) return fail(ErrorCode::owned, taken + holder_of(file));
    ::poll(nullptr, 0, static_cast<int>(kPause.us / 1000));
  }
  // Only for whoever finds it taken: on a full disk it stays empty.
  const std::string self = std::to_string(::getpid()) + '\n';
  if (::ftruncate(file, 0) == 0) static_cast<void>(::pwrite(file, self.data(), self.size(), 0) > 0);
  return {};
}

}  // namespace baton::executors::process
