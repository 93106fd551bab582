// The data directory: one owner at a time.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/time.hpp"

namespace baton::embedded {

// Makes the directory (0700, with missing parents) if need be and takes DATA/lock. The lock is held as long
// as any copy of the descriptor is open, in this process or one that inherited it. If somebody else has it,
// waits for at most `patience`. Errors: owned (nothing was written), read_only (file system or disk does not
// take writes), io.
Result<Fd> take_ownership(const std::string& data_dir, Duration patience = {});

}  // namespace baton::embedded
