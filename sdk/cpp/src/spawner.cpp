// baton-spawner: the helper of an Orchestrator that starts and reaps the processes of steps.
#include "executors/process/spawner.hpp"

#include <cstdio>
#include <string_view>

#include "executors/process/protocol.hpp"

int main(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != baton::executors::process::kSpawnerCommand) {
    std::fputs("baton-spawner is started by programs that use libbaton\n", stderr);
    return 2;
  }
  return baton::executors::process::spawner_main(baton::executors::process::protocol::kSocket);
}
