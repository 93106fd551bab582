// A process executor with a directory of its own, for tests.
#pragma once

#include <sys/resource.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "executors/process/process_executor.hpp"
#include "executors/process/spec.hpp"

namespace baton::executors::process::test {

// A directory that is deleted with everything in it.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// While it lives, this process can open nothing more.
class NoDescriptors {
 public:
  NoDescriptors();
  ~NoDescriptors();
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

std::string quoted(const std::string& text);  // as JSON
std::string read_file(const std::string& path);
RunId some_run();
// The ids of living processes (not zombies) that have this text in their environment.
std::vector<std::string> processes_with(const std::string& text);

class Harness {
 public:
  explicit Harness(int lock = -1, logs::Limits log_limits = {});
  ~Harness();  // fails the test if an accepted attempt was not reported exactly once

  Executor& executor() { return *executor_; }
  std::string directory() const { return directory_.path(); }
  std::string run_dir() const { return directory() + "/scratch/" + some_run().text(); }

  // A token that is going to be started by hand.
  Token reserve();
  // Starts an attempt with this spec; its token's sequence counts from 1.
  Token start(const std::string& spec);
  // With `sh -e -c` and the environment's PATH.
  Token start_script(const std::string& script, const std::string& more_members = "");
  void wait_started(const Token& token);
  model::Outcome wait(const Token& token);
  model::Outcome run_script(const std::string& script, const std::string& more_members = "") {
    return wait(start_script(script, more_members));
  }
  // A named pipe through which tasks tell the test something; listen() waits for the next line.
  std::string pipe() const { return directory() + "/pipe"; }
  std::string listen();
  // The text of an attempt's log.
  std::string log(const Token& token);
  std::string log_file(const Token& token) const;

 private:
  ScratchDirectory directory_;
  Fd said_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t last_ = 0;
  std::set<Token> started_;
  std::map<Token, model::Outcome> finished_;
  bool twice_ = false;
  std::unique_ptr<ProcessExecutor> executor_;
};

inline constexpr const char* kOwnerCommand = "__owner";
// The main function of an owner that is to be killed: holds a lock on <directory>/lock, starts tasks that try
// to escape, which write their process ids to the pipe <directory>/pids, and never returns.
int owner_main(const std::string& directory);

inline constexpr const char* kThreadsCommand = "__threads";
// The main function of a process whose first thread ends, so that it looks like a zombie, while another one
// goes on. Writes its process id to the pipe `pids`.
int threads_main(const std::string& pids);

}  // namespace baton::executors::process::test
