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

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

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
// More children than this are not on their way to exec at the same time.
constexpr std::size_t kMaxStarting = 32;
constexpr int kMaxLookAfterMs = 128;

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

  int run();

 private:
  struct Received {
    Request request;
    std::string body;
    Fd out, err;
  };

  void wait(int signals);
  bool receive(Received& received);
  void serve();
  void start(Received& received);
  void look_at_starting();
  void signal_group(std::uint64_t id, int signal);
  void reap();
  void ended(std::uint64_t id, int status);
  void report(const Report& report);
  void send_reports();

  int socket_;
  bool open_ = true;
  Fd null_;
  std::string buffer_ = std::string(sizeof(Request) + protocol::kInlineBody, '\0');
  std::vector<std::unique_ptr<Child>> idle_;                            // to be used again
  std::unordered_map<std::uint64_t, std::unique_ptr<Child>> starting_;  // not known to have executed yet
  std::unordered_map<std::uint64_t, pid_t> groups_;                     // running attempts
  std::unordered_map<pid_t, std::uint64_t> leaders_;
  int look_after_ms_ = 1;
  std::vector<Report> reports_;
};

int Spawner::run() {
  null_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  sigset_t child_signal;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  const Fd signals(::signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!null_ || !signals) return kSetupFailed;
  while (open_) wait(signals.get());
  return 0;
}

void Spawner::wait(int signals) {
  send_reports();
  // Nothing tells when a child has executed its program, but one that is short-lived is reaped soon anyway,
  // and then both are reported together.
  const int timeout_ms = starting_.empty() ? -1 : 1;
  const bool room = starting_.size() < kMaxStarting;
  pollfd waits[] = {{signals, POLLIN, 0}, {room ? socket_ : -1, POLLIN, 0}};
  const int ready = ::poll(waits, 2, timeout_ms);
  if (ready < 0) return;
  if (waits[0].revents != 0) {
    signalfd_siginfo infos[4];
    std::ignore = ::read(signals, infos, sizeof infos);
    reap();
  }
  if (ready == 0) look_after_ms_ = std::min(look_after_ms_ * 2, kMaxLookAfterMs);
  if (ready == 0 || !room) look_at_starting();
  if (waits[1].revents != 0) serve();
}

void Spawner::report(const Report& report) {
  reports_.push_back(report);
  if (reports_.size() == protocol::kReportsPerPacket) send_reports();
}

void Spawner::send_reports() {
  if (reports_.empty()) return;
  while (open_ && ::send(socket_, reports_.data(), reports_.size() * sizeof(Report), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) open_ = false;  // the owner is gone
  }
  reports_.clear();
}

void Spawner::serve() {
  Received received;
  if (!receive(received)) return;
  switch (received.request.command) {
    case Command::start:
      return start(received);
    case Command::signal:
      return signal_group(received.request.id, received.request.signal);
  }
}

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
  // Without the descriptors the process limit of open files was reached here.
  if (!received.out || !received.err) return report({Event::failed, EMFILE, request.id, Stage::descriptors});
  if (idle_.empty()) idle_.push_back(std::make_unique<Child>());
  std::unique_ptr<Child> child = std::move(idle_.back());
  idle_.pop_back();
  const int error =
      child->start(request, std::move(received.body), {null_.get(), received.out.get(), received.err.get()});
  if (error != 0) {
    report({Event::failed, error, request.id, child->stage()});
    idle_.push_back(std::move(child));
    return;
  }
  groups_[request.id] = child->pid();
  leaders_[child->pid()] = request.id;
  starting_[request.id] = std::move(child);
  look_after_ms_ = 1;
}

// Reports those that have executed their program.
void Spawner::look_at_starting() {
  for (auto at = starting_.begin(); at != starting_.end();) {
    if (at->second->busy() || at->second->error() != 0) {  // failed: until it is reaped
      ++at;
      continue;
    }
    report({Event::started, at->second->pid(), at->first, {}});
    idle_.push_back(std::move(at->second));
    at = starting_.erase(at);
  }
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
    ended(id, status);
  }
}

void Spawner::ended(std::uint64_t id, int status) {
  if (const auto starting = starting_.find(id); starting != starting_.end()) {
    Child& child = *starting->second;
    const Report failure{Event::failed, child.error(), id, child.stage()};
    const Report started{Event::started, child.pid(), id, {}};
    idle_.push_back(std::move(starting->second));
    starting_.erase(starting);
    if (failure.value != 0) return report(failure);
    report(started);
  }
  report({Event::exited, status, id, {}});
}

}  // namespace

int spawner_main(int fd) {
  block_all_signals();
  ::setsid();
  ::umask(077);
  ::prctl(PR_SET_NAME, "baton-spawner");
  disable_core_files();
  // Tasks of the same user can neither trace it nor reach its socket and its lock through /proc.
  ::prctl(PR_SET_DUMPABLE, 0);
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
