// What people tell a run that waits: signals, and answers to its questions.
#include <boost/json/parse.hpp>

#include "cli/commands/commands.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "cli/submission.hpp"
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
  json::value value = json::parse(text, error);
  if (error) {
    return fail(ErrorCode::usage,
                "--value is not JSON: " + error.message() + R"(; a text stands in quotes, as '"text"')");
  }
  return value;
}

int send(const Context& context, const Options& options) {
  const auto value = value_of(options.value);
  if (!value) return context.fail(value.error());
  const std::string key = options.key.empty() ? random_key() : options.key;
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::look); !opened) return context.fail(opened.error());
  const auto sent = session.ask(
      Purpose::look, [&](client::Client& c) { return c.signal(options.run, options.name, *value, key); });
  if (!sent) return context.fail(sent.error());
  print_object(context.console, context.settings.output, *sent,
               [&](const Style&) { return "signal " + options.name + " sent to run " + options.run + "\n"; });
  return kOk;
}

// The task that waits for an answer: the one of that step, or the only one there is.
Result<std::string> asking_task(Session& session, const Options& options) {
  std::vector<json::object> asking;
  std::string cursor;
  do {
    TRY(client::Page page,
        session.ask(Purpose::look, [&](client::Client& c) { return c.tasks(options.run, 1000, cursor); }));
    for (json::object& task : page.items) {
      const auto* wait = object_of(task, "waits_for");
      if (wait == nullptr || cell_of(*wait, "for") != "approval") continue;
      if (options.step.empty() || options.step == cell_of(task, "step") || options.step == step_of(task))
        asking.push_back(std::move(task));
    }
    cursor = page.next;
  } while (!cursor.empty());
  if (asking.size() == 1) return cell_of(asking[0], "id");
  if (asking.empty()) {
    return fail(ErrorCode::conflict,
                (options.step.empty() ? "run " + options.run + " waits"
                                      : "step " + options.step + " of run " + options.run + " waits") +
                    " for no approval");
  }
  std::string steps;
  for (const json::object& task : asking) steps += (steps.empty() ? "" : ", ") + step_of(task);
  return fail(ErrorCode::usage,
              "run " + options.run + " waits for several approvals: name the step (" + steps + ")");
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
