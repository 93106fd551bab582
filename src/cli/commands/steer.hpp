// What the commands that steer runs, tasks, queues and workers share.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

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

// `--with` and `--arguments`: what a task gets instead when it is done again.
struct ArgumentOptions {
  std::vector<std::string> with;  // NAME=VALUE
  std::string arguments;          // JSON

  void add_to(CLI::App& command);
  bool empty() const { return with.empty() && arguments.empty(); }
  // As member `arguments` of a request's body; usage.
  Status add_to(boost::json::object& body) const;
};

// A flag that narrows what a command is about. With an empty value, such as that of a variable which nobody
// set, it is wrong usage: it would be about everything.
CLI::Option* add_narrowing(CLI::App& command, const std::string& flag, std::string& value,
                           const std::string& description);

// NAME=VALUE; the value is JSON, or else text.
Status add_pairs(const std::vector<std::string>& words, std::string_view flag, bool remove_empty,
                 boost::json::object& object);  // steer_runs.cpp

}  // namespace baton::cli
