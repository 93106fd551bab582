// baton worker: carries out steps for a server, on this machine or another one.
#include "worker/worker.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "cli/bell.hpp"
#include "cli/commands/commands.hpp"
#include "cli/random_key.hpp"
#include "cli/session.hpp"
#include "cli/signals.hpp"

namespace baton::cli {
namespace {

struct Options {
  std::string name;
  std::string queues;
  std::string tags;
  std::uint32_t count = 1;
  std::uint32_t prefetch = 0;
  std::string grace = "30s";
  std::string work;
  std::string keep = "24h";
};

using Workers = std::vector<std::unique_ptr<worker::Worker>>;

// Distinct from that of every other process, on every machine.
std::string own_name() {
  char host[64] = "host";
  ::gethostname(host, sizeof host - 1);
  std::string name;
  for (const char c : std::string_view(host).substr(0, std::string_view(host).find('.'))) {
    name += is_name(std::string_view(&c, 1)) || c == '-' || c == '_' ? c : '-';
  }
  if (!is_name(name)) name = "host";
  return name + '-' + std::to_string(::getpid()) + '-' + random_key().substr(0, 6);
}

Status make_directory(const std::string& path) {
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST)
      return fail(ErrorCode::io, "cannot make " + part + ": " + errno_text(errno));
    if (at == std::string::npos) return {};
  }
}

Result<worker::WorkerOptions> options_of(const Context& context, const Options& options, const Bell& bell) {
  const Settings& settings = context.settings;
  worker::WorkerOptions made;
  TRY(made.server, find_server(settings));
  made.name = options.name.empty() ? own_name() : options.name;
  if (!is_name(made.name) || made.name == "local") {
    return fail(ErrorCode::usage, "--name: a worker's name has letters, digits, . _ - and is not \"local\"");
  }
  made.queues = split_list(options.queues);
  for (const std::string& queue : made.queues) {
    if (!is_name(queue))
      return fail(ErrorCode::usage, "--queues: \"" + printable(queue) + "\" is no name of a queue");
  }
  made.tags = split_list(options.tags);
  for (const std::string& tag : made.tags) {
    if (!is_name(tag))
      return fail(ErrorCode::usage, "--tags: \"" + printable(tag) + "\" is no tag: letters, digits, . _ -");
  }
  const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
  made.concurrency = settings.concurrency != 0 ? settings.concurrency : std::max(4U, 2 * cores);
  made.prefetch = options.prefetch;
  made.sharing = options.count;
  made.steps =
      worker::StepOptions{.data_dir = options.work.empty() ? settings.data_dir + "/workers" : options.work,
                          .egress = settings.egress,
                          .temporary = options.name.empty(),
                          .min_free = settings.min_free_space};
  const auto keep = parse_duration(options.keep);
  if (!keep) return fail(ErrorCode::usage, "--keep: " + keep.error().message);
  made.steps->keep = *keep;
  made.failed = [&bell] { bell.ring(); };
  made.drain_asked = [&bell] { bell.ring(); };
  made.log = [&context](std::string_view line) { context.console.note(line); };
  return made;
}

std::optional<Error> first_failure(const Workers& workers) {
  for (const auto& worker : workers) {
    if (auto failure = worker->fatal()) return failure;
  }
  return std::nullopt;
}

bool all_drained(const Workers& workers) {
  return std::ranges::all_of(workers, [](const auto& worker) { return worker->drained(Duration{}); });
}

constexpr Duration kLook = Duration::millis(100);

// Lets what runs end, for `grace` or until a second signal.
void drain(Workers& workers, Duration grace, Signals& signals) {
  for (const auto& worker : workers) worker->drain();
  for (Duration left = grace; left.us > 0; left = left - kLook) {
    if (all_drained(workers) || signals.wait(kLook)) return;
  }
}

// Until a signal comes, one fails, or all have done what they had when the server wanted them to end. False:
// a signal.
bool work(Workers& workers, Signals& signals, const Bell& bell) {
  while (!first_failure(workers)) {
    std::size_t ending = 0;
    std::size_t ended = 0;
    for (const auto& worker : workers) {
      if (!worker->asked_to_drain()) continue;
      ++ending;
      if (!worker->drained(Duration{})) continue;
      worker->stop();
      ++ended;
    }
    if (ended == workers.size()) return true;
    signals.wait(ending > ended ? kLook : Duration::hours(1), bell.fd());
    bell.clear();
    if (signals.take()) return false;
  }
  return true;
}

int run_worker(const Context& context, const Options& options) {
  const auto grace = parse_duration(options.grace);
  if (!grace) return context.fail({ErrorCode::usage, "--grace: " + grace.error().message, ""});
  const Bell bell;
  Signals signals;
  const auto common = options_of(context, options, bell);
  if (!common) return context.fail(common.error());
  if (const auto made = make_directory(common->steps->data_dir); !made) return context.fail(made.error());
  Workers workers;
  for (std::uint32_t i = 1; i <= options.count; ++i) {
    worker::WorkerOptions own = *common;
    if (options.count > 1) own.name += '-' + std::to_string(i);
    own.steps->data_dir += '/' + own.name;
    auto worker = worker::Worker::start(std::move(own));
    if (!worker) return context.fail(worker.error());
    workers.push_back(std::move(*worker));
  }
  if (!work(workers, signals, bell)) {
    context.console.note("stopping: what runs has " + options.grace + "; a second signal ends it now");
    drain(workers, *grace, signals);
  }
  const auto failure = first_failure(workers);
  for (const auto& worker : workers) worker->stop();
  return failure ? context.fail(*failure) : kOk;
}

}  // namespace

void add_worker(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      program.command(program.app(), "worker", "Carries out steps for a server until it is stopped",
                      [options](const Context& context) { return run_worker(context, *options); });
  command.add_option("--name", options->name, "What it is called (else host, process and a random part)")
      ->type_name("NAME");
  command.add_option("--queues", options->queues, "The queues that it takes tasks from (else all)")
      ->type_name("A,B");
  command.add_option("--tags", options->tags, "Words that are shown with it, for baton workers list --tag")
      ->type_name("A,B");
  command.add_option("--count", options->count, "So many workers, NAME-1 and so on")
      ->type_name("N")
      ->check(CLI::Range(1U, 100U));
  command.add_option("--prefetch", options->prefetch, "Tasks held ready beyond those that run (else 0)")
      ->type_name("N")
      ->check(CLI::Range(0U, 1000U));
  command.add_option("--grace", options->grace, "How long what runs may go on after a signal (else 30s)")
      ->type_name("DURATION");
  command.add_option("--work", options->work, "Where its tasks' folders and logs are (else DATA/workers)")
      ->type_name("DIR");
  command
      .add_option("--keep", options->keep,
                  "How long the folders of runs that have ended stay there (else 24h)")
      ->type_name("DURATION");
}

}  // namespace baton::cli
