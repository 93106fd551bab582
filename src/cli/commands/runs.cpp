#include <boost/json/serialize.hpp>

#include "base/text.hpp"
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
  client::RunQuery query;
  std::string run;
  std::string at;
};

std::string status_cell(const json::object& row, const Style& style) {
  const std::string status = cell_of(row, "status");
  return in_colour_of(status, std::string(symbol(status)) + ' ' + status, style);
}

int list(const Context& context, const client::RunQuery& query) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, [&](client::Client& c) { return c.runs(query); });
  if (!page) return context.fail(page.error());
  const WallTime now = wall_now();
  const Column columns[] = {
      {"RUN", [](const json::object& row, const Style&) { return cell_of(row, "id"); }},
      {"WORKFLOW", [](const json::object& row, const Style&) { return cell_of(row, "workflow"); }, false, 1},
      {"STATUS", status_cell},
      {"DONE",
       [](const json::object& row, const Style&) {
         return std::to_string(static_cast<int>(number_of(row, "progress"))) + '%';
       },
       true},
      {"CREATED", [](const json::object& row, const Style&) { return short_time(row, "created_at"); }},
      {"DURATION", [now](const json::object& row, const Style&) { return duration_of(row, now); }, true},
      {"JOB", [](const json::object& row, const Style&) { return cell_of(row, "job_id"); }, false, 2},
  };
  const bool none = page->items.empty();
  const std::string next = page->next;
  print_list(context.console, context.settings.output, std::move(page->items), next, columns);
  if (none && context.settings.output == Format::table) context.console.note("no runs");
  say_more(context, next);
  return kOk;
}

}  // namespace

std::string describe_run(const json::object& run, const Style& style) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += style.dim(pad(name, 12)) + value + '\n';
  };
  line("run", cell_of(run, "id"));
  line("workflow", cell_of(run, "workflow") + ", version " + cell_of(run, "version"));
  line("title", cell_of(run, "title"));
  line("status", status_cell(run, style));
  if (const auto* pause = object_of(run, "pause")) {
    const std::string until = short_time(*pause, "until");
    line("paused", "by " + cell_of(*pause, "by") + (until.empty() ? "" : ", until " + until) +
                       (cell_of(*pause, "reason").empty() ? "" : ": " + cell_of(*pause, "reason")));
  }
  if (const std::string stage = cell_of(run, "stage");
      run.contains("ended_at") && run.at("ended_at").is_null())
    line("stage", stage == "main" ? "" : stage);
  line("error", style.red(full_error_of(run, std::string(12, ' '))));
  line("progress", std::to_string(static_cast<int>(number_of(run, "progress"))) + "%, step " +
                       cell_of(run, "current_step") + " of " + cell_of(run, "total_steps"));
  if (const auto* counts = object_of(run, "counts")) {
    std::string text = cell_of(*counts, "total") + " in all";
    for (const char* name : {"completed", "failed", "skipped", "cancelled", "running"}) {
      if (number_of(*counts, name) > 0) text += ", " + cell_of(*counts, name) + ' ' + name;
    }
    line("tasks", text);
  }
  if (const auto* resources = run.if_contains("resources"); resources != nullptr && resources->is_array()) {
    for (const json::value& one : resources->get_array()) {
      if (!one.is_object()) continue;
      const json::object& resource = one.get_object();
      const std::string error = cell_of(resource, "error");
      const std::string text = cell_of(resource, "id") + (error.empty() ? "" : "  " + error);
      const std::string status = cell_of(resource, "status");
      line(status, status == "leaked" ? style.red(text) : text);
    }
  }
  line("job", cell_of(run, "job_id"));
  line("priority", cell_of(run, "priority"));
  line("created", short_time(run, "created_at"));
  line("started", short_time(run, "started_at"));
  line("ended", short_time(run, "ended_at"));
  line("duration", duration_of(run, wall_now()));
  if (number_of(run, "recovery_attempts") > 0) line("recovered", times(run, "recovery_attempts"));
  line("begun by", cell_of(run, "parent"));
  line("replay of", cell_of(run, "replay_of"));
  for (const char* name : {"input", "metadata", "labels"}) {
    const auto* value = object_of(run, name);
    if (value == nullptr || value->empty()) continue;
    out += style.dim(std::string(name)) + '\n';
    std::string text = to_yaml(*value);
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      out += "  " + text.substr(at, text.find('\n', at) - at + 1);
    }
  }
  return out;
}

namespace {

int show(const Context& context, const json::object& run) {
  print_object(context.console, context.settings.output, run,
               [&](const Style& style) { return describe_run(run, style); });
  return kOk;
}

std::string describe_state(const json::object& state, const Style& style) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += style.dim(pad(name, 12)) + value + '\n';
  };
  line("run", cell_of(state, "id"));
  line("at", cell_of(state, "at"));
  line("workflow", cell_of(state, "workflow") + ", version " + cell_of(state, "version"));
  line("status", status_cell(state, style));
  line("created", short_time(state, "created_at"));
  line("started", short_time(state, "started_at"));
  line("ended", short_time(state, "ended_at"));
  const auto* tasks = state.if_contains("tasks");
  if (tasks == nullptr || !tasks->is_array()) return out;
  for (const json::value& entry : tasks->get_array()) {
    if (!entry.is_object()) continue;
    const json::object& task = entry.get_object();
    const std::string status = cell_of(task, "status");
    std::string more = status;
    if (number_of(task, "generation") > 1) more += ", generation " + cell_of(task, "generation");
    if (number_of(task, "attempts") > 0) more += ", attempts " + cell_of(task, "attempts");
    const std::string error = error_of(task);
    out += in_colour_of(status, std::string(symbol(status)), style) + ' ' + step_of(task) + "  " +
           style.dim(more) + (error.empty() ? "" : "  " + error) + '\n';
  }
  return out;
}

int get_at(const Context& context, const std::string& id, const std::string& text) {
  const auto at = instant_of("--at", text);
  if (!at) return context.fail(at.error());
  return ask_and_show(context, [&](client::Client& c) { return c.state_at(id, *at); }, describe_state);
}

int get(const Context& context, const std::string& id) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto run = session.ask(Purpose::look, [&](client::Client& c) { return c.run(id); });
  return run ? show(context, *run) : context.fail(run.error());
}

// One line of history for people: what happened, to what, and what else the fact says.
std::string fact_text(const json::object& fact) {
  std::string text = cell_of(fact, "type");
  const std::string step = cell_of(fact, "step");
  if (!step.empty()) {
    text += ' ' + step;
    if (fact.contains("index")) text += '[' + cell_of(fact, "index") + ']';
    if (fact.contains("role")) text += " (" + cell_of(fact, "role") + ')';
  }
  for (const auto& [key, value] : fact) {
    const std::string_view name = key;
    if (name == "type" || name == "at" || name == "task" || name == "step" || name == "step_index" ||
        name == "index" || name == "role" || value.is_null()) {
      continue;
    }
    if (name == "error") {
      text += "  " + error_of(fact);
      continue;
    }
    const std::string shown = cell_of(fact, name);
    if (!shown.empty()) text += "  " + std::string(name) + '=' + shown;
  }
  return text;
}

int history(const Context& context, const std::string& id) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  std::vector<json::object> entries;
  std::string cursor;
  do {
    auto page = session.ask(Purpose::look, [&](client::Client& c) { return c.history(id, 200, cursor); });
    if (!page) return context.fail(page.error());
    std::ranges::move(page->items, std::back_inserter(entries));
    cursor = page->next;
  } while (!cursor.empty());
  std::ranges::reverse(entries);  // the API gives the newest first
  if (context.settings.output != Format::table) {
    print_list(context.console, context.settings.output, std::move(entries), "", {});
    return kOk;
  }
  const Style& style = context.console.out_style();
  for (const json::object& entry : entries) {
    const auto* facts = entry.at("facts").if_array();
    if (facts == nullptr) continue;
    for (const json::value& fact : *facts) {
      if (!fact.is_object()) continue;
      const json::object& object = fact.get_object();
      const std::string at = cell_of(object, "at");
      // Who, where it was a person or program from outside; the rest follows from the definition.
      const std::string actor = cell_of(entry, "actor");
      const bool outside = actor != "engine" && !actor.starts_with("worker:");
      context.console.out(style.dim(at) + "  " + fact_text(object) +
                          (outside && &fact == &facts->front() ? style.dim("  by " + actor) : "") + '\n');
    }
  }
  return kOk;
}

}  // namespace

void add_runs(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& runs = *program.app().add_subcommand("runs", "Lists, shows and steers runs");
  runs.require_subcommand(1);

  CLI::App& list_command = program.command(runs, "list", "Lists runs, the newest first",
                                           [options](const Context& c) { return list(c, options->query); });
  list_command
      .add_option("--status", options->query.status, "States or their other names, separated by commas")
      ->type_name("STATUS");
  list_command.add_option("--state", options->query.state, "active, failed or recoverable")
      ->type_name("STATE");
  list_command.add_option("--workflow", options->query.workflow, "Of this workflow")->type_name("NAME");
  list_command.add_option("--job-id", options->query.job_id, "With this reference")->type_name("ID");
  list_command
      .add_option("--where", options->query.where,
                  "An expression over status, workflow, job_id and created_at")
      ->type_name("EXPRESSION");
  list_command.add_option("--limit", options->query.limit, "At most so many")
      ->type_name("N")
      ->check(CLI::Range(1, 1000).description(""));
  list_command.add_option("--cursor", options->query.cursor, "Where the list before this one ended")
      ->type_name("CURSOR");

  const auto add_id = [&](CLI::App& command) {
    command.add_option("run", options->run, "Id of the run")->required()->type_name("RUN");
  };
  CLI::App& shown =
      program.command(runs, "get", "Shows a run, as it is or as it was", [options](const Context& c) {
        return options->at.empty() ? get(c, options->run) : get_at(c, options->run, options->at);
      });
  add_id(shown);
  shown.add_option("--at", options->at, "As it was at this instant, or so long ago, such as 10m")
      ->type_name("TIME");
  add_id(program.command(runs, "history", "Shows what happened in a run, the oldest first",
                         [options](const Context& c) { return history(c, options->run); }));
  add_answers(program, runs);
}

}  // namespace baton::cli
