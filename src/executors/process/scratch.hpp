// The directories and files that a process attempt gets besides its log.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "executors/executor.hpp"

namespace baton::executors::process {

struct AttemptFiles {
  std::string run_dir;      // BATON_RUN_DIR, shared by the run's steps: <scratch>/<run id>
  std::string private_dir;  // <run_dir>/.baton
  std::string input;        // BATON_INPUT
  std::string result;       // BATON_RESULT; does not exist yet
  bool own_input = false;   // otherwise the one of all attempts without `with`
};

// Directories are 0700 and files 0600. Not thread-safe.
class Scratch {
 public:
  static Result<Scratch> open(std::string directory);

  // Makes the directories, and the file with the input; without an input the attempt gets a common read-only
  // file with "{}", which is checked each time, because making a file costs a tenth of a short process. File
  // names contain the token, which is unique for ever: what an earlier attempt left is never taken for this
  // one's. Where the input has secrets in it, both files stand in a directory that open() empties.
  Result<AttemptFiles> prepare(const Attempt& attempt, std::string_view input);
  // Deletes what belongs to the attempt alone.
  void remove(const AttemptFiles& files, bool result_written);

 private:
  explicit Scratch(std::string directory) : directory_(std::move(directory)) {}
  Status provide_common_input();
  std::string secret_directory() const { return directory_ + "/.secrets"; }

  std::string directory_;
  std::string common_input_;
  Fd common_file_;
};

// Deletes a directory with all that is in it, also where a program has taken away the rights to its own
// directories; does not follow symbolic links. None: no error.
Status remove_tree(const std::string& path);

// remove_tree() of the scratch directory of a run.
Status remove_run_scratch(const std::string& scratch, const RunId& run);

// Makes a directory (0700) and its missing parents.
Status make_directories(const std::string& path);

}  // namespace baton::executors::process
