// One program: the command line, the spawner of task processes, and the owner in the background.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>

#include "cli/background.hpp"
#include "cli/program.hpp"
#include "executors/process/protocol.hpp"
#include "executors/process/spawner.hpp"

namespace {

// Whoever started this may have closed descriptor 0, 1 or 2. The next file that is opened, the database
// perhaps, would take its place and get what is meant for the terminal. Put there is something that cannot be
// used in the usual direction, so that reading and writing still say "bad file descriptor".
void occupy_standard_descriptors() {
  for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == baton::executors::process::kSpawnerCommand) {
    return baton::executors::process::spawner_main(baton::executors::process::protocol::kSocket);
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    if (first == baton::cli::kOwnerCommand) return baton::cli::background_owner_main(argc, argv);
    baton::cli::Program program(first);
    return program.run(argc, argv);
  } catch (const std::exception& error) {  // out of memory, or a bug
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
