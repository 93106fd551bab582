// Where `baton task` inside of a step speaks to a server that is elsewhere: a Unix socket of this machine,
// for this user alone. What an attempt that runs here says with its token goes on to the server, with this
// worker's credentials; nothing else does.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "client/client.hpp"

namespace baton::worker {

class StepSocket {
 public:
  // Serves `directory`/steps.sock. `runs_here`: whether the attempt of this token runs here and is one of
  // this task; any thread.
  static Result<std::unique_ptr<StepSocket>> open(const std::string& directory, client::Server server,
                                                  std::function<bool(const TaskId&, const Token&)> runs_here);
  virtual ~StepSocket() = default;  // breaks off what is on its way
  virtual const std::string& path() const = 0;
};

}  // namespace baton::worker
