#include "executors/process/start_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"

namespace baton::executors::process {
namespace {

using protocol::Stage;

bool is_path(const std::string& program) {
  return program.find('/') != std::string::npos;
}

std::string absolute(const StartFailure& failure) {
  return failure.program.starts_with('/') ? failure.program : failure.workdir + '/' + failure.program;
}

std::string describe_exec(const StartFailure& failure) {
  const std::string begin = "cannot start \"" + failure.program + "\": ";
  switch (failure.error) {
    case ENOENT:
      if (!is_path(failure.program)) return begin + "there is no such program in PATH (" + failure.path + ")";
      if (::access(absolute(failure).c_str(), F_OK) == 0)
        return begin +
               "the file exists, but the interpreter that it names (first line, or dynamic loader) does not";
      return begin + "there is no such file (working directory " + failure.workdir + ")";
    case EACCES: {
      struct stat status{};
      if (is_path(failure.program) && ::stat(absolute(failure).c_str(), &status) == 0) {
        if (S_ISDIR(status.st_mode)) return begin + "it is a directory";
        if ((status.st_mode & 0111) == 0) return begin + "the file is not executable (chmod +x?)";
      }
      return begin + "permission denied";
    }
    case ENOEXEC:
      return begin +
             "it is neither a program of this machine nor a script whose first line names its "
             "interpreter (#!/bin/sh)";
    case E2BIG:
      return begin +
             "arguments and environment are too long. One argument or variable can have 128 KiB: pass "
             "data in $BATON_INPUT (`with`), and put a long script into a file";
    default:
      return begin + errno_text(failure.error);
  }
}

}  // namespace

std::string describe(const StartFailure& failure) {
  switch (failure.stage) {
    case Stage::workdir:
      return "cannot enter the working directory \"" + failure.workdir + "\": " + errno_text(failure.error);
    case Stage::exec:
      return describe_exec(failure);
    case Stage::fork:
      return "cannot create a process: " + errno_text(failure.error) +
             (failure.error == EAGAIN ? " (the limit of processes, ulimit -u or the service's TasksMax?)"
                                      : "");
    case Stage::descriptors:
      return "cannot set up the process's input and output: " + errno_text(failure.error);
    case Stage::request:
      break;
  }
  return "the spawner did not understand the request: " + errno_text(failure.error);
}

}  // namespace baton::executors::process
