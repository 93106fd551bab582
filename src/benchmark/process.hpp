// A program that is measured: started, killed, asked what it costs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/time.hpp"

namespace baton::benchmark {

// Dies with the thread that started it, at the latest.
class Process {
 public:
  struct Spec {
    std::vector<std::string> argv;  // the first one is the program's path
    std::map<std::string, std::string> env;
    std::string log;  // file that its stderr is appended to
  };
  // Fails with io.
  static Result<Process> start(const Spec& spec);

  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process() { kill(); }

  pid_t pid() const { return pid_; }
  // The next line of its stdout. io: it ended without one.
  Result<std::string> read_line();
  void kill();  // SIGKILL, and waits for its end. Twice is fine
  void end();   // SIGTERM, and waits

 private:
  Process() = default;
  void reap();

  pid_t pid_ = -1;
  Fd out_;
};

// Of the process and those that it has started. What cannot be read counts as nothing.
Duration cpu_of(pid_t pid);
std::uint64_t memory_of(pid_t pid);  // PSS, bytes

}  // namespace baton::benchmark
