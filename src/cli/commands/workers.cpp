// baton workers: who is there, and that one is to end. Pauses: queues.cpp.
#include "cli/commands/workers.hpp"

#include "base/text.hpp"
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
  std::string tag;
};

bool has(const json::object& row, std::string_view name) {
  const json::value* value = row.if_contains(name);
  return value != nullptr && !value->is_null();
}

// "a, b", or `none` if there are none.
std::string joined(const json::object& row, std::string_view name, std::string_view none) {
  const json::value* list = row.if_contains(name);
  std::string text;
  if (list != nullptr && list->is_array()) {
    for (const json::value& item : list->get_array()) {
      if (item.is_string()) text += (text.empty() ? "" : ", ") + one_line(item.get_string());
    }
  }
  return text.empty() ? std::string(none) : text;
}

// "3/8"
std::string attempts_cell(const json::object& row, const Style&) {
  return cell_of(row, "attempts") + (has(row, "concurrency") ? "/" + cell_of(row, "concurrency") : "");
}

std::string status_cell(const json::object& row, const Style&) {
  const json::value* draining = row.if_contains("draining");
  const bool ends = draining != nullptr && draining->is_bool() && draining->get_bool();
  return cell_of(row, "status") + (ends ? ", draining" : "");
}

// "152%" of one core
std::string cpu_cell(const json::object& row, const Style&) {
  return has(row, "cpu_percent") ? std::to_string(static_cast<int>(number_of(row, "cpu_percent") + 0.5)) + '%'
                                 : "";
}

std::string memory_cell(const json::object& row, const Style&) {
  if (!has(row, "memory_bytes")) return "";
  return std::to_string((whole_number_of(row, "memory_bytes") + (1 << 19)) >> 20) + " MiB";
}

std::string pause_line(const json::object& row) {
  const auto* pause = object_of(row, "pause");
  if (pause == nullptr) return "";
  const std::string until = short_time(*pause, "until");
  const std::string reason = cell_of(*pause, "reason");
  return "by " + cell_of(*pause, "by") + (until.empty() ? "" : " until " + until) +
         (reason.empty() ? "" : ": " + reason);
}

Column field(std::string header, std::string name) {
  return {std::move(header), [name](const json::object& row, const Style&) { return cell_of(row, name); },
          false};
}

int list(const Context& context, const Options& options) {
  if (!options.tag.empty() && !is_name(options.tag))
    return context.fail({ErrorCode::usage, "--tag: a tag has letters, digits, . _ -", ""});
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto page = session.ask(Purpose::look, [&](client::Client& c) { return c.workers(options.tag); });
  if (!page) return context.fail(page.error());
  std::vector<Column> columns = worker_columns();
  columns.push_back(
      {"TAGS", [](const json::object& row, const Style&) { return joined(row, "tags", ""); }, false, 1});
  columns.push_back({"QUEUES",
                     [](const json::object& row, const Style&) { return joined(row, "queues", "all"); },
                     false, 2});
  columns.push_back(
      {"PAUSED", [](const json::object& row, const Style&) { return pause_line(row); }, false, 9});
  const bool none = page->items.empty();
  print_list(context.console, context.settings.output, std::move(page->items), "", columns);
  if (none && context.settings.output == Format::table) {
    context.console.note(options.tag.empty() ? std::string("no workers")
                                             : "no workers with the tag " + one_line(options.tag));
  }
  return kOk;
}

std::string describe(const json::object& row, const Style& style) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += style.dim(pad(name, 12)) + value + '\n';
  };
  const json::value* own = row.if_contains("in_process");
  line("worker", cell_of(row, "name"));
  line("status", status_cell(row, style));
  line("where", own != nullptr && own->is_bool() && own->get_bool() ? "in the server's process" : "");
  line("attempts", attempts_cell(row, style));
  line("cpu", cpu_cell(row, style));
  line("memory", memory_cell(row, style));
  line("tags", joined(row, "tags", ""));
  line("queues", joined(row, "queues", "all"));
  const json::value* steps = row.if_contains("steps");
  line("steps", steps != nullptr && steps->is_bool() && steps->get_bool() ? "run, exec, http" : "");
  line("functions", joined(row, "functions", ""));
  line("heard", short_time(row, "heard_at"));
  line("paused", pause_line(row));
  return out;
}

int drain(const Context& context, const Options& options) {
  return ask_and_show(
      context, [&](client::Client& c) { return c.steer("workers", options.name, "drain", {}); },
      [&](const json::object&, const Style&) {
        return "worker " + one_line(options.name) +
               " takes nothing more; it hears of that soon, and ends when it has done what it has\n";
      });
}

}  // namespace

std::vector<Column> worker_columns() {
  return {field("WORKER", "name"),
          {"STATUS", status_cell},
          {"ATTEMPTS", attempts_cell, true},
          {"CPU", cpu_cell, true},
          {"MEMORY", memory_cell, true}};
}

void add_workers(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& workers = *program.app().get_subcommand("workers");
  program.command(workers, "list", "Lists workers", [options](const Context& c) { return list(c, *options); })
      .add_option("--tag", options->tag, "Only those that have this tag")
      ->type_name("TAG");
  const auto add_name = [options](CLI::App& command) {
    command.add_option("worker", options->name, "Name of the worker")->required()->type_name("NAME");
  };
  add_name(program.command(workers, "get", "Shows a worker", [options](const Context& context) {
    return ask_and_show(context, [&](client::Client& c) { return c.worker(options->name); }, describe);
  }));
  add_name(program.command(workers, "drain", "Lets a worker end when it has done what it has",
                           [options](const Context& c) { return drain(c, *options); }));
}

}  // namespace baton::cli
