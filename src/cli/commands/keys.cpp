// baton keys, baton audit: who else may use a server, and who changed what.
#include "cli/commands/commands.hpp"
#include "cli/commands/steer.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/text_width.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct KeyOptions {
  std::string name;
  std::string role;
  std::string expires;
  std::string reason;
  bool everywhere = false;
};

struct AuditOptions {
  std::size_t limit = 50;
  std::string cursor;
};

auto cell(const char* name) {
  return [name](const json::object& row, const Style&) { return cell_of(row, name); };
}
auto time_cell(const char* name) {
  return [name](const json::object& row, const Style&) { return short_time(row, name); };
}

int list_keys(const Context& context) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, [](client::Client& c) { return c.all("keys"); });
  if (!page) return context.fail(page.error());
  const Column columns[] = {{"KEY", cell("name"), false, 1},          {"ROLE", cell("role")},
                            {"NAMESPACE", cell("namespace")},         {"STATUS", cell("status")},
                            {"MADE", time_cell("created_at")},        {"EXPIRES", time_cell("expires_at")},
                            {"LAST USED", time_cell("last_used_at")}, {"BY", cell("created_by"), false, 8},
                            {"REASON", cell("reason"), false, 9}};
  const bool none = page->items.empty();
  print_list(context.console, context.settings.output, std::move(page->items), "", columns);
  if (none && context.settings.output == Format::table)
    context.console.note("no keys: only the user who runs Baton may do anything");
  return kOk;
}

int create_key(const Context& context, const KeyOptions& options) {
  json::object body{{"name", options.name}, {"role", options.role}};
  if (!options.expires.empty()) body["expires_in"] = options.expires;
  if (!options.reason.empty()) body["reason"] = options.reason;
  if (options.everywhere) {
    body["namespace"] = "*";
  } else if (!context.settings.space.empty()) {
    body["namespace"] = context.settings.space;
  }
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto made = session.client().create_key(body);
  if (!made) return context.fail(made.error());
  // The key alone on stdout, so that it can go where it belongs and nowhere else.
  print_object(context.console, context.settings.output, *made,
               [&](const Style&) { return text_of(*made, "key") + '\n'; });
  if (context.settings.output == Format::table)
    context.console.note("the key \"" + options.name + "\", " + cell_of(*made, "role") + " of " +
                         (options.everywhere ? "all namespaces" : cell_of(*made, "namespace")) +
                         ": it is not shown again");
  return kOk;
}

int revoke_key(const Context& context, const KeyOptions& options) {
  return ask_and_show(
      context, [&](client::Client& c) { return c.revoke_key(options.name); },
      [](const json::object& row, const Style&) {
        return cell_of(row, "name") + " lets nobody in any more\n";
      });
}

int list_audit(const Context& context, const AuditOptions& options) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page =
      session.ask(Purpose::look, [&](client::Client& c) { return c.audit(options.limit, options.cursor); });
  if (!page) return context.fail(page.error());
  const Column columns[] = {
      {"NUMBER", cell("number"), true},    {"TIME", time_cell("at")}, {"WHO", cell("actor"), false, 3},
      {"FROM", cell("from"), false, 4},    {"WHAT", cell("action")},  {"TARGET", cell("target"), false, 2},
      {"DETAIL", cell("detail"), false, 9}};
  const std::string next = page->next;
  print_list(context.console, context.settings.output, std::move(page->items), next, columns);
  say_more(context, next);
  return kOk;
}

int verify_audit(const Context& context) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto result = session.ask(Purpose::look, [](client::Client& c) { return c.verify_audit(); });
  if (!result) return context.fail(result.error());
  const json::value* ok = result->if_contains("ok");
  const bool holds = ok != nullptr && ok->is_bool() && ok->get_bool();
  print_object(context.console, context.settings.output, *result, [&](const Style& style) {
    if (!holds) return style.red("the audit was tampered with: ") + cell_of(*result, "problem") + '\n';
    std::string text;
    const json::array& chains = result->at("chains").as_array();
    for (const json::value& chain : chains) {
      const json::object& one = chain.as_object();
      text += (chains.size() > 1 ? cell_of(one, "namespace") + ": " : "") + cell_of(one, "entries") +
              " entries, the chain holds; its head is " + cell_of(one, "head") + '\n';
    }
    return text;
  });
  return holds ? kOk : info(ErrorCode::corrupt).exit_code;
}

}  // namespace

void add_keys(Program& program) {
  const auto options = std::make_shared<KeyOptions>();
  CLI::App& keys = *program.app().add_subcommand("keys", "Makes, lists and revokes keys of a server");
  keys.require_subcommand(1);
  program.command(keys, "list", "Lists keys, without their texts", list_keys);
  CLI::App& create = program.command(keys, "create", "Makes a key and prints it, once",
                                     [options](const Context& c) { return create_key(c, *options); });
  create.add_option("name", options->name, "Its name, which the history and the audit show")
      ->required()
      ->type_name("NAME");
  create.add_option("--role", options->role, "viewer, operator, editor, admin or worker")
      ->required()
      ->type_name("ROLE")
      ->check(CLI::IsMember({"viewer", "operator", "editor", "admin", "worker"}));
  create.add_option("--expires", options->expires, "After how long it is over, such as 90d; else never")
      ->type_name("DURATION");
  create.add_option("--reason", options->reason, "What for, for others")->type_name("TEXT");
  create.add_flag("--all-namespaces", options->everywhere,
                  "Opens all namespaces, and with the role admin the server itself");
  CLI::App& revoke = program.command(keys, "revoke", "Takes a key back, at once",
                                     [options](const Context& c) { return revoke_key(c, *options); });
  revoke.add_option("name", options->name, "Its name")->required()->type_name("NAME");

  const auto which = std::make_shared<AuditOptions>();
  CLI::App& audit = *program.app().add_subcommand("audit", "Shows who changed what");
  audit.require_subcommand(1);
  CLI::App& list = program.command(audit, "list", "Lists changes, newest first",
                                   [which](const Context& c) { return list_audit(c, *which); });
  list.add_option("--limit,-n", which->limit, "At most so many")->type_name("N")->check(CLI::Range(1, 1000));
  list.add_option("--cursor", which->cursor, "Where the page before ended")->type_name("CURSOR");
  program.command(audit, "verify", "Checks that no entry was changed, taken out or put in", verify_audit);
}

}  // namespace baton::cli
