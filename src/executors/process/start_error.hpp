// Why a program could not be started, in words that help.
#pragma once

#include <string>

#include "executors/process/protocol.hpp"

namespace baton::executors::process {

struct StartFailure {
  protocol::Stage stage;
  int error;            // errno
  std::string program;  // argv[0]
  std::string workdir;
  std::string path;  // PATH of its environment
};
// Looks at the file system, to tell a missing program from a missing interpreter.
std::string describe(const StartFailure& failure);

}  // namespace baton::executors::process
