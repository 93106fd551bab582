// What people tell a run that waits: signals, and answers to its questions.
#include <algorithm>
#include <iterator>

#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "base/text.hpp"
#include "cli/commands/commands.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

struct Options {
  std::string run;
  std::string name;
  std::string step;
  std::string value;
  std::string reason;
  std::string key;
};

Result<json::value> value_of(const std::string& text) {
  if (text.empty()) return json::value();
  boost::system::error_code error;
  json::value value = parse_json(text, error, {}, {.max_depth = kReadJsonDepth});
  if (error) {
    return fail(ErrorCode::usage,
                "--value is not JSON: " + error.message() + R"(; a text stands in quotes, as '"text"')");
  }
  return value;
}

int send(const Context& context, const Options& options) {
  const auto value = value_of(options.value);
  if (!value) return context.fail(value.error());
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto sent = session.ask(Purpose::look, [&](client::Client& c) {
    return c.signal(options.run, options.name, *value, options.key);
  });
  if (!sent) return context.fail(sent.error());
  print_object(context.console, context.settings.output, *sent,
               [&](const Style&) { return "signal " + options.name + " sent to run " + options.run + "\n"; });
  return kOk;
}

// Of one run, or of all.
Result<std::vector<json::object>> open_approvals(Session& session, const std::string& run) {
  std::vector<json::object> items;
  std::string cursor;
  do {
    TRY(client::Page page,
        session.ask(Purpose::look, [&](client::Client& c) { return c.approvals(run, cursor); }));
    std::ranges::move(page.items, std::back_inserter(items));
    cursor = page.next;
  } while (!cursor.empty());
  return items;
}

int list(const Context& context, const Options& options) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  auto items = open_approvals(session, options.run);
  if (!items) return context.fail(items.error());
  const Column columns[] = {
      {"RUN", [](const json::object& row, const Style&) { return cell_of(row, "run"); }},
      {"WORKFLOW", [](const json::object& row, const Style&) { return cell_of(row, "workflow"); }, false, 2},
      {"STEP", [](const json::object& row, const Style&) { return step_of(row); }, false, 1},
      {"ASKED", [](const json::object& row, const Style&) { return short_time(row, "asked_at"); }},
      {"UNTIL", [](const json::object& row, const Style&) { return short_time(row, "until"); }},
      {"QUESTION", [](const json::object& row, const Style&) { return cell_of(row, "question"); }, false, 9},
  };
  const bool none = items->empty();
  print_list(context.console, context.settings.output, std::move(*items), "", columns);
  if (none && context.settings.output == Format::table) context.console.note("nothing waits for an approval");
  return kOk;
}

// The task that waits for an answer: the one of that step, or the only one there is.
Result<std::string> asking_task(Session& session, const Options& options) {
  // A wrong id is said to be wrong before anything else.
  TRY_VOID(session.ask(Purpose::look, [&](client::Client& c) { return c.run(options.run); }));
  TRY(const std::vector<json::object> asking, open_approvals(session, options.run));
  std::vector<std::string> steps;
  std::string listed;
  for (const json::object& approval : asking) {
    steps.push_back(step_of(approval));
    listed += (listed.empty() ? "" : ", ") + steps.back();
  }
  const std::string run = "run " + options.run;
  if (asking.empty()) return fail(ErrorCode::conflict, run + " waits for no approval");
  if (options.step.empty()) {
    if (asking.size() == 1) return cell_of(asking[0], "task");
    return fail(ErrorCode::usage, run + " waits for several approvals: name the step (" + listed + ")");
  }
  std::vector<std::size_t> meant;
  for (std::size_t i = 0; i < asking.size(); ++i) {
    if (options.step == steps[i] || options.step == cell_of(asking[i], "step")) meant.push_back(i);
  }
  if (meant.size() == 1) return cell_of(asking[meant[0]], "task");
  if (meant.size() > 1) {
    return fail(ErrorCode::usage,
                "several items of step " + options.step + " wait for an approval: name one (" + listed + ")");
  }
  const std::vector<std::string_view> known(steps.begin(), steps.end());
  const std::string_view near = nearest(options.step, known);
  return fail(ErrorCode::conflict, "step " + printable(options.step) + " of " + run +
                                       " waits for no approval; " +
                                       (near.empty() ? listed + (steps.size() > 1 ? " do" : " does")
                                                     : "did you mean " + std::string(near) + "?"));
}

int answer(const Context& context, const Options& options, bool approved) {
  const auto value = value_of(options.value);
  if (!value) return context.fail(value.error());
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto task = asking_task(session, options);
  if (!task) return context.fail(task.error());
  const auto answered = session.ask(
      Purpose::look, [&](client::Client& c) { return c.answer(*task, approved, options.reason, *value); });
  if (!answered) return context.fail(answered.error());
  print_object(context.console, context.settings.output, *answered, [&](const Style&) {
    return "step " + step_of(*answered) + (approved ? " approved\n" : " rejected\n");
  });
  return kOk;
}

}  // namespace

void add_signal(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = program.command(program.app(), "signal", "Tells a run that something has happened",
                                      [options](const Context& c) { return send(c, *options); });
  command.add_option("run", options->run, "Id of the run")->required()->type_name("RUN");
  command.add_option("name", options->name, "Name of the signal")->required()->type_name("NAME");
  command.add_option("--value", options->value, "What goes with it; the result of the step that waits")
      ->type_name("JSON");
  command
      .add_option("--idempotency-key", options->key,
                  "The same key again is the same signal (else a random one)")
      ->type_name("KEY");
}

void add_approvals(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& approvals = *program.app().add_subcommand(
      "approvals", "Lists the questions that steps ask and nobody has answered");
  approvals.require_subcommand(1);
  CLI::App& command =
      program.command(approvals, "list", "Lists the questions that steps ask and nobody has answered",
                      [options](const Context& c) { return list(c, *options); });
  command.add_option("--run", options->run, "Only those of this run")->type_name("RUN");
}

void add_answers(Program& program, CLI::App& runs) {
  const auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* description, bool approved) {
    CLI::App& command = program.command(runs, name, description, [options, approved](const Context& c) {
      return answer(c, *options, approved);
    });
    command.add_option("run", options->run, "Id of the run")->required()->type_name("RUN");
    command.add_option("step", options->step, "The step that asks, if several do; STEP[N] for an item")
        ->type_name("STEP");
    command.add_option("--reason", options->reason, "Why, for the history")->type_name("TEXT");
    if (approved)
      command.add_option("--value", options->value, "Part of the step's result")->type_name("JSON");
  };
  add("approve", "Says yes to a step that waits for an approval", true);
  add("reject", "Says no to a step that waits for an approval: it has failed", false);
}

}  // namespace baton::cli
