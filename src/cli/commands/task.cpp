// `baton task`: for use inside of a step. Speaks to the owner that runs the step, with the token of its
// attempt.
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <charconv>

#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "base/text.hpp"
#include "cli/commands/commands.hpp"
#include "cli/files.hpp"
#include "cli/output.hpp"
#include "client/client.hpp"
#include "model/addition.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string name;
  std::vector<std::string> command;  // of --cleanup-exec
  std::string script;                // of --cleanup-run
  bool exec = false;                 // see Program::run
  std::string percent;
  std::string message;
  // Of a task that is added.
  std::string file;
  std::string with;
  std::string queue;
  std::vector<std::string> needs;
  bool detach = false;
};

struct Step {
  client::Client client;
  std::string task;
  std::string token;
};

Result<Step> this_step() {
  const Environment environment = process_environment();
  const auto variable = [&](const char* name) -> Result<std::string> {
    auto value = environment(name);
    if (!value) {
      return fail(ErrorCode::usage,
                  std::string("`baton task` is for use inside of a step: ") + name + " is not set");
    }
    return std::move(*value);
  };
  TRY(const std::string socket, variable("BATON_SOCKET"));
  TRY(std::string task, variable("BATON_TASK_ID"));
  TRY(std::string token, variable("BATON_TOKEN"));
  net::Endpoint endpoint;
  endpoint.unix_socket = true;
  endpoint.path = socket;
  client::Server server{.endpoint = std::move(endpoint),
                        .space = environment("BATON_NAMESPACE").value_or("")};
  return Step{client::Client(std::move(server)), std::move(task), std::move(token)};
}

std::string working_directory() {
  char buffer[4096];
  return ::getcwd(buffer, sizeof buffer) != nullptr ? buffer : "";
}

int add(const Context& context, const Options& options) {
  if (options.command.empty() == options.script.empty()) {
    return context.fail({ErrorCode::usage,
                         "say what gives it back: --cleanup-exec PROGRAM [ARG]... or --cleanup-run SCRIPT",
                         ""});
  }
  auto step = this_step();
  if (!step) return context.fail(step.error());
  std::vector<std::string> argv = options.command;
  if (argv.empty()) argv = {"sh", "-e", "-c", options.script};
  const auto added =
      step->client.register_resource(step->task, step->token, options.name, argv, working_directory());
  if (!added) return context.fail(added.error());
  print_object(context.console, context.settings.output, *added,
               [&](const Style&) { return cell_of(*added, "id") + '\n'; });
  return kOk;
}

int release(const Context& context, const Options& options) {
  auto step = this_step();
  if (!step) return context.fail(step.error());
  const auto released = step->client.release_resource(step->task, step->token, options.name);
  if (!released) return context.fail(released.error());
  const auto* existed = released->if_contains("existed");
  if (existed == nullptr || !existed->is_bool() || !existed->get_bool()) {
    // No failure: the answer to an earlier try may have been lost.
    std::string text = "there is no resource " + options.name + " of this task to release";
    std::vector<std::string> names;
    if (const auto* open = released->if_contains("open"); open != nullptr && open->is_array()) {
      for (const json::value& name : open->get_array()) names.emplace_back(name.as_string());
    }
    const std::vector<std::string_view> known(names.begin(), names.end());
    const std::string_view near = nearest(options.name, known);
    if (!near.empty()) text += "; did you mean \"" + std::string(near) + "\"?";
    context.console.note(text);
  }
  print_object(context.console, context.settings.output, *released,
               [](const Style&) { return std::string(); });
  return kOk;
}

// "40", "40%" or "37.5": whole percents, rounded down.
Result<int> percent_of(std::string_view text) {
  const std::string shown = printable(utf8_prefix(text, 60));
  if (text.ends_with('%')) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0 && value <= 100)) {
    return fail(ErrorCode::usage,
                "progress is a percentage from 0 to 100, not \"" + shown + "\"; the message comes after it");
  }
  return static_cast<int>(value);
}

int progress(const Context& context, const Options& options) {
  std::optional<int> percent;
  if (!options.percent.empty()) {
    const auto parsed = percent_of(options.percent);
    if (!parsed) return context.fail(parsed.error());
    percent = *parsed;
  }
  if (!is_utf8(options.message)) return context.fail({ErrorCode::usage, "the message must be UTF-8", ""});
  auto step = this_step();
  if (!step) return context.fail(step.error());
  const auto noted = step->client.report_progress(step->task, step->token, percent, options.message);
  return noted ? kOk : context.fail(noted.error());
}

// The text of the steps to be added, and what it is called in messages.
struct Steps {
  std::string text;
  std::string file;
};

Result<Steps> steps_of(const Options& options) {
  if (!options.file.empty()) {
    if (!options.name.empty() || !options.script.empty() || !options.command.empty() ||
        !options.needs.empty() || !options.with.empty() || !options.queue.empty()) {
      return fail(ErrorCode::usage,
                  "--file says all about the tasks: give it, or a NAME with --run or --exec");
    }
    TRY(std::string text, read_text_file(options.file, model::kAdditionBytes));
    return Steps{std::move(text), options.file == "-" ? "standard input" : options.file};
  }
  if (options.name.empty()) return fail(ErrorCode::usage, "say which: NAME --run SCRIPT, or --file FILE");
  if (options.command.empty() == options.script.empty()) {
    return fail(ErrorCode::usage, "say what it does: --run SCRIPT or --exec PROGRAM [ARG]...");
  }
  json::object step;
  if (!options.script.empty()) step["run"] = options.script;
  if (!options.command.empty()) step["exec"] = json::value_from(options.command);
  if (!options.needs.empty()) step["needs"] = json::value_from(options.needs);
  if (!options.queue.empty()) step["queue"] = options.queue;
  if (!options.with.empty()) {
    boost::system::error_code error;
    step["with"] = parse_json(options.with, error, {}, {.max_depth = kReadJsonDepth});
    if (error) return fail(ErrorCode::usage, "--with takes JSON: " + error.message());
  }
  json::object steps;
  steps["steps"] = json::object{{options.name, std::move(step)}};
  return Steps{json::serialize(steps), "the step"};
}

int add_steps(const Context& context, const Options& options) {
  const auto steps = steps_of(options);
  if (!steps) return context.fail(steps.error());
  auto step = this_step();
  if (!step) return context.fail(step.error());
  const auto added =
      step->client.add_tasks(step->task, step->token, steps->text, steps->file, options.detach);
  if (!added) return context.fail(added.error());
  print_object(context.console, context.settings.output, *added, [&](const Style&) {
    std::string lines;
    if (const auto* items = added->if_contains("items"); items != nullptr && items->is_array()) {
      for (const json::value& item : items->get_array()) {
        if (item.is_object()) lines += cell_of(item.get_object(), "id") + '\n';
      }
    }
    return lines;
  });
  return kOk;
}

}  // namespace

void add_task(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& task =
      *program.app().add_subcommand("task", "For use inside of a step: what it says about itself");
  task.require_subcommand(1);
  CLI::App& progress_command =
      program.command(task, "progress", "Says how far the step is; also a sign of life (timeout.heartbeat)",
                      [options](const Context& c) { return progress(c, *options); });
  progress_command.add_option("percent", options->percent, "0 to 100; without it only a sign of life")
      ->type_name("PERCENT");
  progress_command.add_option("message", options->message, "What it is doing, for people")
      ->type_name("MESSAGE");
  CLI::App& add_steps_command =
      program.command(task, "add", "Adds tasks to the run: what follows the step waits for them",
                      [options](const Context& c) { return add_steps(c, *options); });
  add_steps_command.add_option("name", options->name, "Its name, which stands behind the step's own")
      ->type_name("NAME");
  add_steps_command.add_option("command", options->command)->group("");
  add_steps_command.add_option("--run", options->script, "What it does, as a script for the shell")
      ->type_name("SCRIPT");
  add_steps_command
      .add_flag("--exec", options->exec, "What it does: all further words are the program and its arguments")
      ->option_text("PROGRAM [ARG]...");
  add_steps_command
      .add_option("--needs", options->needs, "A step that must have ended before; may be repeated")
      ->type_name("STEP")
      ->allow_extra_args(false);
  add_steps_command.add_option("--with", options->with, "Its arguments, as JSON in $BATON_INPUT")
      ->type_name("JSON");
  add_steps_command.add_option("--queue", options->queue, "Its queue; without it that of this step")
      ->type_name("QUEUE");
  add_steps_command
      .add_option("--file", options->file,
                  "Instead: a file with `steps`, as in a definition; - is standard input")
      ->type_name("FILE");
  add_steps_command.add_flag("--detach", options->detach, "What follows this step does not wait for them");
  CLI::App& resource = *task.add_subcommand("resource", "What the step has made and must be given back");
  resource.require_subcommand(1);
  CLI::App& add_command =
      program.command(resource, "add", "Registers a resource, before it is made: it will be given back",
                      [options](const Context& c) { return add(c, *options); });
  add_command.add_option("name", options->name, "Its name, of your choice")->required()->type_name("NAME");
  add_command.add_option("command", options->command)->group("");
  add_command
      .add_flag("--cleanup-exec", options->exec,
                "What gives it back: all further words are the program and its arguments")
      ->option_text("PROGRAM [ARG]...");
  add_command.add_option("--cleanup-run", options->script, "What gives it back, as a script for the shell")
      ->type_name("SCRIPT");
  CLI::App& release_command =
      program.command(resource, "release", "Says that there is nothing to give back any more",
                      [options](const Context& c) { return release(c, *options); });
  release_command.add_option("name", options->name, "Its name")->required()->type_name("NAME");
}

}  // namespace baton::cli
