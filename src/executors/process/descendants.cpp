#include "executors/process/descendants.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/fd.hpp"

namespace baton::executors::process {
namespace {

constexpr timespec kBetweenPasses = {0, 5'000'000};

// The parent of a process, 0 if there is none. Zombies count: one whose first thread has ended may have
// others that go on.
pid_t parent_of(int proc, const char* pid) {
  const Fd file(::openat(proc, (std::string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  char buffer[512];  // the name, at most 64 bytes, is the only field of variable form before what is needed
  const ssize_t n = file ? ::read(file.get(), buffer, sizeof buffer) : -1;
  if (n <= 0) return 0;
  const std::string_view text(buffer, static_cast<std::size_t>(n));
  const std::size_t name_end = text.rfind(") ");
  if (name_end == std::string_view::npos || name_end + 4 >= text.size()) return 0;
  pid_t parent = 0;
  std::from_chars(text.data() + name_end + 4, text.data() + text.size(), parent);
  return parent;
}

// False when there are no children any more.
bool reap_all() {
  for (;;) {
    const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
    if (pid > 0 || (pid < 0 && errno == EINTR)) continue;
    return pid == 0;
  }
}

}  // namespace

std::vector<pid_t> descendants_of(pid_t ancestor) {
  std::unordered_map<pid_t, pid_t> parents;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), ::closedir);
  if (!proc) return {};
  while (const dirent* entry = ::readdir(proc.get())) {
    const std::string_view name(entry->d_name);
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    if (const pid_t parent = parent_of(::dirfd(proc.get()), entry->d_name); parent > 0)
      parents.emplace(pid, parent);
  }
  std::vector<pid_t> found;
  for (const auto& [pid, first_parent] : parents) {
    pid_t at = first_parent;
    // The steps are bounded, because a snapshot that is not of one moment could contain a circle.
    for (std::size_t steps = 0; at != ancestor && steps < parents.size(); ++steps) {
      const auto next = parents.find(at);
      if (next == parents.end()) break;
      at = next->second;
    }
    if (at == ancestor) found.push_back(pid);
  }
  return found;
}

void kill_all_descendants() {
  sigset_t child_signal;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  while (reap_all()) {
    const std::vector<pid_t> living = descendants_of(::getpid());
    std::size_t refused = 0;
    for (const pid_t pid : living) {
      if (::kill(pid, SIGKILL) != 0 && errno == EPERM) ++refused;
    }
    if (!living.empty() && refused == living.size()) return;
    ::sigtimedwait(&child_signal, nullptr, &kBetweenPasses);
  }
}

}  // namespace baton::executors::process
