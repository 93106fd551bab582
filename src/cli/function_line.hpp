// A program that carries out functions for `baton test --functions`: it listens on a Unix socket and answers
// each line with a line, both JSON (docs/guide/testing.md).
#pragma once

#include <string>

#include "base/error.hpp"
#include "net/socket.hpp"

namespace baton::cli {

// One thread.
class FunctionLine {
 public:
  // unavailable: nobody listens there.
  static Result<FunctionLine> connect(const std::string& path);

  // Says a line and waits for the next one, however long that takes: functions may be slow. io: the program
  // has gone, or its line has more than 64 MiB.
  Result<std::string> ask(const std::string& line);

 private:
  explicit FunctionLine(net::Fd fd) : fd_(std::move(fd)) {}
  Status wait(short events) const;

  net::Fd fd_;
  std::string read_;  // behind the last line
};

}  // namespace baton::cli
