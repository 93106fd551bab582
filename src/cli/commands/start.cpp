// baton start: a run of a workflow that was applied.
#include "cli/commands/commands.hpp"
#include "cli/commands/run.hpp"
#include "cli/output.hpp"

namespace baton::cli {
namespace {

struct Options {
  SubmissionOptions submission;
  std::string workflow;
  std::string workdir;
  bool watch = false;
};

// Asks for the version, checks the input against it, and makes the run.
Result<Prepared> prepare(const Context& context, const Options& options, Session& session, Purpose purpose) {
  TRY(const WorkflowReference reference, read_reference(options.workflow));
  TRY(const boost::json::object stored,
      session.ask(purpose, [&](client::Client& c) { return c.workflow(reference.name, reference.version); }));
  SubmissionOptions wanted = options.submission;
  wanted.remote = context.settings.remote.has_value();
  return prepare_stored(wanted, stored, options.workdir);
}

int detached(const Context& context, const Options& options) {
  Session session(context.settings, context.console);
  if (const auto opened = session.open(Purpose::background); !opened) return context.fail(opened.error());
  const auto prepared = prepare(context, options, session, Purpose::background);
  if (!prepared) return context.fail(prepared.error());
  const auto run = submit(prepared->submission, session, Purpose::background);
  return run ? show_id(context, *run) : context.fail(run.error());
}

int watched(const Context& context, const Options& options) {
  Signals signals;
  Session session(context.settings, context.console);
  std::optional<int> signal;
  const auto interrupted = [&] { return (signal = signals.take()).has_value(); };
  if (const auto opened = session.open(Purpose::run, interrupted); !opened) {
    const int code = context.fail(opened.error());
    return signal ? exit_code_of_signal(*signal) : code;
  }
  const auto prepared = prepare(context, options, session, Purpose::run);
  if (!prepared) return context.fail(prepared.error());
  const auto run = submit(prepared->submission, session, Purpose::run);
  if (!run) return context.fail(run.error());
  return show_until_end(context, session, signals, text_of(*run, "id"), RunModel(*prepared->workflow));
}

int start(const Context& context, const Options& options) {
  if (const auto reference = read_reference(options.workflow); !reference)
    return context.fail(reference.error());
  return options.watch ? watched(context, options) : detached(context, options);
}

}  // namespace

void add_start(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      program.command(program.app(), "start", "Makes a run of a workflow that was applied; prints its id",
                      [options](const Context& context) { return start(context, *options); });
  command
      .add_option("workflow", options->workflow,
                  "Name of the workflow, and its version if not the one that counts")
      ->required()
      ->type_name("NAME[@VERSION]");
  add_submission(command, options->submission);
  command
      .add_option("--workdir", options->workdir,
                  "Folder that the steps run in; else the run's scratch folder")
      ->type_name("DIR");
  command.add_flag("--watch,-w,--wait", options->watch, "Shows it until it ends, as baton run does");
}

}  // namespace baton::cli
