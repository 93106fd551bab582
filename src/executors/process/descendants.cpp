#include "executors/process/descendants.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
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

// Calls `visit(descriptor of /proc, process id, its name in /proc)`.
template <typename Visit>
void for_each_process(Visit visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), ::closedir);
  while (const dirent* entry = proc ? ::readdir(proc.get()) : nullptr) {
    const std::string_view name(entry->d_name);
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size())
      visit(::dirfd(proc.get()), pid, entry->d_name);
  }
}

bool has_entry(int proc, const char* pid, const std::set<std::string, std::less<>>& entries) {
  const Fd file(::openat(proc, (std::string(pid) + "/environ").c_str(), O_RDONLY | O_CLOEXEC));
  std::string environment;
  for (char buffer[4096]; file;) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n <= 0) break;
    environment.append(buffer, static_cast<std::size_t>(n));
  }
  for (std::string_view rest = environment; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\0'), rest.size() - 1);
    if (entries.contains(rest.substr(0, end))) return true;
    rest.remove_prefix(end + 1);
  }
  return false;
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
  for_each_process([&](int proc, pid_t pid, const char* name) {
    if (const pid_t parent = parent_of(proc, name); parent > 0) parents.emplace(pid, parent);
  });
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

void kill_by_environment(const std::set<std::string, std::less<>>& entries) {
  // Again until nothing is found: a process may have been started behind the reader's back. One that cannot
  // be killed is found again and again, so the passes are bounded.
  constexpr int kPasses = 20;
  constexpr int kWaitMs = 1000;
  bool found = true;
  for (int pass = 0; found && pass < kPasses; ++pass) {
    std::vector<Fd> killed;
    for_each_process([&](int proc, pid_t pid, const char* name) {
      // Opened before it is looked at: the number may belong to another process afterwards.
      Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
      if (!process || !has_entry(proc, name, entries)) return;
      ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
      killed.push_back(std::move(process));
    });
    for (const Fd& process : killed) {
      pollfd end = {process.get(), POLLIN, 0};
      ::poll(&end, 1, kWaitMs);
    }
    found = !killed.empty();
  }
}

}  // namespace baton::executors::process
