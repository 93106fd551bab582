#include "net/resolver.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <system_error>
#include <thread>

#include "net/poll.hpp"
#include "net/socket.hpp"

namespace baton::net {
namespace {

Result<AddressList> look_up(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error != 0) {
    const std::string why = error == EAI_SYSTEM ? errno_text(errno) : ::gai_strerror(error);
    return fail(ErrorCode::unavailable, "cannot resolve the host name \"" + host + "\": " + why);
  }
  return AddressList(list);
}

// What the asking thread and the one that it leaves behind have in common.
struct Question {
  std::mutex mutex;
  Result<AddressList> answer = fail(ErrorCode::unavailable, "");
  Fd done{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

}  // namespace

Result<AddressList> resolve_number(const std::string& host, std::uint16_t port, int flags) {
  return look_up(host, port, flags | AI_NUMERICHOST);
}

Result<AddressList> resolve(const std::string& host, std::uint16_t port, MonoTime deadline, int cancel_fd) {
  if (auto number = resolve_number(host, port, 0)) return number;
  const auto question = std::make_shared<Question>();
  if (!question->done) return fail(ErrorCode::io, "cannot wait for a name server: " + errno_text(errno));
  try {
    std::thread([question, host, port] {
      auto answer = look_up(host, port, AI_ADDRCONFIG);
      {
        const std::lock_guard lock(question->mutex);
        question->answer = std::move(answer);
      }
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(question->done.get(), &one, sizeof one);
    }).detach();
  } catch (const std::system_error& e) {
    return fail(ErrorCode::io, std::string("cannot start a thread: ") + e.what());
  }
  const auto ready = poll_for(question->done.get(), POLLIN, deadline, cancel_fd);
  if (!ready && ready.error().code == ErrorCode::timed_out) {
    return fail(ErrorCode::timed_out, "no answer to the question for the host name \"" + host + "\" in time");
  }
  if (!ready) return fail(ready.error());
  const std::lock_guard lock(question->mutex);
  return std::move(question->answer);
}

}  // namespace baton::net
