#include "net/poll.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace baton::net {

Result<short> poll_for(int fd, short events, MonoTime deadline, int cancel_fd) {
  std::array<pollfd, 2> fds{pollfd{fd, events, 0},
                            pollfd{cancel_fd, POLLIN, 0}};  // poll ignores a negative fd
  for (;;) {
    const auto left = std::max<std::int64_t>((deadline - Loop::now()).us, 0);
    const auto wait_ms =
        static_cast<int>(std::min<std::int64_t>(left / 1000 + (left % 1000 != 0), 3'600'000));
    const int ready = ::poll(fds.data(), fds.size(), wait_ms);
    if (ready < 0 && errno != EINTR) {
      return fail(ErrorCode::io, "cannot wait for a socket: " + errno_text(errno));
    }
    if (ready > 0 && fds[1].revents != 0) return fail(ErrorCode::interrupted, "the wait was cancelled");
    if (ready > 0) return fds[0].revents;
    if (left == 0) return fail(ErrorCode::timed_out, "no answer within the time allowed");
  }
}

}  // namespace baton::net
