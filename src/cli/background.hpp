// The owner as a process of its own, without a terminal: `baton __owner`.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "cli/settings.hpp"

namespace baton::cli {

inline constexpr const char* kOwnerCommand = "__owner";

// Starts one and waits until it serves its socket. It ends when the returned descriptor is closed and no run
// is open. Its messages go to DATA/owner.log. Fails with what the new process failed with: `owned` if another
// one was faster.
Result<Fd> start_background_owner(const Settings& settings);

// What that process does.
int background_owner_main(int argc, char** argv);

}  // namespace baton::cli
