// How many connections the server takes, so that they leave descriptors to tasks and the store.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baton::embedded {

// For each of the two listeners. `open_files`: what this process may have open; `slots`: tasks at a time.
std::size_t connection_room(std::uint64_t open_files, std::uint32_t slots);

// The hard limit of open files: the soft one is raised to it where processes are started
// (executors/process/process_executor.cpp).
std::uint64_t most_open_files();

}  // namespace baton::embedded
