// baton queues, baton targets: what there is, pauses (of workers, too), and what is set for queues.
#include <charconv>

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
  PauseOptions pause;
};

struct QueueOptions {
  std::string name;
  std::string max_waiting;  // a number or "none"
  std::vector<std::string> weights;
  std::string reason;
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

// How many may wait, and how many stand before it because of that: "100 (12 pending)"
std::string bound_cell(const json::object& row, const Style&) {
  const std::string bound = cell_of(row, "max_waiting");
  const std::string pending = cell_of(row, "pending");
  return bound.empty() || pending == "0" ? bound : bound + " (" + pending + " pending)";
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
  const char* pause;            // what `pause` does
  std::vector<Column> columns;  // none: another file lists them
};

std::vector<Noun> nouns() {
  return {{"queues",
           "queue",
           "Hands out nothing more of a queue until it is resumed; running attempts go on",
           {field("QUEUE", "name", false),
            field("QUEUED", "queued", true),
            field("HELD", "held", true),
            {"MAX WAITING", bound_cell, true},
            field("RUNNING", "running", true),
            field("WORKERS", "workers", true)}},
          {"workers",
           "worker",
           "Hands out nothing more to a worker until it is resumed; running attempts go on",
           {}},
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
  if (!noun.columns.empty()) {
    program.command(parent, "list", std::string("Lists ") + noun.many,
                    [noun](const Context& c) { return list(c, noun); });
  }
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

std::string describe_queue(const json::object& row, const Style& style) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += style.dim(pad(name, 12)) + value + '\n';
  };
  line("queue", cell_of(row, "name"));
  line("queued", cell_of(row, "queued"));
  line("held", cell_of(row, "held"));
  const std::string bound = cell_of(row, "max_waiting");
  line("max waiting", bound.empty() ? "as many as come" : bound);
  line("pending", cell_of(row, "pending"));
  line("running", cell_of(row, "running"));
  line("workers", cell_of(row, "workers"));
  if (const auto* weights = object_of(row, "weights"); weights != nullptr) {
    for (const auto& member : *weights) {
      line("weight", cell_of(*weights, member.key()) + " for " + one_line(member.key()));
    }
  }
  line("set by", cell_of(row, "set_by"));
  line("set", short_time(row, "set_at"));
  line("reason", cell_of(row, "reason"));
  line("paused", pause_cell(row, style));
  return out;
}

int show_queue(const Context& context, const QueueOptions& options) {
  return ask_and_show(context, [&](client::Client& c) { return c.queue(options.name); }, describe_queue);
}

int set_queue(const Context& context, const QueueOptions& options) {
  json::object body;
  if (!options.max_waiting.empty()) {
    std::uint32_t most = 0;
    const char* end = options.max_waiting.data() + options.max_waiting.size();
    const auto read = std::from_chars(options.max_waiting.data(), end, most);
    if (options.max_waiting != "none" && (read.ec != std::errc() || read.ptr != end || most == 0)) {
      return context.fail(
          {ErrorCode::usage,
           "--max-waiting takes a number from 1, or none, not " + one_line(options.max_waiting), ""});
    }
    body["max_waiting"] = most;
  }
  if (!options.weights.empty()) {
    json::object weights;
    if (const Status read = add_pairs(options.weights, "--weight", true, weights); !read) {
      return context.fail(read.error());
    }
    body["weights"] = std::move(weights);
  }
  if (body.empty()) {
    return context.fail({ErrorCode::usage, "say what is to be set: --max-waiting or --weight", ""});
  }
  if (!options.reason.empty()) body["reason"] = options.reason;
  return ask_and_show(
      context, [&](client::Client& c) { return c.set_queue(options.name, body); }, describe_queue);
}

void add_settings(Program& program, CLI::App& queues) {
  const auto options = std::make_shared<QueueOptions>();
  const auto add_name = [options](CLI::App& command) {
    command.add_option("queue", options->name, "Name of the queue")->required()->type_name("NAME");
  };
  add_name(program.command(queues, "get", "Shows a queue and what is set for it",
                           [options](const Context& c) { return show_queue(c, *options); }));
  CLI::App& set = program.command(queues, "set", "Sets how many tasks may wait, and weights of fair keys",
                                  [options](const Context& c) { return set_queue(c, *options); });
  add_name(set);
  set.add_option("--max-waiting", options->max_waiting,
                 "How many tasks may wait in it; none = as many as come")
      ->type_name("N");
  set.add_option("--weight", options->weights,
                 "So many turns of this fair key for one of the others; KEY= for one again (may be repeated)")
      ->type_name("KEY=N");
  set.add_option("--reason", options->reason, "Why, for others")->type_name("TEXT");
}

}  // namespace

void add_queues(Program& program) {
  for (const Noun& noun : nouns()) add(program, noun);
  add_settings(program, *program.app().get_subcommand("queues"));
  add_workers(program);
}

}  // namespace baton::cli
