// baton tasks retry, skip, complete: what a person decides about one task.

#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/steer.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string task;
  std::string reason;
  std::string result;
  bool force = false;
  ArgumentOptions arguments;
};

int decide(const Context& context, const Options& options, std::string_view verb) {
  json::object body;
  if (!options.reason.empty()) body["reason"] = options.reason;
  if (options.force) body["force"] = true;
  if (auto changed = options.arguments.add_to(body); !changed) return context.fail(changed.error());
  if (!options.result.empty()) {
    boost::system::error_code error;
    body["result"] = parse_json(options.result, error, {}, {.max_depth = kReadJsonDepth});
    if (error) {
      return context.fail(
          {ErrorCode::usage, "--result must be JSON (text in quotes): " + error.message(), ""});
    }
  }
  return ask_and_show(
      context, [&](client::Client& c) { return c.steer_task(options.task, verb, body); }, describe_task);
}

}  // namespace

void add_task_steering(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& tasks = *program.app().get_subcommand("tasks");
  const auto add = [&](const char* verb, const char* description) -> CLI::App& {
    CLI::App& command = program.command(
        tasks, verb, description, [options, verb](const Context& c) { return decide(c, *options, verb); });
    command.add_option("task", options->task, "Id of the task: its run's id, a dot and a number")
        ->required()
        ->type_name("TASK");
    command.add_option("--reason", options->reason, "Why, for the history")->type_name("TEXT");
    command.add_flag("--force", options->force,
                     "Although its run was recovered as often as its workflow allows");
    return command;
  };
  options->arguments.add_to(
      add("retry", "Tries a task again, and what it blocked; one that waits for its next attempt at once"));
  add("skip", "Skips a task: what needs it runs as if it had been skipped by its condition");
  add("fail", "Lets a held task, or one that waits for its next attempt, fail");
  add("complete", "Takes a value as the result of a failed or held task")
      .add_option("--result", options->result, "The value, as JSON; default null")
      ->type_name("JSON");
}

}  // namespace baton::cli
