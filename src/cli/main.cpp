// One program: the command line, the spawner of task processes, and the owner in the background.
#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>

#include "cli/background.hpp"
#include "cli/program.hpp"
#include "executors/process/protocol.hpp"
#include "executors/process/spawner.hpp"

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == baton::executors::process::kSpawnerCommand) {
    return baton::executors::process::spawner_main(baton::executors::process::protocol::kSocket);
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    if (first == baton::cli::kOwnerCommand) return baton::cli::background_owner_main(argc, argv);
    baton::cli::Program program;
    return program.run(argc, argv);
  } catch (const std::exception& error) {  // out of memory, or a bug
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
