#include "executors/process/child.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <new>
#include <string_view>

namespace baton::executors::process {
namespace {

using protocol::Stage;

constexpr std::size_t kStackSize = 64 << 10;
constexpr std::size_t kGuardSize = 4 << 10;
constexpr std::size_t kKernelSignals = 8;  // size of the kernel's sigset_t
constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

struct Shared {
  const ChildPlan* plan;
  const std::vector<std::string>* programs;  // to try one after the other
  pid_t spawner;
  Stage stage;
  int error;
};

// Between clone and exec there are raw system calls only: the memory is the parent's, and neither libc nor a
// sanitizer may notice that there is a second process.
[[noreturn]] __attribute__((no_sanitize("address", "undefined", "thread"))) void give_up(Shared* shared,
                                                                                         Stage stage) {
  shared->stage = stage;
  shared->error = errno;
  for (;;) ::syscall(SYS_exit_group, 127);
}

__attribute__((no_sanitize("address", "undefined", "thread"))) int child_main(void* argument) {
  auto* shared = static_cast<Shared*>(argument);
  const ChildPlan& plan = *shared->plan;
  ::syscall(SYS_setpgid, 0, 0);
  ::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::syscall(SYS_getppid) != shared->spawner) ::syscall(SYS_exit_group, 127);  // it died just before
  if (::syscall(SYS_dup3, plan.in, 0, 0) < 0 || ::syscall(SYS_dup3, plan.out, 1, 0) < 0 ||
      ::syscall(SYS_dup3, plan.err, 2, 0) < 0)
    give_up(shared, Stage::descriptors);
  // All others are close-on-exec; this is for one that was forgotten. Kernels before 5.9 do not have the
  // call.
  ::syscall(SYS_close_range, 3U, ~0U, 0);
  if (*plan.workdir != '\0' && ::syscall(SYS_chdir, plan.workdir) < 0) give_up(shared, Stage::workdir);
  const unsigned long none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kKernelSignals);
  int reason = ENOENT;
  for (const std::string& program : *shared->programs) {
    ::syscall(SYS_execve, program.c_str(), plan.argv.data(), plan.envp.data());
    if (errno == EACCES) reason = EACCES;  // remembered, as execvp does, while a later directory may have it
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) give_up(shared, Stage::exec);
  }
  errno = reason;
  give_up(shared, Stage::exec);
}

std::vector<std::string> programs_of(const ChildPlan& plan) {
  const std::string_view name = plan.argv.front();
  if (name.empty() || name.find('/') != std::string_view::npos) return {std::string(name)};
  std::string_view path = kDefaultPath;
  for (const char* variable : plan.envp) {
    if (variable && std::string_view(variable).starts_with("PATH="))
      path = std::string_view(variable).substr(5);
  }
  std::vector<std::string> programs;
  for (;;) {
    const std::size_t colon = path.find(':');
    const std::string_view directory = path.substr(0, colon);
    programs.push_back(std::string(directory.empty() ? "." : directory) + '/' + std::string(name));
    if (colon == std::string_view::npos) return programs;
    path.remove_prefix(colon + 1);
  }
}

}  // namespace

ChildStack::ChildStack()
    : memory_(::mmap(nullptr, kStackSize + kGuardSize, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
  if (memory_ == MAP_FAILED) throw std::bad_alloc();
  ::mprotect(memory_, kGuardSize, PROT_NONE);
}

ChildStack::~ChildStack() {
  ::munmap(memory_, kStackSize + kGuardSize);
}

void* ChildStack::top() const {
  return static_cast<char*>(memory_) + kGuardSize + kStackSize;
}

ChildStart start_child(const ChildPlan& plan, const ChildStack& stack) {
  const std::vector<std::string> programs = programs_of(plan);
  Shared shared{&plan, &programs, ::getpid(), Stage::fork, 0};
  const int pid = ::clone(child_main, stack.top(), CLONE_VM | CLONE_VFORK | SIGCHLD, &shared);
  if (pid < 0) return {-1, Stage::fork, errno};
  if (shared.error == 0) return {pid, {}, 0};
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return {-1, shared.stage, shared.error};
}

}  // namespace baton::executors::process
