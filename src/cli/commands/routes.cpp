// baton routes: in which queue the tasks of steps wait that name none.
#include "cli/commands/commands.hpp"
#include "cli/commands/steer.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string pattern;
  std::string queue;
  std::string reason;
};

int list(const Context& context) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, [](client::Client& c) { return c.routes(); });
  if (!page) return context.fail(page.error());
  const Column columns[] = {
      {"PATTERN", [](const json::object& row, const Style&) { return cell_of(row, "pattern"); }, false, 1},
      {"QUEUE", [](const json::object& row, const Style&) { return cell_of(row, "queue"); }, false},
      {"SET BY", [](const json::object& row, const Style&) { return cell_of(row, "set_by"); }, false},
      {"REASON", [](const json::object& row, const Style&) { return cell_of(row, "reason"); }, false, 9},
  };
  const bool none = page->items.empty();
  print_list(context.console, context.settings.output, std::move(page->items), "", columns);
  if (none && context.settings.output == Format::table) {
    context.console.note("no routes: steps that name no queue wait in queue default");
  }
  return kOk;
}

int set(const Context& context, const Options& options) {
  return ask_and_show(
      context, [&](client::Client& c) { return c.set_route(options.pattern, options.queue, options.reason); },
      [](const json::object& row, const Style&) {
        return cell_of(row, "pattern") + " waits in queue " + cell_of(row, "queue") + '\n';
      });
}

int take_away(const Context& context, const Options& options) {
  return ask_and_show(
      context, [&](client::Client& c) { return c.delete_route(options.pattern); },
      [](const json::object& row, const Style&) {
        return cell_of(row, "pattern") + " is sent to queue " + cell_of(row, "queue") + " no more\n";
      });
}

}  // namespace

void add_routes(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& routes = *program.app().add_subcommand("routes", "Says in which queue steps wait that name none");
  routes.require_subcommand(1);
  program.command(routes, "list", "Lists routes", [](const Context& c) { return list(c); });
  const auto add_pattern = [options](CLI::App& command) {
    command
        .add_option("pattern", options->pattern,
                    "A step's name, or WORKFLOW/STEP; * stands for any text, ? for one character")
        ->required()
        ->type_name("PATTERN");
  };
  CLI::App& command = program.command(routes, "set", "Sends steps that match a pattern to a queue",
                                      [options](const Context& c) { return set(c, *options); });
  add_pattern(command);
  command.add_option("queue", options->queue, "Name of the queue")->required()->type_name("QUEUE");
  command.add_option("--reason", options->reason, "Why, for others")->type_name("TEXT");
  add_pattern(program.command(routes, "delete", "Takes a route away; what waits already stays where it is",
                              [options](const Context& c) { return take_away(c, *options); }));
}

}  // namespace baton::cli
