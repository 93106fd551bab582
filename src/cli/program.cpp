#include "cli/program.hpp"

#include <algorithm>
#include <ranges>
#include <span>

#include "base/text.hpp"
#include "cli/commands/bench.hpp"
#include "cli/commands/commands.hpp"

namespace baton::cli {
namespace {

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

std::string with_suggestion(std::string message, std::string_view word,
                            const std::vector<std::string>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view near = nearest(word, views);
  if (!near.empty()) message += "; did you mean \"" + std::string(near) + "\"?";
  return message;
}

// Where the words lead, and what is wrong with the first that leads nowhere ("" if nothing is).
struct Reading {
  const CLI::App* at = nullptr;
  std::string problem;
};

Reading read_words(const CLI::App& root, int argc, char** argv) {
  const CLI::App* at = &root;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") break;
    if (word.size() > 1 && word[0] == '-') {
      const std::string_view name = word.substr(0, word.find('='));
      if (const CLI::Option* option = at->get_option_no_throw(std::string(name))) {
        if (takes_value(*option) && name.size() == word.size()) ++i;
        continue;
      }
      if (word[1] != '-' && word.size() > 2) continue;  // several short flags in one word
      std::vector<std::string> known;
      for (const CLI::Option* option : at->get_options()) {
        for (const std::string& flag : option->get_lnames()) known.push_back("--" + flag);
      }
      return {at, with_suggestion("unknown flag \"" + printable(name) + "\"", name, known)};
    }
    if (at->get_subcommands({}).empty()) continue;
    std::vector<std::string> known;
    const CLI::App* next = nullptr;
    for (const CLI::App* command : at->get_subcommands({})) {
      if (command->get_name() == word) next = command;
      if (!command->get_group().empty()) known.push_back(command->get_name());
    }
    if (next == nullptr) {
      return {at, with_suggestion("unknown command \"" + printable(word) + "\"", word, known)};
    }
    at = next;
  }
  return {at, ""};
}

// An expression may begin with a minus: whatever is no flag of `baton eval`, and not nearly one, goes behind
// a "--".
std::vector<char*> expression_last(const CLI::App& eval, std::span<char*> words) {
  static char separator[] = "--";
  std::vector<std::string> known;
  for (const CLI::Option* option : eval.get_options()) {
    for (const std::string& flag : option->get_lnames()) known.push_back("--" + flag);
  }
  const std::vector<std::string_view> flags(known.begin(), known.end());
  std::vector<char*> front{words[0], words[1]};
  std::vector<char*> back;
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == separator) {
      back.insert(back.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    }
    const std::string_view name = word.substr(0, word.find('='));
    const CLI::Option* option = word.starts_with('-') ? eval.get_option_no_throw(std::string(name)) : nullptr;
    if (option == nullptr && (!word.starts_with("--") || nearest(name, flags).empty())) {
      back.push_back(words[i]);
      continue;
    }
    front.push_back(words[i]);
    if (option != nullptr && takes_value(*option) && name.size() == word.size() && i + 1 < words.size()) {
      front.push_back(words[++i]);
    }
  }
  if (!back.empty()) front.push_back(separator);
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

// Of this command, the words behind the flag are another program's, whatever they look like.
void end_options_at(std::vector<char*>& words, std::initializer_list<std::string_view> command,
                    std::string_view flag) {
  static char separator[] = "--";
  if (words.size() <= command.size() ||
      !std::equal(command.begin(), command.end(), words.begin() + 1,
                  [](std::string_view name, const char* word) { return name == word; })) {
    return;
  }
  const auto found = std::ranges::find_if(words, [&](const char* word) { return flag == word; });
  if (found != words.end()) *found = separator;
}

std::string path_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : path_of(*parent) + ' ' + app.get_name();
}

std::string help_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return app.help(parent == nullptr ? "" : path_of(*parent));
}

class Formatter final : public CLI::Formatter {
 public:
  Formatter() {
    column_width(34);
    label("REQUIRED", "");
    label("Positionals", "Arguments");
    label("SUBCOMMAND", "COMMAND");
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return "";
    std::string text;
    if (!option->get_option_text().empty()) return " " + option->get_option_text();
    if (!option->get_type_name().empty()) text += " " + option->get_type_name();
    if (option->get_items_expected_max() > 1 ||
        option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll) {
      if (!option->nonpositional()) text += " ...";
    }
    return text;
  }
};

// What adds which commands of the first level, and under which heading; in the order in which help lists
// them.
struct Part {
  std::string_view heading;
  std::string_view commands;
  void (*add)(Program& program);
};

constexpr std::string_view kRun = "Run workflows";
constexpr std::string_view kSee = "See and steer what runs";
constexpr std::string_view kFlow = "Control how work flows";
constexpr std::string_view kWrite = "Write workflows";
constexpr std::string_view kOperate = "Operate servers and workers";
constexpr std::string_view kMore = "More";

constexpr Part kParts[] = {
    {kRun, "run", add_run},
    {kRun, "apply", add_apply},
    {kRun, "start", add_start},
    {kRun, "watch", add_watch},
    {kRun, "logs", add_logs},
    {kRun, "preflight", add_preflight},
    {kSee, "runs", add_runs},
    {kSee, "runs", add_run_steering},
    {kSee, "tasks", add_tasks},
    {kSee, "tasks", add_task_steering},
    {kSee, "explain", add_explain},
    {kSee, "top", add_top},
    {kSee, "signal", add_signal},
    {kSee, "approvals", add_approvals},
    {kSee, "dead-letters", add_dead_letters},
    {kSee, "resources", add_resources},
    {kSee, "workflows", add_workflows},
    {kSee, "cache", add_cache},
    {kFlow, "queues targets workers", add_queues},
    {kFlow, "limits", add_limits},
    {kFlow, "routes", add_routes},
    {kFlow, "breakers", add_breakers},
    {kWrite, "validate", add_validate},
    {kWrite, "test", add_test},
    {kWrite, "simulate", add_simulate},
    {kWrite, "graph", add_graph},
    {kWrite, "fmt", add_fmt},
    {kWrite, "diff", add_diff},
    {kWrite, "eval", add_eval},
    {kWrite, "schema", add_schema},
    {kOperate, "server dev", add_server},
    {kOperate, "worker", add_worker},
    {kOperate, "secrets", add_secrets},
    {kOperate, "keys audit", add_keys},
    {kOperate, "namespaces", add_namespaces},
    {kOperate, "backup restore", add_backup},
    {kOperate, "doctor", add_doctor},
    {kOperate, "support-bundle", add_support_bundle},
    {kOperate, "bench bench-worker", add_bench},
    {kMore, "task", add_task},
    {kMore, "config", add_config},
    {kMore, "context", add_context},
    {kMore, "completion manual", add_completion},
    {kMore, "version", add_version},
};

// What CLI11 calls the group of a command that was given none.
constexpr std::string_view kUngrouped = "Subcommands";
// They look at all commands.
constexpr std::string_view kOfAll = "completion manual";

bool has(std::string_view commands, std::string_view wanted) {
  for (const auto name : std::views::split(commands, ' ')) {
    if (std::string_view(name) == wanted) return true;
  }
  return false;
}

}  // namespace

int Context::fail(const Error& error) const {
  console.error(error.message);
  return info(error.code).exit_code;
}

void say_more(const Context& context, const std::string& cursor) {
  const Format format = context.settings.output;
  if (cursor.empty() || format == Format::json || format == Format::yaml) return;
  context.console.note("there are more: --cursor " + cursor);
}

Program::Program(std::string_view first) : app_("Runs tasks and workflows and does not lose them.", "baton") {
  app_.formatter(std::make_shared<Formatter>());
  app_.set_help_flag("-h,--help", "Shows this help");
  app_.require_subcommand(1);
  const bool one = !has(kOfAll, first) &&
                   std::ranges::any_of(kParts, [&](const Part& part) { return has(part.commands, first); });
  for (const Part& part : kParts) {
    if (one && !has(part.commands, first)) continue;
    part.add(*this);
    for (CLI::App* command : app_.get_subcommands({})) {
      if (command->get_group() == kUngrouped) command->group(std::string(part.heading));  // others are hidden
    }
  }
  app_.footer("Documentation of a command: baton COMMAND --help");
}

CLI::App& Program::command(CLI::App& parent, const std::string& name, const std::string& description,
                           std::function<int(const Context&)> action) {
  CLI::App& command = *parent.add_subcommand(name, description);
  command.add_option("--data", flags_.data, "Data directory (else BATON_DATA, else $XDG_STATE_HOME/baton)")
      ->type_name("DIR");
  command.add_option("--output,-o", flags_.output, "Form of the data: table, json, jsonl or yaml")
      ->type_name("FORM");
  command
      .add_option("--config", flags_.config, "Configuration file (else $XDG_CONFIG_HOME/baton/config.yaml)")
      ->type_name("FILE");
  command
      .add_option("--url", flags_.url,
                  "A server instead of a data directory (else BATON_URL, else the context)")
      ->type_name("URL");
  command
      .add_option("--ca-file", flags_.ca_file,
                  "Certificates to trust, of that server (PEM; else the system's)")
      ->type_name("FILE");
  command
      .add_option("--namespace", flags_.space,
                  "The namespace it is about (else BATON_NAMESPACE, else the context's, else default)")
      ->type_name("NAME");
  command.add_flag("--quiet,-q", flags_.quiet, "Says nothing but data and errors");
  if (name == "server" || name == "dev") {
    command.add_option("--listen", flags_.listen, "Where to listen (else 127.0.0.1:7711)")
        ->type_name("ADDR:PORT");
    command.add_option("--tls-cert", flags_.tls_cert, "Certificate, then its issuers (PEM)")
        ->type_name("FILE");
    command
        .add_option("--trusted-proxy", flags_.trusted_proxies,
                    "Addresses of proxies in front, such as 10.0.0.0/8: they say for whom they ask")
        ->type_name("CIDR");
    command.add_option("--tls-key", flags_.tls_key, "Key of the certificate (PEM)")->type_name("FILE");
  }
  if (name == "run" || name == "server" || name == "dev" || name == "worker") {
    command
        .add_option("--concurrency", flags_.concurrency, "Tasks at a time in this process (else 2 per core)")
        ->type_name("N");
  }
  command.callback([this, action = std::move(action)] { action_ = action; });
  return command;
}

int Program::usage_error(const std::string& message, const CLI::App& at) {
  console_.error(message);
  console_.note("See: " + path_of(at) + " --help");
  return kUsage;
}

int Program::run(int argc, char** argv) {
  std::vector<char*> words(argv, argv + argc);
  if (argc > 2 && std::string_view(argv[1]) == "eval")
    words = expression_last(*app_.get_subcommand("eval"), words);
  end_options_at(words, {"task", "resource", "add"}, "--cleanup-exec");
  end_options_at(words, {"task", "add"}, "--exec");
  argc = static_cast<int>(words.size());
  argv = words.data();
  try {
    app_.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const Reading reading = read_words(app_, argc, argv);
    console_.out(help_of(*reading.at));
    return kOk;
  } catch (const CLI::ParseError& error) {
    const Reading reading = read_words(app_, argc, argv);
    if (!reading.problem.empty()) return usage_error(reading.problem, *reading.at);
    if (!reading.at->get_subcommands({}).empty()) {
      console_.err(help_of(*reading.at));
      return kUsage;
    }
    return usage_error(error.what(), *reading.at);
  }
  if (flags_.quiet) console_.set_quiet();
  const auto settings = load_settings(flags_, process_environment());
  if (!settings) {
    console_.error(settings.error().message);
    return info(settings.error().code).exit_code;
  }
  const int code = action_(Context{*settings, console_});
  if (!console_.written() && !console_.written().error().message.empty()) {
    console_.error(console_.written().error().message);
    return code == kOk ? info(ErrorCode::io).exit_code : code;
  }
  return code;
}

}  // namespace baton::cli
