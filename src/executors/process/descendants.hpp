// Ends everything that was started, however it hid.
#pragma once

#include <sys/types.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace baton::executors::process {

// All processes whose chain of parents leads to `ancestor`, as /proc shows it while it is read: a
// process that is started meanwhile may be missing.
std::vector<pid_t> descendants_of(pid_t ancestor);

// Kills (SIGKILL) and reaps all descendants of the calling process, which must be their subreaper and have
// SIGCHLD blocked. A subreaper has no children exactly when it has no descendants, so this returns when there
// is nothing left to wait for, or when nothing is left but processes of other users that may not be killed.
void kill_all_descendants();

// For the case that the spawner itself was killed: kills all processes that have one of these entries
// ("NAME=value") in the environment that they were started with, and waits (a second at most for each) until
// they are gone. Finds also those that left their group, but not those that gave up their environment.
void kill_by_environment(const std::set<std::string, std::less<>>& entries);

}  // namespace baton::executors::process
