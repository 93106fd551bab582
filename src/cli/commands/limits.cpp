// baton limits: how much there is of what tasks use, and who has it.
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
  std::uint32_t limit = 0;
  std::string reason;
};

std::string limit_of(const json::object& row) {
  const std::string limit = cell_of(row, "limit");
  return limit.empty() ? "not set" : limit;
}

std::string holders_of(const json::object& row) {
  const auto* holders = row.if_contains("holders");
  if (holders == nullptr || !holders->is_array()) return "";
  std::string text;
  for (const json::value& holder : holders->get_array()) {
    const auto* object = holder.if_object();
    if (object == nullptr) continue;
    if (!text.empty()) text += ", ";
    const std::string step = cell_of(*object, "step");
    text += step.empty() ? "run " + cell_of(*object, "id") : step + " (" + cell_of(*object, "id") + ")";
    if (const std::string amount = cell_of(*object, "amount"); amount != "1") text += " " + amount;
  }
  return text;
}

int list(const Context& context) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, [](client::Client& c) { return c.limits(); });
  if (!page) return context.fail(page.error());
  const Column columns[] = {
      {"LIMIT", [](const json::object& row, const Style&) { return cell_of(row, "name"); }, false, 1},
      {"THERE IS", [](const json::object& row, const Style&) { return limit_of(row); }, true},
      {"IN USE", [](const json::object& row, const Style&) { return cell_of(row, "in_use"); }, true},
      {"WAITING", [](const json::object& row, const Style&) { return cell_of(row, "waiting"); }, true},
      {"HELD BY", [](const json::object& row, const Style&) { return holders_of(row); }, false, 9},
  };
  const bool none = page->items.empty();
  print_list(context.console, context.settings.output, std::move(page->items), "", columns);
  if (none && context.settings.output == Format::table) {
    context.console.note("no limits: none is set, and no running task uses one");
  }
  return kOk;
}

std::string describe(const json::object& row, const Style& style) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += style.dim(pad(name, 10)) + value + '\n';
  };
  line("limit", cell_of(row, "name"));
  line("there is", limit_of(row));
  line("in use", cell_of(row, "in_use"));
  line("waiting", cell_of(row, "waiting"));
  line("held by", holders_of(row));
  line("set by", cell_of(row, "set_by"));
  line("set", short_time(row, "set_at"));
  line("reason", cell_of(row, "reason"));
  return out;
}

template <typename Ask>
int show(const Context& context, Ask ask) {
  return ask_and_show(context, ask,
                      [](const json::object& row, const Style& style) { return describe(row, style); });
}

}  // namespace

void add_limits(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& limits =
      *program.app().add_subcommand("limits", "Lists and sets how much there is of what tasks use");
  limits.require_subcommand(1);
  program.command(limits, "list", "Lists the limits that are set, in use or waited for",
                  [](const Context& c) { return list(c); });
  const auto add_name = [options](CLI::App& command) {
    command.add_option("limit", options->name, "Name of the limit")->required()->type_name("NAME");
  };
  add_name(program.command(limits, "get", "Shows a limit and who holds it", [options](const Context& c) {
    return show(c, [&](client::Client& client) { return client.limit(options->name); });
  }));
  CLI::App& set = program.command(limits, "set", "Says how much there is", [options](const Context& c) {
    return show(c, [&](client::Client& client) {
      return client.set_limit(options->name, options->limit, options->reason);
    });
  });
  add_name(set);
  set.add_option("value", options->limit, "How much there is of it; 0 = nothing that uses it starts")
      ->required()
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000));
  set.add_option("--reason", options->reason, "Why, for others")->type_name("TEXT");
  add_name(program.command(limits, "delete", "Takes away what was set; definitions may say their own",
                           [options](const Context& c) {
                             return show(c, [&](client::Client& client) {
                               return client.delete_limit(options->name);
                             });
                           }));
}

}  // namespace baton::cli
