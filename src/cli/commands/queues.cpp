// baton queues, baton workers: what there is, and pauses.
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

int list(const Context& context, bool queues) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page =
      session.ask(Purpose::look, [&](client::Client& c) { return queues ? c.queues() : c.workers(); });
  if (!page) return context.fail(page.error());
  std::vector<Column> columns;
  if (queues) {
    columns = {field("QUEUE", "name", false), field("QUEUED", "queued", true), field("HELD", "held", true),
               field("RUNNING", "running", true), field("WORKERS", "workers", true)};
  } else {
    columns = {field("WORKER", "name", false),
               field("STATUS", "status", false),
               field("ATTEMPTS", "attempts", true),
               {"QUEUES", queues_cell, false, 1}};
  }
  columns.push_back({"PAUSED", pause_cell, false, 9});
  const bool none = page->items.empty();
  print_list(context.console, context.settings.output, std::move(page->items), "", columns);
  if (none && context.settings.output == Format::table)
    context.console.note(queues ? "no queues" : "no workers");
  return kOk;
}

int steer(const Context& context, const Options& options, bool queue, bool pause) {
  const json::object body = pause ? options.pause.body() : json::object();
  const char* verb = pause ? "pause" : "resume";
  return ask_and_show(
      context,
      [&](client::Client& c) {
        return queue ? c.steer_queue(options.name, verb, body) : c.steer_worker(options.name, verb, body);
      },
      [&](const json::object&, const Style&) {
        return std::string(queue ? "queue " : "worker ") + one_line(options.name) +
               (pause ? " is paused\n" : " goes on\n");
      });
}

void add(Program& program, const char* noun, const char* one, bool queue) {
  const auto options = std::make_shared<Options>();
  CLI::App& parent = *program.app().add_subcommand(noun, std::string("Lists, pauses and resumes ") + noun);
  parent.require_subcommand(1);
  program.command(parent, "list", std::string("Lists ") + noun,
                  [queue](const Context& c) { return list(c, queue); });
  const auto add_name = [&](CLI::App& command) {
    command.add_option(one, options->name, std::string("Name of the ") + one)->required()->type_name("NAME");
  };
  CLI::App& pause =
      program.command(parent, "pause",
                      std::string("Hands out nothing more ") + (queue ? "of a queue" : "to a worker") +
                          " until it is resumed; running attempts go on",
                      [options, queue](const Context& c) { return steer(c, *options, queue, true); });
  add_name(pause);
  options->pause.add_to(pause);
  add_name(program.command(parent, "resume", std::string("Lets a paused ") + one + " go on",
                           [options, queue](const Context& c) { return steer(c, *options, queue, false); }));
}

}  // namespace

void add_queues(Program& program) {
  add(program, "queues", "queue", true);
}

void add_workers(Program& program) {
  add(program, "workers", "worker", false);
}

}  // namespace baton::cli
