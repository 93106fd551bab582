// baton queues, baton workers, baton targets: what there is, and pauses.
#include "cli/commands/commands.hpp"
#include "cli/commands/steer.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string name;
  PauseOptions pause;
};

std::string pause_cell(const json::object& row, const Style&) {
  const auto* pause = object_of(row, "pause");
  if (pause == nullptr) return "";
  std::string text = "by " + cell_of(*pause, "by");
  const std::string until = short_time(*pause, "until");
  if (!until.empty()) text += " until " + until;
  const std::string reason = cell_of(*pause, "reason");
  return reason.empty() ? text : text + ": " + reason;
}

std::string queues_cell(const json::object& row, const Style&) {
  const auto* queues = row.if_contains("queues");
  if (queues == nullptr || !queues->is_array()) return "all";
  std::string text;
  for (const json::value& queue : queues->get_array()) {
    if (queue.is_string()) text += (text.empty() ? "" : ", ") + one_line(queue.get_string());
  }
  return text;
}

Column field(std::string header, std::string name, bool right) {
  return {std::move(header), [name](const json::object& row, const Style&) { return cell_of(row, name); },
          right};
}

// "nlp, open"
std::string breaker_cell(const json::object& row, const Style& style) {
  const auto* breaker = object_of(row, "breaker");
  if (breaker == nullptr) return "";
  const std::string forced = cell_of(*breaker, "forced");
  const std::string state = forced.empty() ? cell_of(*breaker, "state") : forced + " (forced)";
  return cell_of(*breaker, "name") + ", " + (state.starts_with("open") ? style.red(state) : state);
}

struct Noun {
  const char* many;
  const char* one;
  const char* pause;  // what `pause` does
  std::vector<Column> columns;
};

std::vector<Noun> nouns() {
  return {{"queues",
           "queue",
           "Hands out nothing more of a queue until it is resumed; running attempts go on",
           {field("QUEUE", "name", false), field("QUEUED", "queued", true), field("HELD", "held", true),
            field("RUNNING", "running", true), field("WORKERS", "workers", true)}},
          {"workers",
           "worker",
           "Hands out nothing more to a worker until it is resumed; running attempts go on",
           {field("WORKER", "name", false),
            field("STATUS", "status", false),
            field("ATTEMPTS", "attempts", true),
            {"QUEUES", queues_cell, false, 1}}},
          {"targets",
           "target",
           "Starts no step that uses the service until it is resumed; running attempts go on",
           {field("TARGET", "name", false),
            field("RUNNING", "running", true),
            field("HELD", "held", true),
            {"BREAKER", breaker_cell, false, 1}}}};
}

int list(const Context& context, const Noun& noun) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, [&](client::Client& c) { return c.all(noun.many); });
  if (!page) return context.fail(page.error());
  std::vector<Column> columns = noun.columns;
  columns.push_back({"PAUSED", pause_cell, false, 9});
  const bool none = page->items.empty();
  print_list(context.console, context.settings.output, std::move(page->items), "", columns);
  if (none && context.settings.output == Format::table) context.console.note(std::string("no ") + noun.many);
  return kOk;
}

int steer(const Context& context, const Options& options, const Noun& noun, bool pause) {
  const json::object body = pause ? options.pause.body() : json::object();
  const char* verb = pause ? "pause" : "resume";
  return ask_and_show(
      context, [&](client::Client& c) { return c.steer(noun.many, options.name, verb, body); },
      [&](const json::object&, const Style&) {
        return std::string(noun.one) + ' ' + one_line(options.name) + (pause ? " is paused\n" : " goes on\n");
      });
}

void add(Program& program, const Noun& noun) {
  const auto options = std::make_shared<Options>();
  CLI::App& parent =
      *program.app().add_subcommand(noun.many, std::string("Lists, pauses and resumes ") + noun.many);
  parent.require_subcommand(1);
  program.command(parent, "list", std::string("Lists ") + noun.many,
                  [noun](const Context& c) { return list(c, noun); });
  const auto add_name = [&](CLI::App& command) {
    command.add_option(noun.one, options->name, std::string("Name of the ") + noun.one)
        ->required()
        ->type_name("NAME");
  };
  CLI::App& pause = program.command(parent, "pause", noun.pause, [options, noun](const Context& c) {
    return steer(c, *options, noun, true);
  });
  add_name(pause);
  options->pause.add_to(pause);
  add_name(program.command(parent, "resume", std::string("Lets a paused ") + noun.one + " go on",
                           [options, noun](const Context& c) { return steer(c, *options, noun, false); }));
}

}  // namespace

void add_queues(Program& program) {
  for (const Noun& noun : nouns()) add(program, noun);
}

}  // namespace baton::cli
