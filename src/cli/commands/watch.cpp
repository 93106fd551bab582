// baton watch: a run that somebody else made.
#include "base/duration.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/run.hpp"

namespace baton::cli {
namespace {

struct Options {
  std::string run;
  std::string timeout;
};

int watch(const Context& context, const Options& options) {
  // In the background: whoever only watches may leave, and what runs goes on.
  WatchOptions watching{.on_signal = OnSignal::leave, .purpose = Purpose::background};
  if (!options.timeout.empty()) {
    const auto timeout = parse_duration(options.timeout);
    if (!timeout)
      return context.fail(
          {ErrorCode::usage, "--timeout takes a time such as 5m: " + timeout.error().message, ""});
    watching.patience = *timeout;
  }
  Signals signals;
  Session session(context.settings, context.console);
  std::optional<int> signal;
  const auto interrupted = [&] { return (signal = signals.take()).has_value(); };
  if (const auto opened = session.open(watching.purpose, interrupted); !opened) {
    const int code = context.fail(opened.error());
    return signal ? exit_code_of_signal(*signal) : code;
  }
  auto model = model_of(options.run, session, watching.purpose);
  if (!model) return context.fail(model.error());
  return show_until_end(context, session, signals, options.run, std::move(*model), watching);
}

}  // namespace

void add_watch(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      program.command(program.app(), "watch", "Shows a run until it ends; Ctrl-C leaves it to itself",
                      [options](const Context& context) { return watch(context, *options); });
  command.add_option("run", options->run, "Id of the run")->required()->type_name("RUN");
  command.add_option("--timeout", options->timeout, "How long at most; then the exit code is 7")
      ->type_name("DURATION");
}

}  // namespace baton::cli
