#include <algorithm>
#include <set>
#include <tuple>

#include "cli/commands/commands.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

constexpr Duration kLook = Duration::seconds(1);  // that a run which begins nothing is waited for

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
      // A step with items has none of its own.
      const bool speaks = !cell_of(task, "started_at").empty() && cell_of(task, "items").empty();
      found.push_back({{"id", text_of(task, "id")},
                       {"name", step_of(task)},
                       {"speaks", speaks},
                       {"over", !cell_of(task, "ended_at").empty()}});
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

// What the tasks of a run printed, one after the other. To follow it is to look again for tasks that have
// begun meanwhile, until the run, or all that is meant of it, was over before it was looked.
Status show_run(const Context& context, Session& session, Purpose purpose, const Options& options) {
  const bool follow = options.query.follow;
  std::set<std::string> shown;
  for (bool over = !follow;;) {
    TRY(const auto tasks, session.ask(purpose, [&](client::Client& client) {
      return find_tasks(client, options.id, options.step);
    }));
    if (follow && !options.step.empty())
      over = over || std::ranges::all_of(tasks, [](const auto& task) { return task.at("over").as_bool(); });
    bool more = false;
    for (const boost::json::object& task : tasks) {
      const std::string id = text_of(task, "id");
      if (!task.at("speaks").as_bool() || !shown.insert(id).second) continue;
      if ((tasks.size() > 1 || shown.size() > 1) && !options.query.json) {
        context.console.note(context.console.err_style().bold("── " + cell_of(task, "name")));
      }
      TRY_VOID(print_log(context, session, purpose, id, options.query));
      if (!context.console.written()) return {};
      more = true;
    }
    if (over) return {};
    TRY(const boost::json::object run, session.ask(purpose, [&](client::Client& client) {
      return more ? client.run(options.id) : client.wait(options.id, kLook);
    }));
    over = !cell_of(run, "ended_at").empty();
  }
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
  const auto shown = show_run(context, session, purpose, options);
  return shown ? kOk : context.fail(shown.error());
}

}  // namespace

void add_logs(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = program.command(program.app(), "logs", "Shows what tasks printed",
                                      [options](const Context& context) { return show(context, *options); });
  command.add_option("id", options->id, "Id of a task, or of a run")->required()->type_name("TASK|RUN");
  command.add_option("step", options->step, "Of a run: only this step (name, or name[index])")
      ->type_name("STEP");
  command.add_flag("--follow,-f", options->query.follow, "Goes on until the task, the step or the run has ended");
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
