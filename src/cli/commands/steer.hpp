// What the commands that steer runs, tasks, queues and workers share.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>

#include "cli/console.hpp"
#include "cli/program.hpp"
#include "client/client.hpp"

namespace baton::cli {

std::string describe_run(const boost::json::object& run, const Style& style);    // runs.cpp
std::string describe_task(const boost::json::object& task, const Style& style);  // tasks.cpp
// A request, shown as `describe` does; the exit code.
int ask_and_show(const Context& context,
                 const std::function<Result<boost::json::object>(client::Client&)>& request,
                 const std::function<std::string(const boost::json::object&, const Style&)>& describe);

// `--reason`, `--until`, `--for` of a pause.
struct PauseOptions {
  std::string reason;
  std::string until;
  std::string lasts;

  void add_to(CLI::App& command);
  // As the API takes it. What is wrong in it, the API says.
  boost::json::object body() const;
};

}  // namespace baton::cli
