// Waiting for one descriptor on the calling thread. Internal to net.
#pragma once

#include "base/error.hpp"
#include "net/loop.hpp"

namespace baton::net {

// Waits until `fd` is ready for one of `events` (POLLIN, POLLOUT; errors and hang-ups count as ready) and
// returns what it is ready for. timed_out: at `deadline`; interrupted: `cancel_fd` (or -1) became readable.
Result<short> poll_for(int fd, short events, MonoTime deadline, int cancel_fd);

}  // namespace baton::net
