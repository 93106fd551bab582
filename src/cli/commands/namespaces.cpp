// baton namespaces: rooms of a server that know nothing of each other.
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
  std::string name;
  std::string reason;
};

auto cell(const char* name) {
  return [name](const json::object& row, const Style&) { return cell_of(row, name); };
}

int list(const Context& context) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, [](client::Client& c) { return c.all("namespaces"); });
  if (!page) return context.fail(page.error());
  const Column columns[] = {
      {"NAMESPACE", cell("name"), false, 1},
      {"STATUS", cell("status")},
      {"MADE", [](const json::object& row, const Style&) { return short_time(row, "created_at"); }},
      {"BY", cell("created_by"), false, 8},
      {"REASON", cell("reason"), false, 9}};
  print_list(context.console, context.settings.output, std::move(page->items), "", columns);
  return kOk;
}

std::string describe(const json::object& row, const Style& style) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += style.dim(pad(name, 11)) + value + '\n';
  };
  line("namespace", cell_of(row, "name"));
  line("status", cell_of(row, "status"));
  line("made", short_time(row, "created_at"));
  line("by", cell_of(row, "created_by"));
  line("reason", cell_of(row, "reason"));
  return out;
}

int get(const Context& context, const Options& options) {
  return ask_and_show(context, [&](client::Client& c) { return c.get_namespace(options.name); }, describe);
}

template <typename Ask>
int change(const Context& context, Ask ask, const char* said) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto row = session.ask(Purpose::look, ask);
  if (!row) return context.fail(row.error());
  print_object(context.console, context.settings.output, *row,
               [&](const Style&) { return cell_of(*row, "name") + said; });
  return kOk;
}

int create(const Context& context, const Options& options) {
  json::object body{{"name", options.name}};
  if (!options.reason.empty()) body["reason"] = options.reason;
  return change(context, [&](client::Client& c) { return c.create_namespace(body); }, " is there\n");
}

int remove(const Context& context, const Options& options) {
  return change(
      context, [&](client::Client& c) { return c.delete_namespace(options.name); },
      " is gone; what is left of its runs is cleared away\n");
}

}  // namespace

void add_namespaces(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& namespaces =
      *program.app().add_subcommand("namespaces", "Lists, makes and deletes namespaces of a server");
  namespaces.require_subcommand(1);
  const auto name = [options](CLI::App& command) -> CLI::App& {
    command.add_option("name", options->name, "Its name")->required()->type_name("NAME");
    return command;
  };
  program.command(namespaces, "list", "Lists namespaces", list);
  CLI::App& made = name(program.command(namespaces, "create", "Makes a namespace",
                                        [options](const Context& c) { return create(c, *options); }));
  made.add_option("--reason", options->reason, "What for, for others")->type_name("TEXT");
  name(program.command(namespaces, "get", "Shows a namespace",
                       [options](const Context& c) { return get(c, *options); }));
  name(program.command(namespaces, "delete",
                       "Deletes a namespace in which no run is open, with what was in it",
                       [options](const Context& c) { return remove(c, *options); }));
}

}  // namespace baton::cli
