#include "cli/commands/run.hpp"

#include "cli/commands/commands.hpp"
#include "cli/report.hpp"
#include "spec/parse.hpp"

namespace baton::cli {
namespace {

struct Options {
  SubmissionOptions submission;
  std::string resume;
  bool detach = false;
};

int detach(const Context& context, const Prepared& prepared) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::background); !opened) return context.fail(opened.error());
  const auto run = submit(prepared.submission, session, Purpose::background);
  return run ? show_id(context, *run) : context.fail(run.error());
}

// Guests handed their runs to this process: it goes on for them. True unless a signal ended it.
Status wait_for_guests(Session& session, Signals& signals, Console& console, std::optional<int>& signal) {
  embedded::Owner* owner = session.owner();
  if (owner == nullptr) return {};
  const std::size_t guests = owner->open_runs();
  if (guests > 0) {
    console.note("this process goes on for " + std::to_string(guests) +
                 (guests == 1 ? " other run" : " other runs") + " of this data directory (Ctrl-C leaves it)");
  }
  const auto waited = owner->wait_idle([&] { return (signal = signals.take()).has_value(); });
  if (!waited && !signal) return waited;
  return {};
}

int run(const Context& context, const Options& options) {
  const bool resume = !options.resume.empty();
  if (resume != options.submission.file.empty()) {
    return context.fail({ErrorCode::usage,
                         resume ? "--resume continues a run as it was made: it takes no FILE"
                                : "baton run needs a FILE, or --resume RUN",
                         ""});
  }
  // What is no longer needed is let go at once: this process is about to follow the run as well, and a
  // definition of 100,000 steps is large.
  std::optional<client::Submission> submission;
  std::optional<RunModel> model;
  if (!resume) {
    SubmissionOptions wanted = options.submission;
    wanted.remote = context.settings.remote.has_value();
    auto prepared = prepare(wanted, context.console);
    if (!prepared) {
      if (prepared.error().message.empty()) return kUsage;  // diagnostics were printed
      return context.fail(prepared.error());
    }
    if (options.detach) return detach(context, *prepared);
    model.emplace(*prepared->workflow);
    submission = std::move(prepared->submission);
  }

  Signals signals;
  Session session(context.settings, context.console);
  std::optional<int> signal;
  const auto interrupted = [&] { return (signal = signals.take()).has_value(); };
  if (const auto opened = session.open(Purpose::run, interrupted); !opened) {
    const int code = context.fail(opened.error());
    return signal ? exit_code_of_signal(*signal) : code;
  }
  std::string id = options.resume;
  if (resume) {
    auto found = model_of(id, session, Purpose::run);
    if (!found) return context.fail(found.error());
    model = std::move(*found);
  } else {
    const auto made = submit(*submission, session, Purpose::run);
    if (!made) return context.fail(made.error());
    id = text_of(*made, "id");
    submission.reset();
  }
  return show_until_end(context, session, signals, id, std::move(*model));
}

}  // namespace

Result<RunModel> model_of(const std::string& id, Session& session, Purpose purpose) {
  TRY(const std::string text, session.ask(purpose, [&](client::Client& c) { return c.definition(id); }));
  spec::ParseResult parsed = spec::parse_canonical(text);
  if (!parsed.workflow) return fail(ErrorCode::corrupt, "the definition of run " + id + " cannot be read");
  return RunModel(*parsed.workflow);
}

Result<boost::json::object> submit(const client::Submission& submission, Session& session, Purpose purpose) {
  TRY(auto submitted, session.ask(purpose, [&](client::Client& c) { return c.submit(submission); }));
  return std::move(submitted.run);
}

int show_id(const Context& context, const boost::json::object& run) {
  print_object(context.console, context.settings.output, run,
               [&](const Style&) { return text_of(run, "id") + '\n'; });
  return kOk;
}

int show_until_end(const Context& context, Session& session, Signals& signals, const std::string& id,
                   RunModel model, const WatchOptions& options) {
  std::optional<int> signal;
  if (!context.console.can_redraw()) context.console.note("run " + id);

  Watcher watcher(session, signals, context.console, id, std::move(model), options);
  if (const auto watched = watcher.watch(); !watched) {
    const int code = context.fail(watched.error());
    return watcher.left_by() ? exit_code_of_signal(*watcher.left_by()) : code;
  }
  const auto reported = report(session, context.console, context.settings.output, id, watcher.model());
  if (!reported) return context.fail(reported.error());

  if (const auto waited = wait_for_guests(session, signals, context.console, signal); !waited) {
    return context.fail(waited.error());
  }
  session.close(!signal);  // asked to leave, it leaves
  if (signal) return exit_code_of_signal(*signal);
  return watcher.model().status() == "completed" ? kOk : kRunFailed;
}

void add_inputs(CLI::App& command, SubmissionOptions& submission) {
  command
      .add_option("--input,-i", submission.inputs, "One input, read as the type that the workflow declares")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--input-file", submission.input_file, "Inputs as a JSON or YAML object; --input wins")
      ->type_name("FILE");
}

void add_submission(CLI::App& command, SubmissionOptions& submission) {
  add_inputs(command, submission);
  command.add_option("--job-id", submission.job_id, "Your own reference for the run")->type_name("ID");
  command.add_option("--metadata", submission.metadata, "Something to be kept with the run")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--priority", submission.priority, "0 to 9, 9 is the most urgent")
      ->type_name("N")
      ->check(CLI::Range(0, 9).description(""));
  command
      .add_option("--idempotency-key", submission.idempotency_key,
                  "Repeating the command with the same key shows the same run")
      ->type_name("KEY");
}

void add_preflight(Program& program) {
  const auto options = std::make_shared<Options>();
  options->submission.preflight = true;
  CLI::App& command =
      program.command(program.app(), "preflight", "Asks the targets of a workflow whether they are well",
                      [options](const Context& context) { return run(context, *options); });
  command.add_option("file", options->submission.file, "Workflow in YAML or JSON; - is standard input")
      ->required()
      ->type_name("FILE");
  add_inputs(command, options->submission);
}

void add_run(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = program.command(program.app(), "run", "Runs a workflow and shows it until it ends",
                                      [options](const Context& context) { return run(context, *options); });
  SubmissionOptions& submission = options->submission;
  command.add_option("file", submission.file, "Workflow in YAML or JSON; - is standard input")
      ->type_name("FILE");
  add_submission(command, submission);
  command.add_flag("--detach,-d", options->detach, "Returns when the run is stored; prints its id");
  command.add_option("--resume", options->resume, "Shows, and continues, a run that was left")
      ->type_name("RUN");
}

}  // namespace baton::cli
