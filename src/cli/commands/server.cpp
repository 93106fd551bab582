// baton server, baton dev.
#include "server/server.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "cli/bell.hpp"
#include "cli/commands/commands.hpp"
#include "cli/output.hpp"
#include "cli/signals.hpp"
#include "cli/words.hpp"
#include "client/client.hpp"
#include "embedded/first_key.hpp"
#include "telemetry/log.hpp"
#include "telemetry/supervisor.hpp"

namespace baton::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kSample = R"(name: hello
title: A workflow to try
inputs:
  name: {type: string, default: world}
steps:
  greet:
    run: printf 'Hello, %s!' "$NAME"
    env: {NAME: "${{ inputs.name }}"}     # values reach a script by its environment, never by its text
  measure:
    needs: [greet]
    exec: [/usr/bin/expr, length, "${{ steps.greet.result.stdout }}"]
    parse: json                           # the result is what it printed, as JSON: a number
)";

server::ServerOptions options_of(const Context& context, const Bell& failed, telemetry::Log& log) {
  const Settings& settings = context.settings;
  server::ServerOptions options;
  options.owner.data_dir = settings.data_dir;
  options.owner.concurrency = settings.concurrency;
  options.owner.egress = settings.egress;
  options.owner.min_free_space = settings.min_free_space;
  options.owner.keep_completed = settings.keep_completed;
  options.owner.keep_failed = settings.keep_failed;
  options.owner.secrets_key_file = settings.secrets_key_file;
  options.owner.failed = [&failed] { failed.ring(); };
  options.owner.events = &log;
  options.listen = settings.listen;
  options.entrance.hosts = settings.hosts;
  options.entrance.origins = settings.origins;
  options.entrance.secure = !settings.tls.certificate_file.empty() || !settings.trusted_proxies.empty();
  options.owner.submit_workflow = settings.submit_workflow;
  options.entrance.proxies = settings.trusted_proxies;
  options.tls = settings.tls;
  return options;
}

bool asks_to_end(const std::optional<int>& signal) {
  return signal && *signal != SIGHUP && *signal != SIGUSR1;
}

Result<std::unique_ptr<telemetry::Log>> open_log(const Settings& settings) {
  telemetry::LogOptions options = settings.log;
  options.now = wall_now;
  return telemetry::Log::open(std::move(options));
}

Duration monotonic() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return Duration{now.tv_sec * 1'000'000 + now.tv_nsec / 1000};
}

// What a server has besides itself.
struct Surroundings {
  Bell failed;
  Signals signals{Signals::Users::read};
  telemetry::Supervisor supervisor{[](const char* name) -> const char* { return std::getenv(name); }};
};

// SIGHUP: the files that the configuration names. SIGUSR1: the log, after it was moved away.
void reopen(int signal, server::Server& server, telemetry::Log& log,
            const telemetry::Supervisor& supervisor) {
  using telemetry::LogLevel;
  if (signal == SIGUSR1) {
    const auto reopened = log.reopen();
    if (!reopened)
      log.write(LogLevel::error, "log.kept", reopened.error().message + "; the old one stays in use");
    return;
  }
  supervisor.reloading(monotonic());
  if (const auto reloaded = server.reload(); reloaded) {
    log.write(LogLevel::info, "server.reloaded", "read the configuration's files again");
  } else {
    log.write(LogLevel::error, "server.not_reloaded",
              reloaded.error().message + "; the old ones stay in use");
  }
  supervisor.ready("serves " + server.url());
}

// Until a signal asks it to end, or it cannot go on.
int serve(const Context& context, server::Server& server, Surroundings& world, telemetry::Log& log) {
  Signals& signals = world.signals;
  world.supervisor.ready("serves " + server.url());
  for (std::optional<int> signal; !asks_to_end(signal) && !server.owner().fatal();) {
    signals.wait(Duration::hours(1), world.failed.fd());
    signal = signals.take();
    if (signal && !asks_to_end(signal)) reopen(*signal, server, log, world.supervisor);
  }
  world.supervisor.stopping("waits for what runs");
  const std::optional<Error> fatal = server.owner().fatal();
  if (!fatal)
    log.write(telemetry::LogLevel::info, "server.stopping",
              "stopping: what runs has " + std::to_string(server::kGrace.us / 1'000'000) +
                  " seconds; a second signal ends it now");
  server.stop(server::kGrace, [&] { return asks_to_end(signals.take()); });
  return fatal ? context.fail(*fatal) : kOk;
}

int run_server(const Context& context, bool execute) {
  Surroundings world;
  const auto log = open_log(context.settings);
  if (!log) return context.fail(log.error());
  server::ServerOptions options = options_of(context, world.failed, **log);
  options.owner.execute = execute;
  if (const auto every = world.supervisor.watchdog()) {
    options.owner.alive_every = *every;
    options.owner.alive = [&world] { world.supervisor.alive(); };
  }
  const auto server = server::Server::open(std::move(options));
  if (!server) return context.fail(server.error());
  const json::object facts{{"url", (*server)->url()},
                           {"socket", (*server)->socket_path()},
                           {"data_dir", context.settings.data_dir},
                           {"admin_key", embedded::first_key_path(context.settings.data_dir)},
                           {"pid", ::getpid()}};
  print_object(context.console, context.settings.output, facts, [&](const Style& style) {
    return style.bold("baton " + std::string(kVersion)) + " serves " + (*server)->url() + '\n' +
           style.dim("data       ") + context.settings.data_dir + '\n' + style.dim("socket     ") +
           (*server)->socket_path() + '\n' + style.dim("admin key  ") +
           embedded::first_key_path(context.settings.data_dir) + '\n';
  });
  return serve(context, **server, world, **log);
}

// A directory that goes with whoever made it.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> make() {
    std::error_code failure;
    const std::filesystem::path where = std::filesystem::temp_directory_path(failure);
    std::string path = (where / "baton-dev-XXXXXX").string();
    if (failure || ::mkdtemp(path.data()) == nullptr) {
      return fail(ErrorCode::io, "cannot make a temporary directory in " + where.string() + ": " +
                                     (failure ? failure.message() : errno_text(errno)));
    }
    return TemporaryDirectory(std::move(path));
  }
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Status apply_sample(const std::string& socket) {
  net::Endpoint endpoint;
  endpoint.unix_socket = true;
  endpoint.path = socket;
  client::Client client(endpoint);
  TRY(const auto applied, client.apply({.definition = std::string(kSample), .file = "hello.yaml"}));
  (void)applied;
  return {};
}

int run_dev(const Context& context) {
  for (const Setting& setting : context.settings.all) {
    if (setting.name == "data" && setting.origin == "flag --data") {
      context.console.error(
          "baton dev has a temporary directory of its own: baton server --data keeps its data");
      return kUsage;
    }
  }
  Surroundings world;
  const auto log = open_log(context.settings);
  if (!log) return context.fail(log.error());
  const auto data = TemporaryDirectory::make();
  if (!data) return context.fail(data.error());
  server::ServerOptions options = options_of(context, world.failed, **log);
  options.owner.data_dir = data->path();
  auto server = server::Server::open(options);
  const bool chosen = std::ranges::any_of(context.settings.all, [](const Setting& setting) {
    return setting.name == "listen" && setting.origin != "default";
  });
  if (!server && server.error().code == ErrorCode::owned && !chosen) {  // another server has the usual port
    options.listen.port = 0;
    server = server::Server::open(options);
  }
  if (!server) return context.fail(server.error());
  if (const auto applied = apply_sample((*server)->socket_path()); !applied)
    return context.fail(applied.error());
  const json::object facts{{"url", (*server)->url()},
                           {"socket", (*server)->socket_path()},
                           {"data_dir", data->path()},
                           {"admin_key", embedded::first_key_path(data->path())},
                           {"pid", ::getpid()}};
  print_object(context.console, context.settings.output, facts, [&](const Style& style) {
    return style.bold("baton " + std::string(kVersion)) + " serves " + (*server)->url() +
           ", from a directory that goes when it ends (Ctrl-C).\nTry it from another terminal:\n\n  export "
           "BATON_DATA=" +
           data->path() + "\n  baton start hello --watch\n\n";
  });
  return serve(context, **server, world, **log);
}

}  // namespace

void add_server(Program& program) {
  const auto no_worker = std::make_shared<bool>(false);
  CLI::App& serve =
      program.command(program.app(), "server", "Serves a data directory until it is stopped, over TCP, too",
                      [no_worker](const Context& context) { return run_server(context, !*no_worker); });
  serve.add_flag("--no-worker", *no_worker, "Carries out no steps itself: workers do");
  program.command(program.app(), "dev", "A server to try things with, whose data is temporary", run_dev);
}

}  // namespace baton::cli
