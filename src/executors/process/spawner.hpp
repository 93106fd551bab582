// The small helper process that starts and reaps the task processes of one owner, so that nothing survives
// the owner (ARCHITECTURE §2, point 14).
//
// The owner starts it as `/proc/self/exe __spawner`: the program's main() must call spawner_main() and return
// its value when its first argument is kSpawnerCommand, before it does anything else. The spawner is in a
// session of its own, so that the terminal's signals reach neither it nor the tasks; it is the subreaper of
// everything that tasks start; and it holds the data directory's lock (an inherited descriptor) until all of
// that is gone. When the owner closes its socket, or dies, it kills all descendants and exits.
//
// Task processes inherit from it: default signal dispositions, umask 077, no core files, the limit of open
// files that the owner had been started with.
#pragma once

namespace baton::executors::process {

inline constexpr const char* kSpawnerCommand = "__spawner";

// Serves the socket `fd` (protocol::kSocket) until it closes; returns the exit code. Single-threaded.
int spawner_main(int fd);

}  // namespace baton::executors::process
