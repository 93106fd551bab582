#include "executors/process/process_executor.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/fd.hpp"
#include "executors/json_text.hpp"
#include "executors/process/descendants.hpp"
#include "executors/process/result.hpp"
#include "executors/process/scratch.hpp"
#include "executors/process/shortage.hpp"
#include "executors/process/spawner_link.hpp"
#include "executors/process/spec.hpp"
#include "executors/process/start_error.hpp"
#include "secrets/outcome.hpp"

namespace baton::executors::process {
namespace {

namespace error_type = model::error_type;

// Starts that the spawner has not answered yet: enough to keep it busy, few enough that neither the socket's
// buffer nor the kernel's limit of descriptors in flight matters.
constexpr std::size_t kMaxUnanswered = 32;
constexpr std::size_t kReadSize = 64 << 10;  // a pipe's capacity
constexpr int kEventsPerWait = 64;
constexpr int kStarvedPauseMs = 100;  // until a start is tried again for which there were no descriptors

// What an epoll event is about: an attempt's pipe, or one of these. Attempts are numbered from 1.
constexpr std::uint64_t kWakeUp = 0;
constexpr std::uint64_t kSpawner = 1;
std::uint64_t event_of(std::uint64_t id, int pipe) {
  return id << 1 | static_cast<std::uint64_t>(pipe);
}

using Outcome = model::Outcome;

struct Running {
  enum class State : std::uint8_t { queued, asked, started };

  Running(Attempt a, std::string log_file, const logs::Limits& limits)
      : attempt(std::move(a)),
        masks{secrets::RedactedStream(attempt.redactor), secrets::RedactedStream(attempt.redactor)},
        log(std::move(log_file), limits) {}

  Attempt attempt;
  State state = State::queued;
  AttemptFiles files;
  StartFailure start;  // filled as far as known; for the message, should it fail
  // stdout, stderr. The write ends stay open here as well, so that the pipes never report their end: what
  // ends an attempt is the exit of its process, and two wake-ups per process are saved.
  std::array<Fd, 2> pipes;
  std::array<Fd, 2> write_ends;
  std::array<secrets::RedactedStream, 2> masks;  // of what comes out of the pipes
  logs::Writer log;
  Ended ended;
};

struct Packet {
  protocol::Request request;
  std::string body;
  std::array<int, 2> write_ends{};  // of a start; the attempt's, which is there until the start is answered
  Fd body_in_memory;                // if it is too long
};

struct StartCommand {
  Attempt attempt;
};
struct StopCommand {
  Token token;
  StopMode mode;
};
using Command = std::variant<StartCommand, StopCommand>;

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// The log directory must not be left by a name that is not ours.
bool stays_beneath(std::string_view path) {
  if (path.empty() || path.starts_with('/')) return false;
  for (;;) {
    const std::size_t slash = path.find('/');
    if (path.substr(0, slash) == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

std::string body_of(const Spec& spec, const std::string& workdir,
                    const std::vector<std::string>& environment) {
  std::string body;
  const auto add = [&](const std::string& text) { body.append(text.c_str(), text.size() + 1); };
  add(workdir);
  for (const std::string& argument : spec.argv) add(argument);
  for (const std::string& variable : environment) add(variable);
  return body;
}

}  // namespace

class ProcessExecutor::Loop {
 public:
  Loop(Options options, Listener listener, Scratch scratch, SpawnerLink spawner, Fd epoll, Fd wake_up)
      : options_(std::move(options)),
        listener_(std::move(listener)),
        scratch_(std::move(scratch)),
        spawner_(std::move(spawner)),
        epoll_(std::move(epoll)),
        wake_up_(std::move(wake_up)) {
    watch(wake_up_.get(), EPOLLIN, kWakeUp);
    watch(spawner_.socket(), EPOLLIN, kSpawner);
  }

  void begin() {
    // Signals are for the threads of the program around.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void post(Command command);
  bool accepted(const Token& token) {
    const std::lock_guard lock(shared_.mutex);
    return shared_.accepted.contains(token);
  }
  void shutdown();

 private:
  // What other threads touch.
  struct Shared {
    std::mutex mutex;
    std::vector<Command> commands;
    std::map<Token, std::uint64_t> accepted;  // and not reported yet: the number of the attempt
    std::uint64_t last_id = 0;
    bool closing = false;
  };

  void run();
  void watch(int fd, std::uint32_t events, std::uint64_t data, int operation = EPOLL_CTL_ADD);
  void wake();

  void take_commands();
  void accept(Attempt attempt);
  void stop(const Token& token, StopMode mode);

  void launch_queued();
  Status launch(std::uint64_t id, Running& running);
  Status prepare(Running& running, const Spec& spec, Packet& packet);
  void send_packets();

  void take_reports();
  void take_report(const protocol::Report& report);
  void spawner_gone();

  void read_pipe(std::uint64_t id, int pipe);
  void drain(Running& running);
  void take_output(Running& running, int pipe, std::string_view bytes);
  void keep_output(Running& running, int pipe, std::string_view bytes);
  void finish(std::uint64_t id, Outcome outcome);

  Options options_;
  Listener listener_;
  Scratch scratch_;
  SpawnerLink spawner_;
  Fd epoll_;
  Fd wake_up_;
  Shared shared_;
  std::mutex join_;  // held while waiting for the thread
  std::thread thread_;

  // Of the thread alone.
  std::unordered_map<std::uint64_t, Running> running_;
  std::deque<std::uint64_t> queue_;  // to be launched; may contain numbers of finished ones
  std::deque<Packet> outbox_;
  std::size_t unanswered_ = 0;
  bool socket_full_ = false;
  bool starved_ = false;  // of descriptors: what is queued waits for them
  bool ending_ = false;
  bool gone_ = false;
  std::string buffer_ = std::string(kReadSize, '\0');
};

void ProcessExecutor::Loop::wake() {
  const std::uint64_t one = 1;
  std::ignore = ::write(wake_up_.get(), &one, sizeof one);
}

void ProcessExecutor::Loop::post(Command command) {
  const std::lock_guard lock(shared_.mutex);
  if (shared_.closing) return;
  if (const auto* start = std::get_if<StartCommand>(&command)) {
    if (!shared_.accepted.emplace(start->attempt.token, shared_.last_id + 1).second) return;
    ++shared_.last_id;
  }
  shared_.commands.push_back(std::move(command));
  if (shared_.commands.size() == 1) wake();
}

void ProcessExecutor::Loop::shutdown() {
  {
    const std::lock_guard lock(shared_.mutex);
    shared_.closing = true;
  }
  wake();
  const std::lock_guard lock(join_);
  if (thread_.joinable()) thread_.join();
}

void ProcessExecutor::Loop::watch(int fd, std::uint32_t events, std::uint64_t data, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = data;
  ::epoll_ctl(epoll_.get(), operation, fd, &event);
}

void ProcessExecutor::Loop::run() {
  std::array<epoll_event, kEventsPerWait> events;
  while (!(ending_ && gone_)) {
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), kEventsPerWait, starved_ ? kStarvedPauseMs : -1);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t about = events[i].data.u64;
      if (about == kWakeUp) {
        take_commands();
      } else if (about == kSpawner) {
        if (events[i].events & EPOLLOUT) socket_full_ = false;
        take_reports();
      } else {
        read_pipe(about >> 1, static_cast<int>(about & 1));
      }
    }
    launch_queued();
    send_packets();
  }
  spawner_.wait();
}

void ProcessExecutor::Loop::take_commands() {
  std::uint64_t count = 0;
  std::ignore = ::read(wake_up_.get(), &count, sizeof count);
  std::vector<Command> commands;
  bool closing = false;
  {
    const std::lock_guard lock(shared_.mutex);
    commands.swap(shared_.commands);
    closing = shared_.closing;
  }
  for (Command& command : commands) {
    if (auto* start = std::get_if<StartCommand>(&command)) {
      accept(std::move(start->attempt));
    } else {
      const auto& wanted = std::get<StopCommand>(command);
      stop(wanted.token, wanted.mode);
    }
  }
  if (!closing || ending_) return;
  ending_ = true;
  outbox_.clear();
  if (!gone_) spawner_.end();
  for (const std::uint64_t id : std::exchange(queue_, {})) {
    if (running_.contains(id)) finish(id, interruption("the server stopped before the attempt started"));
  }
}

void ProcessExecutor::Loop::accept(Attempt attempt) {
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(shared_.mutex);
    id = shared_.accepted.at(attempt.token);
  }
  const bool log_path_is_good = stays_beneath(attempt.log_path);
  std::string log_file = options_.logs + '/' + attempt.log_path;
  running_.try_emplace(id, std::move(attempt), std::move(log_file), options_.log_limits);
  if (!log_path_is_good) {
    finish(id, start_failure("the path of the attempt's log is not one beneath the log directory", true));
  } else {
    queue_.push_back(id);  // without a spawner it waits there until shutdown
  }
}

void ProcessExecutor::Loop::stop(const Token& token, StopMode mode) {
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(shared_.mutex);
    const auto found = shared_.accepted.find(token);
    if (found == shared_.accepted.end()) return;
    id = found->second;
  }
  const auto running = running_.find(id);
  if (running == running_.end()) return;  // its start is still on its way, behind this command
  if (running->second.state == Running::State::queued) {
    Outcome outcome = start_failure("stopped before it was started");
    outcome.failure.type = error_type::kCancelled;
    finish(id, std::move(outcome));
    return;
  }
  Packet packet;
  packet.request.command = protocol::Command::signal;
  packet.request.id = id;
  packet.request.signal = mode == StopMode::soft ? SIGTERM : SIGKILL;
  outbox_.push_back(std::move(packet));
}

void ProcessExecutor::Loop::launch_queued() {
  starved_ = false;
  while (!ending_ && !gone_ && unanswered_ < kMaxUnanswered && !queue_.empty()) {
    const std::uint64_t id = queue_.front();
    queue_.pop_front();
    const auto found = running_.find(id);
    if (found == running_.end()) continue;  // stopped meanwhile
    if (const Status launched = launch(id, found->second); !launched) {
      if (launched.error().code == ErrorCode::overloaded) {
        queue_.push_front(id);
        starved_ = true;
        return;
      }
      const bool never_retry = launched.error().code == ErrorCode::invalid_definition;
      finish(id, start_failure(launched.error().message, never_retry));
    }
  }
}

// Puts the request into the outbox. `overloaded`: there are no descriptors for it now; nothing was changed.
Status ProcessExecutor::Loop::launch(std::uint64_t id, Running& running) {
  Packet packet;
  TRY(Spec spec, parse_spec(running.attempt.spec));
  Status prepared = prepare(running, spec, packet);
  if (!prepared && prepared.error().code == ErrorCode::overloaded) {
    for (Fd& end : running.pipes) end.reset();
    for (Fd& end : running.write_ends) end.reset();
    scratch_.remove(std::exchange(running.files, {}), false);
    return prepared;
  }
  running.attempt.spec = {};
  TRY_VOID(std::move(prepared));
  packet.request.id = id;
  for (int pipe = 0; pipe < 2; ++pipe) watch(running.pipes[pipe].get(), EPOLLIN, event_of(id, pipe));
  running.state = Running::State::asked;
  ++unanswered_;
  outbox_.push_back(std::move(packet));
  return {};
}

Status ProcessExecutor::Loop::prepare(Running& running, const Spec& spec, Packet& packet) {
  TRY(running.files, scratch_.prepare(running.attempt, spec.input));
  running.ended.parse_json = spec.parse_json;
  if (spec.parse_json) running.ended.output = Head(kMaxResult);
  running.start.program = spec.argv[0];
  running.start.workdir = spec.workdir.empty() ? running.files.run_dir : spec.workdir;
  if (const auto path = spec.env.find("PATH"); path != spec.env.end()) running.start.path = path->second;

  for (int pipe = 0; pipe < 2; ++pipe) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      return fail(is_shortage(errno) ? ErrorCode::overloaded : ErrorCode::io,
                  "cannot create a pipe for the process's output: " + errno_text(errno));
    running.pipes[pipe].reset(ends[0]);
    running.write_ends[pipe].reset(ends[1]);
    packet.write_ends[pipe] = ends[1];
  }
  const std::vector<std::string> environment =
      full_environment(spec, running.attempt, running.files, options_.socket);
  packet.body = body_of(spec, running.start.workdir, environment);
  if (packet.body.size() > protocol::kMaxBody) {
    running.start.stage = protocol::Stage::exec;
    running.start.error = E2BIG;
    return fail(ErrorCode::too_large, describe(running.start));
  }
  packet.request.argc = static_cast<std::uint32_t>(spec.argv.size());
  packet.request.envc = static_cast<std::uint32_t>(environment.size());
  packet.request.body_size = static_cast<std::uint32_t>(packet.body.size());
  if (packet.body.size() > protocol::kInlineBody) {
    TRY(packet.body_in_memory, body_in_memory(packet.body));
    packet.request.in_memfd = 1;
    packet.body = {};
  }
  return {};
}

void ProcessExecutor::Loop::send_packets() {
  const bool was_full = socket_full_;
  while (!outbox_.empty() && !socket_full_ && !gone_ && !ending_) {
    const Packet& packet = outbox_.front();
    const std::array<int, 3> descriptors = {packet.write_ends[0], packet.write_ends[1],
                                            packet.body_in_memory.get()};
    const std::size_t count = packet.request.command == protocol::Command::signal ? 0
                              : packet.body_in_memory                             ? 3
                                                                                  : 2;
    switch (spawner_.send(packet.request, packet.body, std::span(descriptors.data(), count))) {
      case Sent::yes:
        break;
      case Sent::later:
        socket_full_ = true;
        continue;
      case Sent::no:
        // A closed socket is noticed by take_reports(); anything else is this request's bad luck.
        if (errno != EPIPE && errno != ECONNRESET && packet.request.command == protocol::Command::start) {
          take_report({protocol::Event::failed, errno, packet.request.id, protocol::Stage::descriptors});
        }
        break;
    }
    outbox_.pop_front();
  }
  if (socket_full_ != was_full || (was_full && outbox_.empty()))
    watch(spawner_.socket(), EPOLLIN | (socket_full_ ? EPOLLOUT : 0U), kSpawner, EPOLL_CTL_MOD);
}

void ProcessExecutor::Loop::take_reports() {
  if (gone_) return;
  for (;;) {
    std::span<const protocol::Report> reports;
    switch (spawner_.receive(reports)) {
      case Received::reports:
        for (const protocol::Report& report : reports) take_report(report);
        break;
      case Received::nothing:
        return;
      case Received::gone:
        return spawner_gone();
    }
  }
}

void ProcessExecutor::Loop::take_report(const protocol::Report& report) {
  const auto found = running_.find(report.id);
  if (found == running_.end()) return;
  Running& running = found->second;
  switch (report.event) {
    case protocol::Event::started:
      --unanswered_;
      running.state = Running::State::started;
      listener_.started(running.attempt.token);
      return;
    case protocol::Event::failed:
      --unanswered_;
      running.start.stage = report.stage;
      running.start.error = report.value;
      if (report.stage != protocol::Stage::exec && is_shortage(report.value))
        return finish(report.id, interruption(describe(running.start)));
      return finish(report.id, start_failure(describe(running.start)));
    case protocol::Event::exited:
      drain(running);
      // Their descriptors are there for the result then.
      for (Fd& end : running.pipes) end.reset();
      for (Fd& end : running.write_ends) end.reset();
      running.ended.wait_status = report.value;
      running.ended.result = read_result_file(running.files.result);
      return finish(report.id, outcome_of(running.ended));
  }
}

void ProcessExecutor::Loop::spawner_gone() {
  gone_ = true;
  watch(spawner_.socket(), 0, kSpawner, EPOLL_CTL_DEL);
  outbox_.clear();
  queue_.clear();
  std::vector<std::uint64_t> ids;
  for (const auto& [id, running] : running_) ids.push_back(id);
  std::ranges::sort(ids);
  if (!ending_) {
    // The kernel kills the processes that a dying spawner had started itself, but not their children.
    std::set<std::string, std::less<>> entries;
    for (const auto& [id, running] : running_) {
      if (!running.files.result.empty()) entries.insert("BATON_RESULT=" + running.files.result);
    }
    kill_by_environment(entries);
  }
  // First: what is reported now must not be given out to this executor again.
  if (!ending_ && options_.spawner_died) options_.spawner_died();
  for (const std::uint64_t id : ids) {
    Running& running = running_.at(id);
    drain(running);
    Outcome outcome =
        interruption(ending_ ? "the server stopped" : "the helper process that runs tasks died");
    running.ended.result = read_result_file(running.files.result);
    outcome.result = partial_result(running.ended.result).text;
    finish(id, std::move(outcome));
  }
}

void ProcessExecutor::Loop::read_pipe(std::uint64_t id, int pipe) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  Running& running = found->second;
  // Does not block: there was an event, and nobody else reads.
  const ssize_t n = ::read(running.pipes[pipe].get(), buffer_.data(), buffer_.size());
  if (n > 0) take_output(running, pipe, std::string_view(buffer_).substr(0, static_cast<std::size_t>(n)));
}

// Reads what is in the pipes at this moment: all that the process itself had written.
void ProcessExecutor::Loop::drain(Running& running) {
  for (int pipe = 0; pipe < 2; ++pipe) {
    int available = 0;
    if (running.pipes[pipe] && ::ioctl(running.pipes[pipe].get(), FIONREAD, &available) != 0) available = 0;
    while (available > 0) {
      const std::size_t size = std::min(buffer_.size(), static_cast<std::size_t>(available));
      const ssize_t n = ::read(running.pipes[pipe].get(), buffer_.data(), size);
      if (n <= 0) break;
      take_output(running, pipe, std::string_view(buffer_).substr(0, static_cast<std::size_t>(n)));
      available -= static_cast<int>(n);
    }
    keep_output(running, pipe, running.masks[pipe].finish());
  }
}

void ProcessExecutor::Loop::take_output(Running& running, int pipe, std::string_view bytes) {
  // A result in JSON is masked as JSON, when it is complete.
  if (pipe == 0 && running.ended.parse_json) running.ended.output.add(bytes);
  keep_output(running, pipe, running.masks[pipe].next(bytes));
}

// What nothing secret is in any more.
void ProcessExecutor::Loop::keep_output(Running& running, int pipe, std::string_view bytes) {
  if (bytes.empty()) return;
  running.log.write(pipe == 0 ? logs::Stream::out : logs::Stream::err, bytes, options_.now());
  if (pipe == 1) {
    running.ended.errors.add(bytes);
  } else if (!running.ended.parse_json) {
    running.ended.output.add(bytes);
  }
}

void ProcessExecutor::Loop::finish(std::uint64_t id, Outcome outcome) {
  auto node = running_.extract(id);
  Running& running = node.mapped();
  running.log.flush(options_.now());
  scratch_.remove(running.files, running.ended.result.written);
  secrets::mask(running.attempt.redactor.get(), outcome);
  const Token token = running.attempt.token;
  {
    const std::lock_guard lock(shared_.mutex);
    shared_.accepted.erase(token);
  }
  listener_.finished(token, std::move(outcome));
}

Result<std::unique_ptr<ProcessExecutor>> ProcessExecutor::create(Options options, Listener listener) {
  TRY(Scratch scratch, Scratch::open(options.scratch));
  TRY_VOID(make_directories(options.logs));
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  Fd wake_up(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll || !wake_up)
    return fail(ErrorCode::io, "cannot prepare the execution of processes: " + errno_text(errno));
  TRY(SpawnerLink spawner, SpawnerLink::launch(options.program, options.lock));
  raise_file_limit();  // after the spawner: tasks get the limit that was there before
  auto loop = std::make_unique<Loop>(std::move(options), std::move(listener), std::move(scratch),
                                     std::move(spawner), std::move(epoll), std::move(wake_up));
  loop->begin();
  return std::unique_ptr<ProcessExecutor>(new ProcessExecutor(std::move(loop)));
}

ProcessExecutor::ProcessExecutor(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}

ProcessExecutor::~ProcessExecutor() {
  shutdown();
}

void ProcessExecutor::start(Attempt attempt) {
  loop_->post(StartCommand{std::move(attempt)});
}

void ProcessExecutor::stop(const Token& token, StopMode mode) {
  loop_->post(StopCommand{token, mode});
}

Reattached ProcessExecutor::reattach(const Token& token) {
  return loop_->accepted(token) ? Reattached::running : Reattached::gone;
}

void ProcessExecutor::shutdown() {
  loop_->shutdown();
}

}  // namespace baton::executors::process
