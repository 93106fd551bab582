#include "executors/process/spawner_link.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "executors/process/shortage.hpp"
#include "executors/process/spawner.hpp"

namespace baton::executors::process {
namespace {

// Above every number that the spawner's descriptors get.
constexpr int kAboveProtocol = 10;

class SpawnSetup {
 public:
  SpawnSetup() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

Result<SpawnerLink> SpawnerLink::launch(const std::string& program, int lock) {
  const auto refuse = [](int error) {
    return fail(ErrorCode::io, "cannot start the helper process for tasks: " + errno_text(error));
  };
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return refuse(errno);
  Fd ours(pair[0]);
  const Fd theirs(pair[1]);
  const Fd socket(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, kAboveProtocol));
  if (!socket) return refuse(errno);
  Fd held_lock;
  if (lock >= 0) {
    held_lock.reset(::fcntl(lock, F_DUPFD_CLOEXEC, kAboveProtocol));
    if (!held_lock) return refuse(errno);
  }
  SpawnSetup setup;
  ::posix_spawn_file_actions_adddup2(&setup.actions, socket.get(), protocol::kSocket);
  if (held_lock) ::posix_spawn_file_actions_adddup2(&setup.actions, held_lock.get(), protocol::kLock);
  ::posix_spawn_file_actions_addclosefrom_np(&setup.actions,
                                             held_lock ? protocol::kLock + 1 : protocol::kLock);
  // From its first moment on the terminal's signals must not reach it.
  sigset_t all;
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&setup.attributes, &all);
  ::posix_spawnattr_setflags(&setup.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  std::string name = "baton";
  std::string command = kSpawnerCommand;
  char* const argv[] = {name.data(), command.data(), nullptr};
  pid_t pid = -1;
  if (const int error =
          ::posix_spawn(&pid, program.c_str(), &setup.actions, &setup.attributes, argv, environ))
    return refuse(error);
  return SpawnerLink(std::move(ours), pid);
}

SpawnerLink::SpawnerLink(SpawnerLink&& other) noexcept
    : socket_(std::move(other.socket_)), pid_(std::exchange(other.pid_, -1)) {}

SpawnerLink::~SpawnerLink() {
  socket_.reset();
  wait();
}

Sent SpawnerLink::send(const protocol::Request& request, std::string_view body,
                       std::span<const int> descriptors) {
  iovec parts[2] = {{const_cast<protocol::Request*>(&request), sizeof request},
                    {const_cast<char*>(body.data()), body.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(3 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = body.empty() ? 1 : 2;
  if (!descriptors.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  for (;;) {
    if (::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return Sent::yes;
    if (errno == EAGAIN) return Sent::later;
    if (errno != EINTR) return Sent::no;
  }
}

Received SpawnerLink::receive(std::span<const protocol::Report>& reports) {
  for (;;) {
    const ssize_t n = ::recv(socket_.get(), reports_.data(), sizeof reports_, MSG_DONTWAIT);
    if (n > 0) {
      reports = std::span(reports_).first(static_cast<std::size_t>(n) / sizeof(protocol::Report));
      return Received::reports;
    }
    if (n < 0 && errno == EINTR) continue;
    return n < 0 && errno == EAGAIN ? Received::nothing : Received::gone;
  }
}

void SpawnerLink::end() {
  ::shutdown(socket_.get(), SHUT_WR);
}

void SpawnerLink::wait() {
  if (pid_ < 0) return;
  // ECHILD: the host program ignores SIGCHLD or has reaped it.
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

Result<Fd> body_in_memory(std::string_view body) {
  Fd memory(::memfd_create("baton-start", MFD_CLOEXEC));
  if (!memory) return fail(is_shortage(errno) ? ErrorCode::overloaded : ErrorCode::io, errno_text(errno));
  while (!body.empty()) {
    const ssize_t n = ::write(memory.get(), body.data(), body.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(ErrorCode::io, errno_text(errno));
    body.remove_prefix(static_cast<std::size_t>(n));
  }
  return memory;
}

}  // namespace baton::executors::process
