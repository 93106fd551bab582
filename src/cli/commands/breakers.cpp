#include "cli/commands/commands.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/text_width.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string state;
  std::string name;
  std::string reason;
};

// "open until 01:46:00", "closed (forced)"
std::string state_of(const json::object& row) {
  const std::string forced = cell_of(row, "forced");
  if (!forced.empty()) return forced + " (forced)";
  return cell_of(row, "state");
}

std::string state_cell(const json::object& row, const Style& style) {
  const std::string state = state_of(row);
  if (state.starts_with("open")) return style.red(state);
  return state.starts_with("half") ? style.yellow(state) : state;
}

int list(const Context& context, const Options& options) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  std::vector<json::object> items;
  std::string cursor;
  do {
    auto page =
        session.ask(Purpose::look, [&](client::Client& c) { return c.breakers(options.state, cursor); });
    if (!page) return context.fail(page.error());
    std::ranges::move(page->items, std::back_inserter(items));
    cursor = page->next;
  } while (!cursor.empty());
  const Column columns[] = {
      {"BREAKER", [](const json::object& row, const Style&) { return cell_of(row, "name"); }, false, 1},
      {"STATE", state_cell},
      {"FAILURES", [](const json::object& row, const Style&) { return cell_of(row, "failure_count"); }, true},
      {"OPENED", [](const json::object& row, const Style&) { return cell_of(row, "times_opened"); }, true},
      {"LAST FAILURE",
       [](const json::object& row, const Style&) { return short_time(row, "last_failure_time"); }},
      {"WHAT", [](const json::object& row, const Style&) { return cell_of(row, "last_failure"); }, false, 9},
  };
  const bool none = items.empty();
  print_list(context.console, context.settings.output, std::move(items), "", columns);
  if (none && context.settings.output == Format::table) {
    context.console.note("no breakers: one comes to be with the first failure behind it");
  }
  return kOk;
}

std::string describe(const json::object& row, const Style& style) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += style.dim(pad(name, 14)) + value + '\n';
  };
  line("breaker", cell_of(row, "name"));
  line("state", state_cell(row, style));
  line("forced by", cell_of(row, "forced_by"));
  line("reason", cell_of(row, "reason"));
  line("changed", short_time(row, "changed_at"));
  line("failures", cell_of(row, "failure_count") + " in a row");
  line("last failure", cell_of(row, "last_failure"));
  line("at", short_time(row, "last_failure_time"));
  line("opened", times(row, "times_opened"));
  line("opens at", cell_of(row, "failure_threshold") + " failures in a row");
  line("recovers in", cell_of(row, "recovery_timeout") + " s");
  line("probes", cell_of(row, "half_open_probes") + " at a time");
  return out;
}

int show(const Context& context, const Result<json::object>& breaker) {
  if (!breaker) return context.fail(breaker.error());
  print_object(context.console, context.settings.output, *breaker,
               [&](const Style& style) { return describe(*breaker, style); });
  return kOk;
}

int get(const Context& context, const std::string& name) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  return show(context, session.ask(Purpose::look, [&](client::Client& c) { return c.breaker(name); }));
}

// `verb`: open, close or reset.
int force(const Context& context, const Options& options, std::string_view verb) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  return show(context, session.ask(Purpose::look, [&](client::Client& c) {
    return c.force_breaker(options.name, verb, options.reason);
  }));
}

}  // namespace

void add_breakers(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& breakers =
      *program.app().add_subcommand("breakers", "Lists, shows, opens and closes circuit breakers");
  breakers.require_subcommand(1);
  CLI::App& list_command = program.command(breakers, "list", "Lists circuit breakers by name",
                                           [options](const Context& c) { return list(c, *options); });
  list_command.add_option("--state", options->state, "closed, open or half_open")->type_name("STATE");
  const auto add_name = [options](CLI::App& command) {
    command.add_option("breaker", options->name, "Name of the breaker")->required()->type_name("NAME");
  };
  add_name(program.command(breakers, "get", "Shows a circuit breaker",
                           [options](const Context& c) { return get(c, options->name); }));
  const auto add_force = [&](const char* verb, const char* description) {
    CLI::App& command = program.command(
        breakers, verb, description, [options, verb](const Context& c) { return force(c, *options, verb); });
    add_name(command);
    command.add_option("--reason", options->reason, "Why, for others")->type_name("TEXT");
  };
  add_force("open", "Holds everything behind it back, until it is closed or reset");
  add_force("close", "Lets everything through, whatever fails, until it is opened or reset");
  add_force("reset", "Lets it work by itself again, beginning closed");
}

}  // namespace baton::cli
