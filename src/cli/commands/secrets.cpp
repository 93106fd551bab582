// baton secrets: values that definitions name and nobody sees. A value never comes by an argument.
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <tuple>

#include "cli/commands/commands.hpp"
#include "cli/commands/steer.hpp"
#include "cli/files.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/text_width.hpp"
#include "cli/words.hpp"
#include "model/secret.hpp"
#include "secrets/vault.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct SecretOptions {
  std::string name;
  std::string file;
  std::string reason;
};

auto cell(const char* name) {
  return [name](const json::object& row, const Style&) { return cell_of(row, name); };
}
auto time_cell(const char* name) {
  return [name](const json::object& row, const Style&) { return short_time(row, name); };
}

// A terminal that does not show what is typed, and hands over Ctrl-C as a character: the terminal must not be
// left like this.
class Hidden {
 public:
  Hidden() : changed_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!changed_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    changed_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;
  ~Hidden() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  bool hides() const { return changed_; }

 private:
  termios before_{};
  bool changed_;
};

constexpr char kCtrlC = 3;

Result<std::string> ask_for(const std::string& name) {
  const Hidden hidden;
  if (!hidden.hides())
    return fail(ErrorCode::io, "cannot keep this terminal from showing what is typed; use --file");
  const std::string prompt = "value of " + name + " (not shown): ";
  std::ignore = ::write(STDERR_FILENO, prompt.data(), prompt.size());
  std::string value;
  char c = 0;
  while (value.size() <= model::kMaxSecretValue) {
    const ssize_t n = ::read(STDIN_FILENO, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || c == '\n' || c == kCtrlC) break;
    value += c;
  }
  std::ignore = ::write(STDERR_FILENO, "\n", 1);
  if (c == kCtrlC) return fail(ErrorCode::interrupted, "interrupted; nothing was changed");
  return value;
}

// What was typed, or the whole of standard input or a file, without one line end at its end: editors and
// `echo` put it there.
Result<std::string> read_value(const SecretOptions& options) {
  if (options.file.empty() && ::isatty(STDIN_FILENO) == 1) return ask_for(options.name);
  TRY(std::string value,
      read_text_file(options.file.empty() ? "-" : options.file, model::kMaxSecretValue + 2));
  if (value.ends_with('\n')) value.pop_back();
  if (value.ends_with('\r')) value.pop_back();
  TRY_VOID(secrets::check_value(value));  // bytes that are no text could not even be sent
  return value;
}

int set_secret(const Context& context, const SecretOptions& options) {
  const auto value = read_value(options);
  if (!value) return context.fail(value.error());
  json::object body{{"value", *value}};
  if (!options.reason.empty()) body["reason"] = options.reason;
  return ask_and_show(
      context, [&](client::Client& c) { return c.set_secret(options.name, body); },
      [](const json::object& row, const Style&) {
        return "secret " + cell_of(row, "name") + " is set (version " + cell_of(row, "version") +
               "); the next attempts get it\n";
      });
}

int list_secrets(const Context& context) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, [](client::Client& c) { return c.all("secrets"); });
  if (!page) return context.fail(page.error());
  const Column columns[] = {{"SECRET", cell("name"), false, 1},    {"STATUS", cell("status")},
                            {"VERSION", cell("version"), true},    {"CHANGED", time_cell("changed_at")},
                            {"BY", cell("changed_by"), false, 8},  {"REASON", cell("reason"), false, 9},
                            {"PROBLEM", cell("problem"), false, 2}};
  const bool none = page->items.empty();
  print_list(context.console, context.settings.output, std::move(page->items), "", columns);
  if (none && context.settings.output == Format::table)
    context.console.note("no secrets; baton secrets set NAME makes one");
  return kOk;
}

int delete_secret(const Context& context, const SecretOptions& options) {
  return ask_and_show(
      context, [&](client::Client& c) { return c.delete_secret(options.name); },
      [](const json::object& row, const Style&) {
        return "secret " + cell_of(row, "name") + " is deleted\n";
      });
}

}  // namespace

void add_secrets(Program& program) {
  const auto options = std::make_shared<SecretOptions>();
  CLI::App& secrets =
      *program.app().add_subcommand("secrets", "Keeps values that definitions name and nobody sees");
  secrets.require_subcommand(1);
  CLI::App& set = program.command(secrets, "set", "Sets a value, which comes from standard input or a file",
                                  [options](const Context& c) { return set_secret(c, *options); });
  set.add_option("name", options->name, "Its name: ${{ secrets.NAME }}")->required()->type_name("NAME");
  set.add_option("--file,-f", options->file, "Where the value stands; without it standard input, or a prompt")
      ->type_name("FILE");
  set.add_option("--reason", options->reason, "What for, for others")->type_name("TEXT");
  program.command(secrets, "list", "Lists secrets, without their values", list_secrets);
  CLI::App& remove = program.command(secrets, "delete", "Deletes a secret with its value",
                                     [options](const Context& c) { return delete_secret(c, *options); });
  remove.add_option("name", options->name, "Its name")->required()->type_name("NAME");
}

}  // namespace baton::cli
