#include <tuple>

#include "cli/commands/commands.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

struct Options {
  std::string id;    // of a task or a run
  std::string step;  // name, or name[index]
  client::LogQuery query;
  std::size_t tail = 0;
  bool has_tail = false;
  std::string since;
  std::string until;
};

// The tasks of a run that `step` means ("" = all), in the order of steps.
Result<std::vector<boost::json::object>> find_tasks(client::Client& client, const std::string& run,
                                                    const std::string& step) {
  std::vector<boost::json::object> found;
  std::string cursor;
  bool exists = false;
  do {
    TRY(client::Page page, client.tasks(run, 1000, cursor));
    for (boost::json::object& task : page.items) {
      const std::string name = cell_of(task, "step");
      const std::string index = cell_of(task, "index");
      if (!step.empty() && step != name && step != name + '[' + index + ']' && step != step_of(task))
        continue;
      exists = true;
      found.push_back({{"id", text_of(task, "id")},
                       {"name", step_of(task)},
                       {"started", !cell_of(task, "started_at").empty()}});
    }
    cursor = page.next;
  } while (!cursor.empty());
  if (!exists && !step.empty()) return fail(ErrorCode::not_found, "the run has no step \"" + step + "\"");
  return found;
}

// An owner that goes away before the first byte is followed by the next one.
Status print_log(const Context& context, Session& session, Purpose purpose, const std::string& task,
                 const client::LogQuery& query) {
  std::optional<Error> torn;
  TRY_VOID(session.ask(purpose, [&](client::Client& client) -> Status {
    bool begun = false;
    Status printed = client.logs(task, query, [&](std::string_view text) {
      begun = true;
      context.console.out(text);
      return context.console.written().has_value();
    });
    if (printed || !begun) return printed;
    torn = std::move(printed).error();
    return {};
  }));
  if (torn) return fail(std::move(*torn));
  return {};
}

int show(const Context& context, Options options) {
  if (options.has_tail) options.query.tail = options.tail;
  for (const auto& [flag, text, time] : {std::tuple{"--since", &options.since, &options.query.since},
                                         std::tuple{"--until", &options.until, &options.query.until}}) {
    if (text->empty()) continue;
    const auto at = instant_of(flag, *text);
    if (!at) return context.fail(at.error());
    *time = *at;
  }
  if (options.query.until && options.query.follow)
    return context.fail({ErrorCode::usage, "--follow and --until exclude each other", ""});
  const Format format = context.settings.output;
  options.query.json = format == Format::json || format == Format::jsonl;
  // A terminal gets control characters made visible, a file or program the bytes as they were.
  options.query.raw = !context.console.out_is_terminal();
  Session session(context.settings, context.console);
  // What is followed has to be executed by somebody.
  const Purpose purpose = options.query.follow ? Purpose::background : Purpose::look;
  if (const auto opened = session.open(purpose); !opened) return context.fail(opened.error());

  const bool is_task = options.id.find('.') != std::string::npos;
  if (is_task) {
    if (!options.step.empty())
      return context.fail({ErrorCode::usage, "a task has no steps: baton logs TASK", ""});
    const auto printed = print_log(context, session, purpose, options.id, options.query);
    return printed ? kOk : context.fail(printed.error());
  }
  const auto tasks = session.ask(
      purpose, [&](client::Client& client) { return find_tasks(client, options.id, options.step); });
  if (!tasks) return context.fail(tasks.error());
  for (const boost::json::object& task : *tasks) {
    if (!task.at("started").as_bool() && !options.query.follow) continue;
    if (tasks->size() > 1 && !options.query.json) {
      context.console.note(context.console.err_style().bold("── " + cell_of(task, "name")));
    }
    const auto printed = print_log(context, session, purpose, text_of(task, "id"), options.query);
    if (!printed) return context.fail(printed.error());
    if (!context.console.written()) break;
  }
  return kOk;
}

}  // namespace

void add_logs(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = program.command(program.app(), "logs", "Shows what tasks printed",
                                      [options](const Context& context) { return show(context, *options); });
  command.add_option("id", options->id, "Id of a task, or of a run")->required()->type_name("TASK|RUN");
  command.add_option("step", options->step, "Of a run: only this step (name, or name[index])")
      ->type_name("STEP");
  command.add_flag("--follow,-f", options->query.follow, "Goes on until the task has ended");
  command.add_option("--attempt", options->query.attempt, "Of this attempt, not of the last one")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  command
      .add_option_function<std::size_t>(
          "--tail",
          [options](const std::size_t& lines) {
            options->tail = lines;
            options->has_tail = true;
          },
          "Begins with the last so many lines")
      ->type_name("N");
  command.add_option("--since", options->since, "Only what was printed since then (10m: so long ago)")
      ->type_name("TIME");
  command.add_option("--until", options->until, "Only what was printed before then")->type_name("TIME");
  command.add_flag("--timestamps,-t", options->query.timestamps, "Time before each line");
}

}  // namespace baton::cli
