#include "cli/background.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <string_view>
#include <vector>

#include "cli/signals.hpp"
#include "cli/words.hpp"
#include "embedded/owner.hpp"
#include "telemetry/log.hpp"

extern char** environ;

namespace baton::cli {
namespace {

constexpr int kLease = 3;  // reads end-of-file when the starting command has gone
constexpr int kReady = 4;  // "ok", or the code and message of an error
constexpr const char* kLog = "owner.log";

struct Pipe {
  Fd read;
  Fd write;
};
Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(ErrorCode::io, "cannot make a pipe: " + errno_text(errno));
  // Above the numbers that the child's ends get, so that neither is overwritten while they are put in place.
  Pipe pipe;
  pipe.read.reset(::fcntl(ends[0], F_DUPFD_CLOEXEC, 10));
  pipe.write.reset(::fcntl(ends[1], F_DUPFD_CLOEXEC, 10));
  ::close(ends[0]);
  ::close(ends[1]);
  if (!pipe.read || !pipe.write) return fail(ErrorCode::io, "cannot make a pipe: " + errno_text(errno));
  return pipe;
}

// Spawn attributes and actions with their ends.
struct SpawnSetup {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  SpawnSetup() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&actions);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
};

std::string read_all(int fd) {
  std::string text;
  char buffer[1024];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

void say(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool lease_is_over() {
  pollfd fd{kLease, POLLIN, 0};
  return ::poll(&fd, 1, 0) > 0;
}

// What is said goes to a file, from here on.
void open_log(const std::string& data_dir) {
  const Fd log(::open((data_dir + "/" + kLog).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (log) ::dup2(log.get(), STDERR_FILENO);
}

// Until no run is open and nobody holds the lease, or a signal asks it to end.
Status serve(embedded::Owner& owner, Signals& signals, std::optional<int>& signal,
             const std::string& data_dir) {
  const auto interrupted = [&] {
    while ((signal = signals.take()) == SIGUSR1) open_log(data_dir);
    return signal.has_value();
  };
  for (;;) {
    if (const auto idle = owner.wait_idle(interrupted); !idle && !signal) return idle;
    if (signal || lease_is_over()) return {};
    if (signals.wait(Duration::seconds(1), kLease) && interrupted()) return {};
  }
}

}  // namespace

Result<Fd> start_background_owner(const Settings& settings) {
  TRY(Pipe lease, make_pipe());
  TRY(Pipe ready, make_pipe());

  SpawnSetup setup;
  ::posix_spawnattr_setflags(&setup.attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&setup.attributes, &none);
  sigset_t defaults;
  ::sigemptyset(&defaults);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::sigaddset(&defaults, number);
  ::posix_spawnattr_setsigdefault(&setup.attributes, &defaults);
  ::posix_spawn_file_actions_addopen(&setup.actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&setup.actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&setup.actions, 1, 2);
  ::posix_spawn_file_actions_adddup2(&setup.actions, lease.read.get(), kLease);
  ::posix_spawn_file_actions_adddup2(&setup.actions, ready.write.get(), kReady);

  const std::string concurrency = std::to_string(settings.concurrency);
  const std::string deny = join_list(settings.egress.deny);
  const std::string allow = join_list(settings.egress.allow);
  const std::string reserve = settings.min_free_space ? std::to_string(*settings.min_free_space) : "";
  const std::string keep_completed = std::to_string(settings.keep_completed.us);
  const std::string keep_failed = std::to_string(settings.keep_failed.us);
  const std::string level(name(settings.log.level));
  const char* format = settings.log.format == telemetry::LogFormat::json ? "json" : "text";
  const char* argv[] = {"baton",
                        kOwnerCommand,
                        settings.data_dir.c_str(),
                        concurrency.c_str(),
                        deny.c_str(),
                        allow.c_str(),
                        reserve.c_str(),
                        keep_completed.c_str(),
                        keep_failed.c_str(),
                        level.c_str(),
                        format,
                        settings.secrets_key_file.c_str(),
                        nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, "/proc/self/exe", &setup.actions, &setup.attributes,
                                  const_cast<char**>(argv), environ);
  if (error != 0)
    return fail(ErrorCode::io, "cannot start a process in the background: " + errno_text(error));
  lease.read.reset();
  ready.write.reset();

  const std::string answer = read_all(ready.read.get());
  if (answer == "ok") return std::move(lease.write);
  const std::size_t blank = answer.find(' ');
  const auto code = error_code_from_name(std::string_view(answer).substr(0, blank));
  if (!code || blank == std::string::npos) {
    return fail(ErrorCode::internal,
                "the background process ended before it was ready; see " + settings.data_dir + "/" + kLog);
  }
  return fail(*code, answer.substr(blank + 1));
}

int background_owner_main(int argc, char** argv) {
  if (argc != 12) return 2;
  embedded::OwnerOptions options;
  options.data_dir = argv[2];
  const std::string_view concurrency = argv[3];
  std::from_chars(concurrency.data(), concurrency.data() + concurrency.size(), options.concurrency);
  options.egress = {.deny = split_list(argv[4]), .allow = split_list(argv[5])};
  if (const std::string_view reserve = argv[6]; !reserve.empty()) {
    std::from_chars(reserve.data(), reserve.data() + reserve.size(), options.min_free_space.emplace());
  }
  const auto span = [](std::string_view text, Duration& out) {
    std::from_chars(text.data(), text.data() + text.size(), out.us);
  };
  span(argv[7], options.keep_completed);
  span(argv[8], options.keep_failed);
  options.secrets_key_file = argv[11];
  const auto log = telemetry::Log::open(
      {.level = telemetry::log_level_from(argv[9]).value_or(telemetry::LogLevel::info),
       .format = telemetry::log_format_from(argv[10]).value_or(telemetry::LogFormat::text),
       .file = "",
       .now = wall_now});
  if (log) options.events = log->get();
  ::fcntl(kLease, F_SETFD, FD_CLOEXEC);
  ::fcntl(kReady, F_SETFD, FD_CLOEXEC);
  if (::chdir("/") != 0) return info(ErrorCode::io).exit_code;
  Signals signals(Signals::Users::read);

  for (bool first = true;; first = false) {
    auto owner = embedded::Owner::open(options);
    if (!owner) {
      if (!first && owner.error().code == ErrorCode::owned) return 0;  // somebody else goes on
      if (first) say(kReady, std::string(info(owner.error().code).name) + ' ' + owner.error().message);
      say(STDERR_FILENO, "error: " + owner.error().message + '\n');
      return info(owner.error().code).exit_code;
    }
    if (first) {
      // Only the owner writes into the directory.
      open_log(options.data_dir);
      say(kReady, "ok");
      ::close(kReady);
    }
    std::optional<int> signal;
    if (const auto served = serve(**owner, signals, signal, options.data_dir); !served) {
      say(STDERR_FILENO, "error: " + served.error().message + '\n');
      return info(served.error().code).exit_code;
    }
    (*owner)->stop();
    if (signal) return exit_code_of_signal(*signal);
    // A run may have been handed over in the last moment.
    if ((*owner)->open_runs() == 0) return 0;
  }
}

}  // namespace baton::cli
