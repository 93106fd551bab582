#include "executors/process/child.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "executors/process/raw_syscall.hpp"

// clone() by its other name: ThreadSanitizer intercepts the usual one and would run its own code in the
// child.
extern "C" int __clone(int (*function)(void*), void* stack, int flags, void* argument, ...);

namespace baton::executors::process {
namespace {

using protocol::Stage;

constexpr std::size_t kStackSize = 32 << 10;
constexpr std::size_t kGuardSize = 4 << 10;
constexpr long kKernelSignals = 8;  // size of the kernel's sigset_t
constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

std::vector<std::string> candidates_of(std::string_view name, const std::vector<char*>& envp) {
  if (name.empty() || name.find('/') != std::string_view::npos) return {std::string(name)};
  std::string_view path = kDefaultPath;
  for (const char* variable : envp) {
    if (variable && std::string_view(variable).starts_with("PATH="))
      path = std::string_view(variable).substr(5);
  }
  std::vector<std::string> files;
  for (;;) {
    const std::size_t colon = path.find(':');
    const std::string_view directory = path.substr(0, colon);
    files.push_back(std::string(directory.empty() ? "." : directory) + '/' + std::string(name));
    if (colon == std::string_view::npos) return files;
    path.remove_prefix(colon + 1);
  }
}

template <typename Pointer>
BATON_UNINSTRUMENTED long argument(Pointer pointer) {
  return reinterpret_cast<long>(pointer);
}

}  // namespace

Child::Child()
    : stack_(::mmap(nullptr, kGuardSize + kStackSize, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
  if (stack_ == MAP_FAILED) throw std::bad_alloc();
  ::mprotect(stack_, kGuardSize, PROT_NONE);
}

Child::~Child() {
  ::munmap(stack_, kGuardSize + kStackSize);
}

bool Child::read_body(const protocol::Request& request) {
  argv_.clear();
  envp_.clear();
  if (body_.empty() || body_.back() != '\0' || request.argc == 0) return false;
  char* at = body_.data();
  char* const end = at + body_.size();
  const auto next = [&] { return std::exchange(at, at + std::strlen(at) + 1); };
  workdir_ = next();
  for (std::uint32_t i = 0; i < request.argc && at < end; ++i) argv_.push_back(next());
  for (std::uint32_t i = 0; i < request.envc && at < end; ++i) envp_.push_back(next());
  if (at != end || argv_.size() != request.argc || envp_.size() != request.envc) return false;
  argv_.push_back(nullptr);
  envp_.push_back(nullptr);
  return true;
}

int Child::start(const protocol::Request& request, std::string body, Descriptors descriptors) {
  body_ = std::move(body);
  stage_ = Stage::request;
  if (!read_body(request)) return EINVAL;
  candidates_ = candidates_of(argv_.front(), envp_);
  programs_.clear();
  for (const std::string& file : candidates_) programs_.push_back(file.c_str());
  programs_.push_back(nullptr);
  descriptors_ = descriptors;
  raw_ = {programs_.data(), argv_.data(), envp_.data()};
  spawner_ = ::getpid();
  error_ = 0;
  stage_ = Stage::fork;
  in_use_.store(1, std::memory_order_release);
  pid_ = ::__clone(&Child::run, static_cast<char*>(stack_) + kGuardSize + kStackSize,
                   CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, this, nullptr, nullptr, &in_use_);
  if (pid_ < 0) {
    in_use_.store(0, std::memory_order_release);
    return errno;
  }
  // As the child does, whoever comes first: a signal to the group must find it. Fails if it has executed its
  // program already, and then it had done it.
  ::setpgid(pid_, pid_);
  return 0;
}

// From here to exec there are raw system calls only, in the child, on its own stack.

BATON_UNINSTRUMENTED void Child::give_up(Stage stage, long result) {
  stage_ = stage;
  error_ = static_cast<int>(-result);
  for (;;) raw_syscall(SYS_exit_group, 127);
}

BATON_UNINSTRUMENTED int Child::run(void* self) {
  static_cast<Child*>(self)->execute();
  return 0;
}

BATON_UNINSTRUMENTED void Child::execute() {
  raw_syscall(SYS_setpgid, 0, 0);
  raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (raw_syscall(SYS_getppid) != spawner_) give_up(Stage::fork, -ESRCH);  // it died just before
  const int from[] = {descriptors_.in, descriptors_.out, descriptors_.err};
  for (int to = 0; to <= 2; ++to) {
    if (const long result = raw_syscall(SYS_dup3, from[to], to, 0); result < 0)
      give_up(Stage::descriptors, result);
  }
  // All others are close-on-exec; this is for one that was forgotten. Kernels before 5.9 do not have the
  // call.
  raw_syscall(SYS_close_range, 3, ~0U, 0);
  if (*workdir_ != '\0') {
    if (const long result = raw_syscall(SYS_chdir, argument(workdir_)); result < 0)
      give_up(Stage::workdir, result);
  }
  const unsigned long none = 0;
  raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, argument(&none), 0, kKernelSignals);
  long reason = -ENOENT;
  for (const char* const* program = raw_.programs; *program; ++program) {
    const long result = raw_syscall(SYS_execve, argument(*program), argument(raw_.argv), argument(raw_.envp));
    if (result == -EACCES) reason = result;  // remembered, as execvp does: a later directory may have it
    if (result != -ENOENT && result != -ENOTDIR && result != -EACCES) give_up(Stage::exec, result);
  }
  give_up(Stage::exec, reason);
}

}  // namespace baton::executors::process
