#include <boost/json/serialize.hpp>

#include "cli/commands/commands.hpp"
#include "cli/commands/steer.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/text_width.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string id;
  std::size_t limit = 200;
  std::string cursor;
};

std::string status_cell(const json::object& row, const Style& style) {
  const std::string status = cell_of(row, "status");
  return in_colour_of(status, std::string(symbol(status)) + ' ' + status, style);
}

int list(const Context& context, const Options& options) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(
      Purpose::look, [&](client::Client& c) { return c.tasks(options.id, options.limit, options.cursor); });
  if (!page) return context.fail(page.error());
  const WallTime now = wall_now();
  const Column columns[] = {
      {"TASK", [](const json::object& row, const Style&) { return cell_of(row, "id"); }},
      {"STEP", [](const json::object& row, const Style&) { return step_of(row); }, false, 1},
      {"STATUS", status_cell},
      {"ATTEMPTS", [](const json::object& row, const Style&) { return cell_of(row, "attempts"); }, true},
      {"STARTED", [](const json::object& row, const Style&) { return short_time(row, "started_at"); }},
      {"DURATION", [now](const json::object& row, const Style&) { return duration_of(row, now); }, true},
      {"ERROR",
       [](const json::object& row, const Style&) {
         const std::string reason = cell_of(row, "skip_reason");
         if (!reason.empty()) return reason;
         if (cell_of(row, "status") == "running" && !progress_of(row).empty()) return progress_of(row);
         const std::string waits = wait_of(row);
         return waits.empty() ? error_of(row) : "waits for " + waits;
       },
       false, 9},
  };
  const std::string next = page->next;
  print_list(context.console, context.settings.output, std::move(page->items), next, columns);
  say_more(context, next);
  return kOk;
}

}  // namespace

std::string describe_task(const json::object& task, const Style& style) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += style.dim(pad(name, 12)) + value + '\n';
  };
  line("task", cell_of(task, "id"));
  line("step", step_of(task));
  line("title", cell_of(task, "title"));
  line("type", cell_of(task, "type"));
  line("status", status_cell(task, style));
  line("skipped", cell_of(task, "skip_reason"));
  line("waits for", wait_of(task));
  line("progress", progress_of(task));
  line(cell_of(task, "role") == "main" ? "added by" : "serves", cell_of(task, "parent"));
  line("began run", cell_of(task, "child_run"));
  line("error", style.red(full_error_of(task, std::string(12, ' '))));
  if (const auto* error = object_of(task, "error"); error != nullptr && error->contains("fallback")) {
    const json::object failed{{"error", error->at("fallback")}};
    line("fallback", style.red(full_error_of(failed, std::string(12, ' '))));
  }
  if (task.contains("held") && task.at("held").is_bool() && task.at("held").as_bool()) {
    line("held", "a person decides: `baton tasks retry|skip|complete|fail " + cell_of(task, "id") + "`");
  }
  line("via", cell_of(task, "via"));
  line("result of", cell_of(task, "cached_from"));
  line("worker", cell_of(task, "worker"));
  line("started", short_time(task, "started_at"));
  line("ended", short_time(task, "ended_at"));
  line("duration", duration_of(task, wall_now()));
  const auto* attempts = task.if_contains("attempt_list");
  if (attempts != nullptr && attempts->is_array() && !attempts->get_array().empty()) {
    std::vector<json::object> rows;
    for (const json::value& attempt : attempts->get_array()) rows.push_back(attempt.as_object());
    const Column columns[] = {
        {"ATTEMPT", [](const json::object& row, const Style&) { return cell_of(row, "number"); }, true},
        {"STATUS", status_cell},
        {"STARTED", [](const json::object& row, const Style&) { return short_time(row, "started_at"); }},
        {"DURATION", [](const json::object& row, const Style&) { return duration_of(row, wall_now()); },
         true},
        {"WORKER", [](const json::object& row, const Style&) { return cell_of(row, "worker"); }},
        {"ERROR",
         [](const json::object& row, const Style&) -> std::string {
           const std::string error = error_of(row);
           if (cell_of(row, "phase") != "fallback") return error;
           return error.empty() ? "(fallback)" : "fallback: " + error;
         }},
    };
    out += '\n' + to_table(rows, columns, style, 0);
  }
  const auto* result = task.if_contains("result");
  if (result != nullptr && !result->is_null())
    out += '\n' + style.dim("result") + '\n' + to_pretty_json(*result);
  return out;
}

namespace {

int get(const Context& context, const std::string& id) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto task = session.ask(Purpose::look, [&](client::Client& c) { return c.task(id); });
  if (!task) return context.fail(task.error());
  print_object(context.console, context.settings.output, *task,
               [&](const Style& style) { return describe_task(*task, style); });
  return kOk;
}

}  // namespace

void add_tasks(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& tasks = *program.app().add_subcommand("tasks", "Lists, shows and steers the tasks of runs");
  tasks.require_subcommand(1);
  CLI::App& list_command =
      program.command(tasks, "list", "Lists the tasks of a run in the order of its steps",
                      [options](const Context& c) { return list(c, *options); });
  list_command.add_option("run", options->id, "Id of the run")->required()->type_name("RUN");
  list_command.add_option("--limit", options->limit, "At most so many")
      ->type_name("N")
      ->check(CLI::Range(1, 1000).description(""));
  list_command.add_option("--cursor", options->cursor, "Where the list before this one ended")
      ->type_name("CURSOR");
  CLI::App& get_command = program.command(tasks, "get", "Shows a task with its attempts and its result",
                                          [options](const Context& c) { return get(c, options->id); });
  get_command.add_option("task", options->id, "Id of the task: its run's id, a dot and a number")
      ->required()
      ->type_name("TASK");
}

}  // namespace baton::cli
