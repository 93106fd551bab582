// Starts one task process from the spawner.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "executors/process/protocol.hpp"

namespace baton::executors::process {

struct ChildPlan {
  const char* workdir = "";
  std::vector<char*> argv;  // both end with a null pointer
  std::vector<char*> envp;
  int in = -1, out = -1, err = -1;  // become 0, 1, 2; not 0, 1 or 2 themselves
};

struct ChildStart {
  pid_t pid = -1;  // > 0: runs the program; leader of a process group of its own
  protocol::Stage stage = protocol::Stage::fork;
  int error = 0;  // errno of the stage that failed
};

// Memory for the child until it executes its program: as posix_spawn does it, the child borrows the parent's
// memory (CLONE_VM) while the parent sleeps (CLONE_VFORK), so nothing is copied and a failure is simply
// written into a variable.
class ChildStack {
 public:
  ChildStack();  // throws std::bad_alloc
  ~ChildStack();
  ChildStack(const ChildStack&) = delete;
  ChildStack& operator=(const ChildStack&) = delete;
  void* top() const;

 private:
  void* memory_;
};

// The child gets: its own process group, no other descriptors than 0, 1 and 2, no blocked signals, SIGKILL
// when the spawner dies. Everything else it inherits from the spawner, which has set it up (spawner.cpp).
// Blocks until the program is executing or has failed to. A program name without "/" is looked up in the PATH
// of `envp`. The caller's signals must be blocked, since a handler would run in shared memory.
ChildStart start_child(const ChildPlan& plan, const ChildStack& stack);

}  // namespace baton::executors::process
