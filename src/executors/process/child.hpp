// Starts one task process from the spawner.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "executors/process/protocol.hpp"

namespace baton::executors::process {

// A process on its way from clone to exec. As with posix_spawn the child borrows the spawner's memory
// (CLONE_VM), so nothing is copied and a failure is simply written into a variable. Unlike posix_spawn the
// spawner does not sleep meanwhile: many can be on their way, and one that hangs (a working directory on a
// dead network file system) holds up nobody else. What the child reads is in this object, which must stay
// until busy() is false; the kernel clears the word behind busy() when the child has left the memory by exec
// or exit (CLONE_CHILD_CLEARTID).
//
// The child gets: its own process group, no other descriptors than 0, 1 and 2, no blocked signals, SIGKILL
// when the spawner dies. Everything else it inherits from the spawner (spawner.cpp).
class Child {
 public:
  Child();  // throws std::bad_alloc
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Become 0, 1 and 2; must be above 2. Not needed any more when start() has returned.
  struct Descriptors {
    int in, out, err;
  };
  // `body` is that of a protocol::Request. A program name without "/" is looked up in the PATH of the given
  // environment. All signals of the calling process must be blocked. Returns 0, or the errno of the stage
  // Stage::fork or, for a malformed body, Stage::request.
  int start(const protocol::Request& request, std::string body, Descriptors descriptors);

  pid_t pid() const { return pid_; }  // leader of a process group of its own
  bool busy() const { return in_use_.load(std::memory_order_acquire) != 0; }

  // When not busy: why the program could not be executed, 0 if it was (or if the child was killed before). In
  // the first case the process exits with 127.
  int error() const { return error_; }
  protocol::Stage stage() const { return stage_; }

 private:
  bool read_body(const protocol::Request& request);
  static int run(void* self);
  void execute();
  void give_up(protocol::Stage stage, long result);

  void* stack_;
  std::string body_;
  const char* workdir_ = nullptr;
  std::vector<char*> argv_;  // these end with a null pointer
  std::vector<char*> envp_;
  std::vector<std::string> candidates_;  // program files to try
  std::vector<const char*> programs_;
  struct Raw {  // the same for the child, which must not call functions
    const char* const* programs;
    char* const* argv;
    char* const* envp;
  } raw_{};
  Descriptors descriptors_{};
  pid_t spawner_ = -1;
  pid_t pid_ = -1;
  std::atomic<pid_t> in_use_ = 0;
  protocol::Stage stage_ = protocol::Stage::fork;
  int error_ = 0;
};

}  // namespace baton::executors::process
