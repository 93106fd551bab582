// The lock of a directory whose owner has task processes.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/time.hpp"

namespace baton::executors::process {

// Locks the file for as long as any copy of the descriptor is open, in this process or one that inherits it:
// after a kill -9, until the spawner has ended what it started. If somebody else has it, waits for at most
// `patience`. Errors: owned (`taken`, and by which process if it is known), io. The file then has the id of
// this process.
Status hold_lock(int file, Duration patience, const std::string& taken);

}  // namespace baton::executors::process
