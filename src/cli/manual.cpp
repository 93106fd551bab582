#include "cli/manual.hpp"

#include <span>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "cli/program.hpp"

namespace baton::cli {
namespace {

// Text within a line: no backslash and no hyphen of it means anything to roff.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\n') {
      out += ' ';
    } else {
      out += c;
    }
  }
  return out;
}

// A line of text: one that begins with a dot or an apostrophe would be a request.
std::string line(std::string_view text) {
  const bool request = text.starts_with('.') || text.starts_with('\'');
  return (request ? "\\&" : "") + escaped(text) + '\n';
}

// In italics: a name that stands for a value.
std::string value_of(const CLI::Option& option) {
  const std::string type = option.get_items_expected_max() > 0 ? option.get_type_name() : "";
  return type.empty() ? "" : " \\fI" + escaped(type) + "\\fR";
}

std::string flag_names(const CLI::Option& option) {
  std::string names;
  const auto add = [&](std::string_view dashes, const std::string& name) {
    names += (names.empty() ? "" : ", ") + ("\\fB" + escaped(std::string(dashes) + name)) + "\\fR";
  };
  for (const std::string& name : option.get_snames()) add("-", name);
  for (const std::string& name : option.get_lnames()) add("--", name);
  return names + value_of(option);
}

// Flags that every command has stand once, in a section of their own.
bool is_shared(const CLI::Option& option) {
  for (const std::string_view name : {"--help", "--data", "--output", "--config", "--quiet"}) {
    if (option.check_name(std::string(name))) return true;
  }
  return false;
}

std::string options_of(const CLI::App& app, bool shared) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional() || is_shared(*option) != shared) continue;
    out += ".TP\n" + flag_names(*option) + '\n' + line(option->get_description());
  }
  return out;
}

std::string synopsis_of(const CLI::App& app, const std::string& path) {
  std::string out = "\\fB" + escaped(path) + "\\fR";
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) continue;
    const std::string name = escaped(option->get_name(true));
    out += option->get_required() ? " \\fI" + name + "\\fR" : " [\\fI" + name + "\\fR]";
  }
  return out;
}

void commands_of(const CLI::App& app, const std::string& path, std::string& out) {
  const auto commands = app.get_subcommands({});
  if (commands.empty()) {
    out += ".SS " + synopsis_of(app, path) + '\n' + line(app.get_description());
    for (const CLI::Option* option : app.get_options()) {
      if (option->nonpositional()) continue;
      out += ".TP\n\\fI" + escaped(option->get_name(true)) + "\\fR\n" + line(option->get_description());
    }
    out += options_of(app, false);
  }
  for (const CLI::App* command : commands) {
    if (!command->get_group().empty()) commands_of(*command, path + ' ' + command->get_name(), out);
  }
}

// Any command that has them all.
const CLI::App* leaf_of(const CLI::App& app) {
  const auto commands = app.get_subcommands({});
  return commands.empty() ? &app : leaf_of(*commands.front());
}

}  // namespace

std::string manual_page(const CLI::App& app) {
  std::string out = ".TH BATON 1 \"\" \"baton " + escaped(kVersion) + "\" \"User Commands\"\n";
  out += ".SH NAME\nbaton \\- runs tasks and workflows and does not lose them\n";
  out += ".SH SYNOPSIS\n\\fBbaton\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n";
  out += ".SH DESCRIPTION\n" + line(app.get_description());
  out += line(
      "Commands share a data directory; whichever of them finds it without an owner owns it for its time.");
  out += ".SH COMMON OPTIONS\n" + options_of(*leaf_of(app), true);
  out += ".SH COMMANDS\n";
  commands_of(app, "baton", out);
  out += ".SH EXIT STATUS\n";
  constexpr std::pair<const char*, const char*> kCodes[] = {
      {"0", "all went well"},
      {"1", "failure"},
      {"2", "wrong usage, or an invalid definition or input"},
      {"3", "the run that was waited for failed or was cancelled"},
      {"4", "not allowed"},
      {"5", "not found"},
      {"6", "conflict"},
      {"7", "the wait timed out"},
      {"8", "the owner cannot be reached or takes no writes at the moment"},
      {"74", "stored data is damaged, or an I/O error"},
      {"78", "wrong configuration"},
      {"130, 143", "this process was ended by SIGINT, SIGTERM"},
  };
  for (const auto& [code, meaning] : kCodes) out += std::string(".TP\n") + code + '\n' + line(meaning);
  out += ".SH FILES\n";
  constexpr std::pair<const char*, const char*> kFiles[] = {
      {"$XDG_STATE_HOME/baton, ~/.local/state/baton",
       "the data directory, unless --data or BATON_DATA says another one"},
      {"/var/lib/baton", "that of the service"},
      {"$XDG_CONFIG_HOME/baton/config.yaml", "the configuration"},
      {"/etc/baton/config.yaml", "that of the service"},
  };
  for (const auto& [file, meaning] : kFiles) out += ".TP\n\\fI" + escaped(file) + "\\fR\n" + line(meaning);
  out += ".SH SEE ALSO\n/usr/share/doc/baton/docs/index.md\n";
  return out;
}

}  // namespace baton::cli
