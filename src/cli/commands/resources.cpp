#include <iterator>

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
  client::ResourceQuery query;
  std::vector<std::string> ids;
  bool all = false;
  bool dry_run = false;
};

std::vector<Column> columns() {
  return {
      {"RESOURCE", [](const json::object& row, const Style&) { return cell_of(row, "id"); }},
      {"STATUS", [](const json::object& row, const Style&) { return cell_of(row, "status"); }},
      {"SINCE", [](const json::object& row, const Style&) { return short_time(row, "registered_at"); }},
      {"ERROR", [](const json::object& row, const Style&) { return cell_of(row, "error"); }, false, 9},
  };
}

int list(const Context& context, const client::ResourceQuery& query) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, [&](client::Client& c) { return c.resources(query); });
  if (!page) return context.fail(page.error());
  const bool none = page->items.empty();
  const std::string next = page->next;
  print_list(context.console, context.settings.output, std::move(page->items), next, columns());
  if (none && context.settings.output == Format::table)
    context.console.note("no resources are to be given back");
  say_more(context, next);
  return kOk;
}

std::string describe(const json::object& resource, const Style& style) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += style.dim(pad(name, 12)) + value + '\n';
  };
  line("resource", cell_of(resource, "id"));
  line("status", cell_of(resource, "status"));
  line("from", cell_of(resource, "origin") == "registered"
                   ? "attempt " + cell_of(resource, "attempt") + " of task " + cell_of(resource, "task")
                   : "the `" + cell_of(resource, "origin") + "` of task " + cell_of(resource, "task"));
  line("since", short_time(resource, "registered_at"));
  line("error", style.red(cell_of(resource, "error")));
  line("command", cell_of(resource, "argv"));
  line("directory", cell_of(resource, "workdir"));
  if (const std::string by = cell_of(resource, "cleaned_by"); !by.empty()) line("log", "baton logs " + by);
  return out;
}

int get(const Context& context, const std::string& id) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto resource = session.ask(Purpose::look, [&](client::Client& c) { return c.get_resource(id); });
  if (!resource) return context.fail(resource.error());
  print_object(context.console, context.settings.output, *resource,
               [&](const Style& style) { return describe(*resource, style); });
  return kOk;
}

Result<std::vector<std::string>> chosen(Session& session, const Options& options) {
  if (!options.ids.empty()) {
    if (options.all || !options.query.run.empty() || !options.query.status.empty()) {
      return fail(ErrorCode::usage, "name resources by id, or by --run, --status or --all, not both");
    }
    return options.ids;
  }
  if (!options.all && options.query.run.empty() && options.query.status.empty()) {
    return fail(ErrorCode::usage, "which resources? Give ids, --run, --status leaked, or --all");
  }
  std::vector<std::string> ids;
  client::ResourceQuery query = options.query;
  query.limit = 1000;
  do {
    TRY(const client::Page page,
        session.ask(Purpose::look, [&](client::Client& c) { return c.resources(query); }));
    for (const json::object& resource : page.items) ids.push_back(text_of(resource, "id"));
    query.cursor = page.next;
  } while (!query.cursor.empty());
  return ids;
}

// Each one is told of; one that cannot be given back now does not stop the others.
int cleanup(const Context& context, const Options& options) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto ids = chosen(session, options);
  if (!ids) return context.fail(ids.error());
  json::array begun;
  json::array refused;
  std::optional<Error> first;
  for (const std::string& id : *ids) {
    if (options.dry_run) {
      begun.emplace_back(id);
      continue;
    }
    const auto answer = session.ask(Purpose::look, [&](client::Client& c) { return c.clean_resource(id); });
    if (answer) {
      begun.emplace_back(id);
      continue;
    }
    if (is_broken_connection(answer.error())) return context.fail(answer.error());
    refused.push_back(json::object{{"id", id}, {"reason", answer.error().message}});
    if (!first) first = answer.error();
  }
  json::object report;
  report["dry_run"] = options.dry_run;
  report["begun"] = begun;
  report["refused"] = refused;
  print_object(context.console, context.settings.output, report, [&](const Style&) {
    std::string text;
    for (const json::value& id : begun) {
      text += (options.dry_run ? "would give back " : "gives back ") + one_line(std::string(id.as_string())) +
              '\n';
    }
    for (const json::value& one : refused) {
      text += "not now: " + one_line(std::string(one.at("reason").as_string())) + '\n';
    }
    return text.empty() ? std::string("nothing to give back\n") : text;
  });
  return first ? info(first->code).exit_code : kOk;
}

}  // namespace

void add_resources(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& resources = *program.app().add_subcommand(
      "resources", "Lists, shows and gives back what tasks have made outside and registered");
  resources.require_subcommand(1);
  const auto add_filter = [options](CLI::App& command) {
    add_narrowing(command, "--run", options->query.run, "Of this run")->type_name("RUN");
    add_narrowing(command, "--status", options->query.status, "open, cleaning or leaked")
        ->type_name("STATUS");
  };
  CLI::App& list_command = program.command(resources, "list", "Lists resources that are not given back yet",
                                           [options](const Context& c) { return list(c, options->query); });
  add_filter(list_command);
  list_command.add_option("--limit", options->query.limit, "At most so many")
      ->type_name("N")
      ->check(CLI::Range(1, 1000).description(""));
  list_command.add_option("--cursor", options->query.cursor, "Where the list before this one ended")
      ->type_name("CURSOR");
  program
      .command(resources, "get", "Shows a resource with the command that gives it back",
               [options](const Context& c) { return get(c, options->ids.at(0)); })
      .add_option("id", options->ids, "Id of the resource")
      ->required()
      ->expected(1)
      ->type_name("ID");
  CLI::App& cleanup_command = program.command(
      resources, "cleanup", "Has resources given back now: leaked ones again, open ones early",
      [options](const Context& c) { return cleanup(c, *options); });
  cleanup_command.add_option("id", options->ids, "Ids of resources")->type_name("ID");
  add_filter(cleanup_command);
  cleanup_command.add_flag("--all", options->all, "All there are");
  cleanup_command.add_flag("--dry-run", options->dry_run, "Only says which");
}

}  // namespace baton::cli
