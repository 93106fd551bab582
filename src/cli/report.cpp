#include "cli/report.hpp"

#include "base/text.hpp"
#include "cli/view/tree.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kLogsShown = 3;
constexpr std::size_t kLogLines = 10;

Status print_json(Session& session, Console& console, Format format, const std::string& id) {
  TRY(const json::object run,
      session.ask(Purpose::look, [&](client::Client& client) { return client.run(id); }));
  RunText text(format);
  console.out(text.begin(run));
  std::string cursor;
  do {
    TRY(const client::Page page,
        session.ask(Purpose::look, [&](client::Client& client) { return client.tasks(id, 1000, cursor); }));
    for (const json::object& task : page.items) console.out(text.add(task));
    cursor = page.next;
  } while (!cursor.empty());
  console.out(text.end());
  return {};
}

std::string tree(const RunModel& model, const Console& console, const std::string& run) {
  TreeOptions options;
  options.columns = console.out_is_terminal() ? static_cast<std::size_t>(console.size().columns) - 1 : 120;
  options.rows = 60;
  options.run_id = run;
  options.style = console.out_style();
  std::string out;
  for (const std::string& line : tree_lines(model, wall_now(), options)) {
    out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return out;
}

// Each line behind `margin`, control characters made visible.
std::string indented(std::string_view text, const std::string& margin) {
  std::string out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    out += margin + printable(line) + '\n';
  }
  return out.empty() ? margin + '\n' : out;
}

// The end of a task's log, indented.
std::string end_of_log(Session& session, const std::string& task, const Style& style) {
  std::string log;
  client::LogQuery query;
  query.tail = kLogLines;
  const auto read = session.ask(Purpose::look, [&](client::Client& client) {
    log.clear();
    return client.logs(task, query, [&](std::string_view text) {
      log += text;
      return log.size() < (64 << 10);
    });
  });
  if (!read || log.empty()) return "";
  return indented(log, style.dim("  │ "));
}

std::string failures(Session& session, const RunModel& model, const Style& style) {
  std::string out;
  std::size_t shown = 0;
  for (const FailedTask& task : model.failures()) {
    out += '\n' + style.red("✗ " + task.name) + "  " + printable(task.type) + ": ";
    out += indented(task.message, "    ").substr(4);
    if (++shown <= kLogsShown) out += end_of_log(session, task.id, style);
  }
  if (model.failed_tasks() > model.failures().size()) {
    out += "… and " + std::to_string(model.failed_tasks() - model.failures().size()) + " more failed tasks\n";
  }
  return out;
}

std::string leaks(const RunModel& model, const std::string& run, const Style& style) {
  if (model.leaks().empty()) return "";
  std::string out = "\n";
  for (const LeakedResource& leak : model.leaks()) {
    out +=
        style.red("! not given back: " + leak.name + " of " + leak.of) + "  " + printable(leak.reason) + '\n';
  }
  return out + "when that is mended: baton resources cleanup --run " + run + '\n';
}

}  // namespace

Status report(Session& session, Console& console, Format format, const std::string& run,
              const RunModel& model) {
  if (format != Format::table) {
    TRY_VOID(print_json(session, console, format, run));
    if (!console.quiet()) {
      console.err(failures(session, model, console.err_style()) + leaks(model, run, console.err_style()));
    }
    return {};
  }
  if (console.quiet()) return {};
  std::string text = tree(model, console, run) + failures(session, model, console.out_style()) +
                     leaks(model, run, console.out_style());
  if (model.status() != "completed") {
    text += '\n' + console.out_style().dim("run " + run) + '\n';
  }
  console.out(text);
  return {};
}

}  // namespace baton::cli
