#include "executors/process/spawner.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <string>
#include <unordered_map>

#include "base/fd.hpp"
#include "executors/process/child.hpp"
#include "executors/process/descendants.hpp"
#include "executors/process/protocol.hpp"

namespace baton::executors::process {
namespace {

using protocol::Command;
using protocol::Event;
using protocol::Report;
using protocol::Request;
using protocol::Stage;

constexpr int kSetupFailed = 71;  // EX_OSERR

// Blocked, not ignored: an ignored signal would stay ignored in the tasks, a blocked one only needs the mask
// to be reset, one call instead of one per signal.
void block_all_signals() {
  constexpr std::size_t kKernelSignals = 8;  // size of the kernel's sigset_t
  const std::uint64_t all = ~std::uint64_t{0};
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, kKernelSignals);
  // By system call, because libc hides 32 and 33, which container runtimes are seen to leave ignored. A
  // zeroed structure of any layout is SIG_DFL without flags.
  const char by_default[64] = {};
  for (int signal = 1; signal < NSIG; ++signal)
    ::syscall(SYS_rt_sigaction, signal, by_default, nullptr, kKernelSignals);
}

void disable_core_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) != 0) return;
  limit.rlim_cur = 0;
  ::setrlimit(RLIMIT_CORE, &limit);
}

// Nothing of the owner's terminal or pipes stays open here, or their readers would wait for the spawner.
bool take_standard_descriptors() {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return false;
  for (int fd = 0; fd <= 2; ++fd) {
    if (null.get() != fd && ::dup2(null.get(), fd) < 0) return false;
  }
  return true;
}

class Spawner {
 public:
  explicit Spawner(int socket) : socket_(socket) {}

  int run() {
    null_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    sigset_t child_signal;
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    const Fd signals(::signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!null_ || !signals) return kSetupFailed;
    while (open_) {
      pollfd waits[] = {{socket_, POLLIN, 0}, {signals.get(), POLLIN, 0}};
      if (::poll(waits, 2, -1) < 0 && errno != EINTR) return kSetupFailed;
      if (waits[1].revents != 0) {
        signalfd_siginfo info;
        while (::read(signals.get(), &info, sizeof info) > 0) {
        }
        reap();
      }
      if (waits[0].revents != 0) serve();
    }
    return 0;
  }

 private:
  struct Received {
    Request request;
    std::string body;
    Fd out, err;
  };

  void send(const Report& report) {
    while (::send(socket_, &report, sizeof report, MSG_NOSIGNAL) < 0) {
      if (errno == EINTR) continue;
      open_ = false;  // the owner is gone
      return;
    }
  }

  void serve() {
    Received received;
    if (!receive(received)) return;
    switch (received.request.command) {
      case Command::start:
        start(received);
        break;
      case Command::signal:
        signal_group(received.request.id, received.request.signal);
        break;
    }
  }

  bool receive(Received& received);
  void start(Received& received);
  void signal_group(std::uint64_t id, int signal);
  void reap();

  int socket_;
  bool open_ = true;
  Fd null_;
  ChildStack stack_;
  std::string buffer_ = std::string(sizeof(Request) + protocol::kInlineBody, '\0');
  std::unordered_map<std::uint64_t, pid_t> groups_;  // running attempts
  std::unordered_map<pid_t, std::uint64_t> leaders_;
};

bool Spawner::receive(Received& received) {
  iovec part{buffer_.data(), buffer_.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t n = ::recvmsg(socket_, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return false;
  if (n < static_cast<ssize_t>(sizeof(Request))) {
    open_ = false;
    return false;
  }
  Fd fds[3];
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count && i < 3; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      fds[i].reset(fd);
    }
  }
  std::memcpy(&received.request, buffer_.data(), sizeof(Request));
  received.out = std::move(fds[0]);
  received.err = std::move(fds[1]);
  const std::size_t size = received.request.body_size;
  if (size > protocol::kMaxBody) return true;  // start() finds the body missing
  if (received.request.in_memfd == 0) {
    received.body =
        buffer_.substr(sizeof(Request), std::min(size, static_cast<std::size_t>(n) - sizeof(Request)));
  } else if (fds[2]) {
    received.body.resize(size);
    for (std::size_t have = 0; have < size;) {
      const ssize_t got =
          ::pread(fds[2].get(), received.body.data() + have, size - have, static_cast<off_t>(have));
      if (got <= 0) {
        received.body.clear();
        break;
      }
      have += static_cast<std::size_t>(got);
    }
  }
  return true;
}

void Spawner::start(Received& received) {
  const Request& request = received.request;
  const auto refuse = [&](Stage stage, int error) { send({Event::failed, error, request.id, stage}); };
  ChildPlan plan;
  // Without the descriptors the process limit of open files was reached here.
  if (!received.out || !received.err) return refuse(Stage::descriptors, EMFILE);
  if (received.body.empty() || received.body.back() != '\0' || request.argc == 0)
    return refuse(Stage::request, EINVAL);
  char* at = received.body.data();
  char* const end = at + received.body.size();
  const auto next = [&]() -> char* {
    char* text = at;
    at += std::strlen(at) + 1;
    return text;
  };
  plan.workdir = next();
  for (std::uint32_t i = 0; i < request.argc && at < end; ++i) plan.argv.push_back(next());
  for (std::uint32_t i = 0; i < request.envc && at < end; ++i) plan.envp.push_back(next());
  if (at != end || plan.argv.size() != request.argc || plan.envp.size() != request.envc)
    return refuse(Stage::request, EINVAL);
  plan.argv.push_back(nullptr);
  plan.envp.push_back(nullptr);
  plan.in = null_.get();
  plan.out = received.out.get();
  plan.err = received.err.get();
  const ChildStart started = start_child(plan, stack_);
  if (started.pid < 0) return refuse(started.stage, started.error);
  groups_[request.id] = started.pid;
  leaders_[started.pid] = request.id;
  send({Event::started, started.pid, request.id, {}});
}

void Spawner::signal_group(std::uint64_t id, int signal) {
  const auto group = groups_.find(id);
  if (group == groups_.end()) return;  // has ended: its process id may be somebody else's by now
  ::kill(-group->second, signal);
  if (signal != SIGKILL) ::kill(-group->second, SIGCONT);  // a stopped process would not notice
}

void Spawner::reap() {
  for (;;) {
    siginfo_t info{};
    // Looked at first and reaped last: while the leader is a zombie its number is not given to another group.
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    const auto leader = leaders_.find(info.si_pid);
    if (leader != leaders_.end()) ::kill(-info.si_pid, SIGKILL);
    int status = 0;
    if (::waitpid(info.si_pid, &status, 0) != info.si_pid || leader == leaders_.end()) continue;
    const std::uint64_t id = leader->second;
    groups_.erase(id);
    leaders_.erase(leader);
    send({Event::exited, status, id, {}});
  }
}

}  // namespace

int spawner_main(int fd) {
  block_all_signals();
  ::setsid();
  ::umask(077);
  ::prctl(PR_SET_NAME, "baton-spawner");
  disable_core_files();
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || !take_standard_descriptors()) return kSetupFailed;
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(protocol::kLock, F_SETFD, FD_CLOEXEC);
  int code = kSetupFailed;
  try {
    code = Spawner(fd).run();
  } catch (const std::exception&) {  // out of memory: end as if the owner had closed the socket
  }
  kill_all_descendants();
  return code;
}

}  // namespace baton::executors::process
