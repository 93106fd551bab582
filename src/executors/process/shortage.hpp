// What this process or machine lacks for a moment: that is no failure of the attempt which meets it.
#pragma once

#include <cerrno>

namespace baton::executors::process {

// `error`: errno of a call that makes or sends a descriptor, or a process.
constexpr bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ETOOMANYREFS;
}

}  // namespace baton::executors::process
