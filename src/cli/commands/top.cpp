// baton top: queues, workers and runs as they are now; on a terminal, live.
#include <algorithm>
#include <csignal>
#include <optional>

#include "base/duration.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/workers.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/signals.hpp"
#include "cli/text_width.hpp"
#include "cli/view/live.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kRunsShown = 50;

struct Snapshot {
  json::object metrics;
  std::vector<json::object> workers;
  std::vector<json::object> runs;  // that have not ended, newest first
};

Result<Snapshot> look(Session& session) {
  Snapshot snapshot;
  const auto ask = [&](auto question) { return session.ask(Purpose::look, question); };
  TRY(snapshot.metrics, ask([](client::Client& client) { return client.metrics(); }));
  TRY(client::Page workers, ask([](client::Client& client) { return client.all("workers"); }));
  TRY(client::Page runs,
      ask([](client::Client& client) { return client.runs({.state = "active", .limit = kRunsShown}); }));
  snapshot.workers = std::move(workers.items);
  snapshot.runs = std::move(runs.items);
  return snapshot;
}

std::string count(const json::object* of, std::string_view name) {
  return of != nullptr ? std::to_string(whole_number_of(*of, name)) : "0";
}

std::string percent(const json::object* of, std::string_view name) {
  const json::value* rate = of != nullptr ? of->if_contains(name) : nullptr;
  if (rate == nullptr || rate->is_null()) return "–";
  return std::to_string(static_cast<int>(number_of(*of, name) * 100)) + "%";
}

// "2 running, 1 paused": what is not 0.
std::string listed(const json::object* of) {
  std::string text;
  if (of == nullptr) return text;
  for (const auto& [name, value] : *of) {
    const std::int64_t number = whole_number_of(*of, name);
    if (number > 0) text += (text.empty() ? "" : ", ") + std::to_string(number) + ' ' + one_line(name);
  }
  return text.empty() ? "none" : text;
}

std::vector<json::object> objects_of(const json::object& object, std::string_view name) {
  std::vector<json::object> items;
  const json::value* list = object.if_contains(name);
  if (list == nullptr || !list->is_array()) return items;
  for (const json::value& item : list->get_array()) {
    if (item.is_object()) items.push_back(item.get_object());
  }
  return items;
}

Column column(std::string header, std::string name, bool right) {
  return {std::move(header), [name](const json::object& row, const Style&) { return cell_of(row, name); },
          right};
}

std::string text_of(const Snapshot& snapshot, const Style& style, std::size_t width, WallTime now) {
  const auto* runs = object_of(snapshot.metrics, "runs");
  const auto* tasks = object_of(snapshot.metrics, "tasks");
  std::string text = style.bold("runs   ") + listed(runs != nullptr ? object_of(*runs, "open") : nullptr) +
                     "; " + count(runs, "completed") + " completed, " + count(runs, "failed") + " failed, " +
                     percent(runs, "success_rate") + " good, since " + short_time(snapshot.metrics, "since") +
                     '\n';
  text += style.bold("tasks  ") + listed(tasks != nullptr ? object_of(*tasks, "open") : nullptr) + "; " +
          count(tasks, "retries") + " retries, " + count(tasks, "held") + " held, " +
          count(tasks, "dead_letters") + " dead letters\n";

  const Column queue_columns[] = {
      column("QUEUE", "queue", false),
      column("WAITING", "waiting", true),
      column("HELD", "held", true),
      column("PENDING", "pending", true),
      column("RUNNING", "running", true),
      {"OLDEST",
       [](const json::object& row, const Style&) {
         const double oldest = number_of(row, "oldest");
         return oldest > 0 ? short_duration(Duration{static_cast<std::int64_t>(oldest * 1e6)}) : "";
       },
       true}};
  const auto queues = objects_of(snapshot.metrics, "queues");
  if (!queues.empty()) text += '\n' + to_table(queues, queue_columns, style, width);

  if (!snapshot.workers.empty()) text += '\n' + to_table(snapshot.workers, worker_columns(), style, width);

  const Column run_columns[] = {
      column("RUN", "id", false),
      {"WORKFLOW", [](const json::object& row, const Style&) { return cell_of(row, "workflow"); }, false, 1},
      {"STATUS",
       [](const json::object& row, const Style& s) {
         const std::string status = cell_of(row, "status");
         return in_colour_of(status, std::string(symbol(status)) + ' ' + status, s);
       }},
      {"DONE",
       [](const json::object& row, const Style&) {
         return std::to_string(static_cast<int>(number_of(row, "progress"))) + '%';
       },
       true},
      {"DURATION", [now](const json::object& row, const Style&) { return duration_of(row, now); }, true}};
  if (!snapshot.runs.empty()) text += '\n' + to_table(snapshot.runs, run_columns, style, width);
  return text;
}

json::array array_of(std::vector<json::object> items) {
  json::array array;
  for (json::object& item : items) array.push_back(std::move(item));
  return array;
}

int print_once(const Context& context, Snapshot snapshot) {
  json::object report = snapshot.metrics;
  report["workers"] = array_of(snapshot.workers);
  report["active_runs"] = array_of(snapshot.runs);
  print_object(context.console, context.settings.output, report, [&](const Style& style) {
    const bool terminal = context.console.out_is_terminal();
    return text_of(snapshot, style, terminal ? static_cast<std::size_t>(context.console.size().columns) : 0,
                   wall_now());
  });
  return kOk;
}

std::vector<std::string> fitting(const std::string& text, Console::Size size) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size() && lines.size() + 1 < static_cast<std::size_t>(size.rows);) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(fit(std::string_view(text).substr(at, end - at), static_cast<std::size_t>(size.columns)));
    at = end + 1;
  }
  return lines;
}

// Until a signal comes.
int live(const Context& context, Session& session, Signals& signals, Duration every, Snapshot snapshot) {
  Console& console = context.console;
  LiveBlock block(console);
  for (;;) {
    const Console::Size size = console.size();
    block.draw(fitting(
        text_of(snapshot, console.err_style(), static_cast<std::size_t>(size.columns), wall_now()), size));
    if (signals.wait(every)) {
      if (const auto signal = signals.take()) {
        console.err("\n");
        return *signal == SIGINT ? kOk : exit_code_of_signal(*signal);
      }
    }
    auto next = look(session);
    if (!next) {
      block.clear();
      return context.fail(next.error());
    }
    snapshot = std::move(*next);
  }
}

int top(const Context& context, const std::string& every_text, bool once) {
  const auto every = parse_duration(every_text);
  if (!every || every->us < 100'000) {
    return context.fail({ErrorCode::usage, "--every takes a time of at least 100ms, such as 2s", ""});
  }
  const Console& console = context.console;
  const bool redraws =
      !once && console.out_is_terminal() && console.can_redraw() && context.settings.output == Format::table;
  std::optional<Signals> signals;
  if (redraws) signals.emplace();  // before there are other threads
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto snapshot = look(session);
  if (!snapshot) return context.fail(snapshot.error());
  if (!redraws) return print_once(context, std::move(*snapshot));
  return live(context, session, *signals, *every, std::move(*snapshot));
}

}  // namespace

void add_top(Program& program) {
  struct Options {
    std::string every = "1s";
    bool once = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App& command = program.command(
      program.app(), "top", "Shows queues, workers and runs as they are; live on a terminal",
      [options](const Context& context) { return top(context, options->every, options->once); });
  command.add_option("--every", options->every, "How often it looks (1s)")->type_name("TIME");
  command.add_flag("--once", options->once, "Shows it once, also on a terminal");
}

}  // namespace baton::cli
