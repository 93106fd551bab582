#include "worker/worker.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "base/fd.hpp"
#include "executors/functions/function_executor.hpp"
#include "executors/http/http_executor.hpp"
#include "executors/process/lock.hpp"
#include "executors/process/process_executor.hpp"
#include "executors/process/usage.hpp"
#include "logs/paths.hpp"
#include "secrets/redactor.hpp"
#include "worker/leftovers.hpp"
#include "worker/log_sender.hpp"
#include "worker/step_socket.hpp"
#include "worker/tidier.hpp"

namespace baton::worker {
namespace {

using executors::StopMode;
using Clock = std::chrono::steady_clock;

constexpr Duration kClaimWait = Duration::seconds(30);
constexpr Duration kLogPause = Duration::millis(500);
constexpr Duration kFirstPause = Duration::millis(200);  // after a call that failed; doubles
constexpr Duration kLongestPause = Duration::seconds(10);
constexpr Duration kBeat =
    Duration::seconds(1);  // at most, while something runs: so soon it hears of a cancel
constexpr Duration kFirstLease = Duration::seconds(30);  // until the server has named its own
constexpr Duration kOverdue =
    Duration::seconds(1);  // for an answer, when the lease is over while something runs
constexpr Duration kLastWords = Duration::seconds(5);
constexpr Duration kAskAgain = Duration::millis(50);
// Of its time to run, that a task which was held ready may have waited: one that has waited longer is given
// back, since it would be ended before it could have been done.
constexpr int kLatestBegin = 10;
constexpr std::uint32_t kMostTasks = 1000;
constexpr std::size_t kMostBytes = 8 << 20;  // of the results of one call; the server takes 32 MiB

WallTime wall_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

// What another try may change. Everything else is an answer.
bool may_pass(const Error& error) {
  switch (error.code) {
    case ErrorCode::unavailable:
    case ErrorCode::io:
    case ErrorCode::timed_out:
    case ErrorCode::overloaded:
    case ErrorCode::read_only:
    case ErrorCode::internal:
      return true;
    default:
      return false;
  }
}

// The spawner of one that was killed still has it until it has ended what it started.
constexpr Duration kPatience = Duration::seconds(5);

Result<Fd> lock_directory(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(ErrorCode::io, "cannot make " + directory + ": " + errno_text(errno));
  const std::string path = lock_path(directory);
  Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return fail(ErrorCode::io, "cannot open " + path + ": " + errno_text(errno));
  TRY_VOID(executors::process::hold_lock(
      lock.get(), kPatience, "another worker uses " + directory + "; give each a directory of its own"));
  return lock;
}

// The states of an attempt that the worker has: `waiting` for room here, `running`, `ended` with a report
// that the server has not answered. Functions wait in their executor and count as running.
struct Attempt {
  enum class State : std::uint8_t { waiting, running, ended };
  State state = State::waiting;
  Task task;
  executors::Executor* executor = nullptr;
  std::shared_ptr<LogSender> log;  // null: nothing was said
  model::Outcome outcome;          // once it has ended
  Clock::time_point taken = {};    // when it came here
  bool unbegun = false;            // it has ended without having begun: it is given back
  bool given_up = false;           // it is ended because the lease is over: that is no failure of the task
};

class MemoryPrinter final : public executors::functions::Printer {
 public:
  explicit MemoryPrinter(std::shared_ptr<MemoryLogSender> log) : log_(std::move(log)) {}
  void print(std::string_view text) override { log_->add(text); }
  void close() override {}

 private:
  std::shared_ptr<MemoryLogSender> log_;
};

class RemoteWorker final : public Worker {
 public:
  explicit RemoteWorker(WorkerOptions options) : options_(std::move(options)) {
    if (options_.steps) logs_ = options_.steps->data_dir + "/logs";
  }
  ~RemoteWorker() override { stop(); }

  Status start() {
    const executors::Listener listener{
        .started = [](const Token&) {},
        .finished = [this](const Token& token, model::Outcome outcome) { ended(token, std::move(outcome)); }};
    if (options_.steps) TRY_VOID(prepare_steps(listener));
    if (options_.functions) {
      executors::functions::Options functions;
      functions.functions = options_.functions;
      functions.threads = options_.concurrency;
      functions.printer = [this](const executors::Attempt& attempt) { return printer(attempt.token); };
      functions_ = std::make_unique<executors::functions::FunctionExecutor>(std::move(functions), listener);
    }
    running_ = true;
    threads_.emplace_back([this] { claim_tasks(); });
    threads_.emplace_back([this] { report_ends(); });
    threads_.emplace_back([this] { beat(); });
    threads_.emplace_back([this] { send_logs(); });
    if (options_.steps) threads_.emplace_back([this] { tidy_up(); });
    return {};
  }

  bool registered(Duration patience) override {
    std::unique_lock lock(mutex_);
    const auto settled = [&] { return registered_ || fatal_.has_value() || stopping_; };
    if (patience == Duration::max()) {
      quiet_.wait(lock, settled);
    } else {
      quiet_.wait_for(lock, patience.chrono(), settled);
    }
    return registered_;
  }

  std::optional<Error> fatal() const override {
    const std::lock_guard lock(mutex_);
    return fatal_;
  }

  // The claim that waits may just be on its way to the server, and then come after the one that is to take
  // its place: so this asks until it is back.
  void functions_changed() override {
    std::uint64_t wanted = 0;
    {
      const std::lock_guard lock(mutex_);
      wanted = ++offers_;
    }
    ServerCalls server = calls(&claiming_);
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        if (polling_ == 0 || offered_ >= wanted || draining_) return;
      }
      std::ignore = server.claim(offer(), 0, Duration{}, {});
      std::unique_lock lock(mutex_);
      quiet_.wait_for(lock, kAskAgain.chrono(), [&] { return polling_ == 0 || offered_ >= wanted; });
    }
  }

  bool asked_to_drain() const override {
    const std::lock_guard lock(mutex_);
    return drain_asked_;
  }

  void drain() override {
    {
      const std::lock_guard lock(mutex_);
      if (draining_) return;
      draining_ = true;
    }
    wake_all();
    claiming_.cancel();
  }

  bool drained(Duration patience) override {
    std::unique_lock lock(mutex_);
    return quiet_.wait_for(lock, patience.chrono(), [&] { return attempts_.empty() || refused_; });
  }

  void stop() override {
    if (!std::exchange(running_, false)) return;
    drain();
    // Each reports what ran as interrupted.
    if (functions_) functions_->shutdown();
    if (requests_) requests_->shutdown();
    if (processes_) processes_->shutdown();
    const bool told = drained(kLastWords);
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_all();
    calling_.cancel();
    for (std::thread& thread : threads_) thread.join();
    // Also if it cannot go on: what it has goes to others now, not when its lease is over.
    if (registered_) {
      const Status left = calls(nullptr).leave();
      if (!told && !left && !refused_) note("what ran here is lost for the server when its lease is over");
    }
    functions_.reset();
    requests_.reset();
    processes_.reset();
    socket_.reset();
    if (options_.steps && options_.steps->temporary && lock_) remove_folder(options_.steps->data_dir);
    lock_.reset();
  }

 private:
  Status prepare_steps(const executors::Listener& listener) {
    TRY(auto addresses, executors::http::policy_of(options_.steps->egress));
    TRY(lock_, lock_directory(options_.steps->data_dir));
    if (options_.steps->temporary) TRY_VOID(mark_temporary(options_.steps->data_dir));
    remove_abandoned(options_.steps->data_dir);
    remove_folder(logs_);  // of attempts that died with the worker before
    executors::process::Options process;
    process.scratch = options_.steps->data_dir + "/scratch";
    process.logs = logs_;
    if (options_.server.endpoint.unix_socket) {
      process.socket = options_.server.endpoint.path;
    } else {
      TRY(socket_,
          StepSocket::open(options_.steps->data_dir, options_.server,
                           [this](const TaskId& task, const Token& token) { return runs(task, token); }));
      process.socket = socket_->path();
    }
    process.now = wall_now;
    process.lock = lock_.get();
    process.program = options_.steps->spawner;
    process.spawner_died = [this] {
      cannot_go_on({ErrorCode::io, "the helper process that runs tasks was killed", ""});
    };
    TRY(processes_, executors::process::ProcessExecutor::create(std::move(process), listener));
    executors::http::Options http;
    http.logs = logs_;
    http.now = wall_now;
    http.addresses = std::move(addresses);
    requests_ = std::make_unique<executors::http::HttpExecutor>(std::move(http), listener);
    return {};
  }

  bool runs(const TaskId& task, const Token& token) const {
    const std::lock_guard lock(mutex_);
    const auto found = attempts_.find(token);
    return found != attempts_.end() && found->second.state == Attempt::State::running &&
           found->second.task.id == task;
  }

  ServerCalls calls(const net::Cancellation* cancel) const {
    return {options_.server, options_.name, cancel};
  }

  About about() const { return {options_.tags, options_.concurrency}; }

  Offer offer() const {
    return {options_.queues, options_.functions ? options_.functions->names() : std::vector<std::string>(),
            options_.steps.has_value()};
  }

  void note(std::string_view line) const {
    if (options_.log) options_.log(line);
  }

  void wake_all() {
    for (std::condition_variable* changed : {&room_made_, &to_report_, &quiet_, &life_})
      changed->notify_all();
  }

  // The server does not want to hear of it: so it tells nothing more, either.
  void give_up(const Error& error) {
    {
      const std::lock_guard lock(mutex_);
      refused_ = true;
    }
    cannot_go_on(error);
  }

  // Takes nothing more; what has ended is still reported.
  void cannot_go_on(const Error& error) {
    {
      const std::lock_guard lock(mutex_);
      if (!fatal_) fatal_ = error;
      draining_ = true;
    }
    wake_all();
    claiming_.cancel();
    if (options_.failed) options_.failed();
  }

  // False: the worker ends.
  bool pause(Duration& length) {
    std::unique_lock lock(mutex_);
    life_.wait_for(lock, length.chrono(), [&] { return stopping_ || refused_; });
    length = std::min(Duration{2 * length.us}, kLongestPause);
    return !stopping_ && !refused_;
  }

  // Calls until there is an answer, with growing pauses, or longer ones if the server asks for them; says
  // once that the server is away, and once that it is back. nullopt: the worker ends, or `goes_on` says no.
  template <typename Call>
  auto until_answered(const ServerCalls& server, Call call, const std::function<bool()>& goes_on = {})
      -> std::optional<decltype(call())> {
    for (Duration length = kFirstPause;;) {
      auto answer = call();
      if (answer || !may_pass(answer.error())) {
        if (answer && away_.exchange(false)) note("the server is back");
        if (!answer && answer.error().code == ErrorCode::interrupted) return std::nullopt;
        return answer;
      }
      if (!away_.exchange(true)) note("the server is away: " + answer.error().message + "; trying again");
      length = std::max(length, server.asked_pause());
      if ((goes_on && !goes_on()) || !pause(length)) return std::nullopt;
    }
  }

  // ---- Claims

  // For so many more tasks, those included that the claim which waits may bring. Under the lock.
  std::uint32_t room() const {
    const std::size_t held = attempts_.size() + polling_;
    const std::size_t most = std::size_t{options_.concurrency} + options_.prefetch;
    return draining_ || disk_full_ || held >= most
               ? 0
               : static_cast<std::uint32_t>(std::min<std::size_t>(most - held, kMostTasks));
  }

  void claim_tasks() {
    ServerCalls server = calls(&claiming_);
    const auto goes_on = [this] {
      const std::lock_guard lock(mutex_);
      return !draining_;
    };
    Clock::time_point sent;
    auto begun = until_answered(
        server,
        [&] {
          sent = Clock::now();
          return server.register_worker(offer(), about());
        },
        goes_on);
    if (!begun) return;
    if (!*begun) return give_up(begun->error());
    {
      const std::lock_guard lock(mutex_);
      lease_ = (*begun)->lease;
      registered_ = true;
      heard_ = sent;
    }
    wake_all();
    note("worker " + options_.name + " takes tasks from " + options_.server.endpoint.text());
    for (;;) {
      std::uint32_t free = 0;
      {
        std::unique_lock lock(mutex_);
        room_made_.wait(lock, [&] { return draining_ || (room() > 0 && !exchanging_); });
        if (draining_) return;
        free = polling_ = room();
        offered_ = offers_;
      }
      std::optional<std::vector<Token>> held;
      auto answer = until_answered(
          server,
          [&] {
            auto claimed = server.claim(offer(), free, kClaimWait, {}, held);
            if (!claimed) held = all_held();
            return claimed;
          },
          goes_on);
      if (!answer || !*answer) {
        {
          const std::lock_guard lock(mutex_);
          polling_ = 0;
        }
        quiet_.notify_all();
        if (answer) give_up(answer->error());
        return;
      }
      take(std::move((*answer)->tasks), [this] { polling_ = 0; });
      quiet_.notify_all();
    }
  }

  // For a claim that is repeated: what is not among these was in the answer that was lost, since one claim is
  // on its way at a time.
  std::vector<Token> all_held() const {
    std::vector<Token> held;
    const std::lock_guard lock(mutex_);
    for (const auto& [token, attempt] : attempts_) held.push_back(token);
    return held;
  }

  // What the worker has now. `settle` does what belongs to the same moment, under the lock.
  template <typename Settle>
  void take(std::vector<Task> tasks, Settle settle) {
    std::vector<Task> unwanted;
    std::vector<executors::Attempt> calls_of_functions;
    bool first = false;
    {
      const std::lock_guard lock(mutex_);
      first = attempts_.empty() && !tasks.empty();
      for (Task& task : tasks) {
        if (draining_) {
          unwanted.push_back(std::move(task));
          continue;
        }
        const Token token = task.token;
        const auto [entry, fresh] = attempts_.try_emplace(token);
        if (!fresh) continue;
        Attempt& attempt = entry->second;
        attempt.task = std::move(task);
        attempt.taken = Clock::now();
        if (attempt.task.kind == model::StepKind::task) {
          attempt.executor = functions_.get();
          attempt.state = Attempt::State::running;
          calls_of_functions.push_back(start_of(attempt));
          continue;
        }
        attempt.executor = attempt.task.kind == model::StepKind::http
                               ? static_cast<executors::Executor*>(requests_.get())
                               : processes_.get();
        attempt.log = std::make_shared<FileLogSender>(
            logs_ + "/" + logs::attempt_path(attempt.task.id, attempt.task.attempt));
        waiting_.push_back(token);
      }
      settle();
    }
    if (first) life_.notify_all();
    for (executors::Attempt& attempt : calls_of_functions) functions_->start(std::move(attempt));
    start_waiting();
    if (!unwanted.empty()) {
      ServerCalls server = calls(&calling_);
      release(server, std::move(unwanted));
    }
  }

  static executors::Attempt start_of(Attempt& attempt) {
    executors::Attempt start;
    start.token = attempt.task.token;
    start.task = attempt.task.id;
    start.step = attempt.task.step;
    start.number = attempt.task.attempt;
    start.spec = std::move(attempt.task.spec);
    start.soft_end = attempt.task.soft_end;
    start.hard_end = attempt.task.hard_end;
    // The server masks what it gets, too; what stands here on disk and goes over the wire is masked by us.
    start.redactor = secrets::Redactor::of(attempt.task.secrets);
    start.has_secrets = !attempt.task.secrets.empty();
    return start;
  }

  static bool is_late(const Attempt& attempt) {
    const auto& end = attempt.task.soft_end;
    return end && (Clock::now() - attempt.taken) * kLatestBegin > *end - attempt.taken;
  }

  // Of one that waits: with the next report. Under the lock.
  void hand_back(const Token& token, Attempt& attempt) {
    attempt.unbegun = true;
    attempt.state = Attempt::State::ended;
    ended_.push_back(token);
    to_report_.notify_all();
  }

  void start_waiting() {
    for (;;) {
      executors::Attempt next;
      executors::Executor* executor = nullptr;
      {
        const std::lock_guard lock(mutex_);
        if (waiting_.empty() || under_way_ >= options_.concurrency) return;
        const Token token = waiting_.front();
        Attempt& attempt = attempts_.at(token);
        waiting_.pop_front();
        if (is_late(attempt)) {
          hand_back(token, attempt);
          continue;
        }
        attempt.state = Attempt::State::running;
        ++under_way_;
        executor = attempt.executor;
        next = start_of(attempt);
        next.space = options_.server.space;
        next.log_path = logs::attempt_path(attempt.task.id, attempt.task.attempt);
      }
      executor->start(std::move(next));
    }
  }

  std::unique_ptr<executors::functions::Printer> printer(const Token& token) {
    auto log = std::make_shared<MemoryLogSender>();
    const std::lock_guard lock(mutex_);
    const auto found = attempts_.find(token);
    if (found == attempts_.end()) return nullptr;
    found->second.log = log;
    return std::make_unique<MemoryPrinter>(std::move(log));
  }

  // On an executor's thread.
  void ended(const Token& token, model::Outcome outcome) {
    bool first = false;
    {
      const std::lock_guard lock(mutex_);
      const auto found = attempts_.find(token);
      if (found == attempts_.end()) return;
      if (found->second.given_up && outcome.kind == model::Outcome::Kind::failed)
        outcome = {.kind = model::Outcome::Kind::interrupted};
      found->second.outcome = std::move(outcome);
      found->second.state = Attempt::State::ended;
      if (found->second.executor != functions_.get()) --under_way_;
      first = ended_.empty();
      ended_.push_back(token);
    }
    if (first) to_report_.notify_one();
  }

  // ---- Reports

  // What has ended, as much of it as fits into a call.
  struct Batch {
    std::vector<Report> reports;
    std::vector<std::pair<Task, std::shared_ptr<LogSender>>> logs;
    std::uint32_t free = 0;  // how many tasks to claim with it
  };

  Batch next_batch() {  // under the lock
    Batch batch;
    for (std::size_t bytes = 0; !ended_.empty() && batch.reports.size() < kMostTasks && bytes < kMostBytes;) {
      const Token token = ended_.front();
      ended_.pop_front();
      Attempt& attempt = attempts_.at(token);
      bytes += attempt.outcome.result.size() + attempt.outcome.failure.message.size();
      batch.reports.push_back({token, attempt.task.id, attempt.outcome, attempt.unbegun});
      if (attempt.log) batch.logs.emplace_back(attempt.task, attempt.log);
    }
    if (polling_ == 0 && !draining_) {
      const std::size_t room_then = room() + batch.reports.size();
      batch.free = static_cast<std::uint32_t>(std::min<std::size_t>(room_then, kMostTasks));
      exchanging_ = batch.free > 0 && !batch.reports.empty();
    }
    return batch;
  }

  void report_ends() {
    ServerCalls server = calls(&calling_);
    for (;;) {
      Batch batch;
      bool gives_back = false;
      {
        std::unique_lock lock(mutex_);
        to_report_.wait(
            lock, [&] { return stopping_ || refused_ || !ended_.empty() || (draining_ && !gave_back_); });
        if (stopping_ || refused_) return;
        gives_back = draining_ && !std::exchange(gave_back_, draining_);
        batch = next_batch();
      }
      start_waiting();
      if (gives_back) give_back(server);
      if (batch.reports.empty()) continue;
      // The output first: an attempt that was reported takes no more.
      for (const auto& [task, log] : batch.logs) send_all(server, task, *log);
      if (!tell(server, batch.reports, batch.free)) return;
      {
        const std::lock_guard lock(mutex_);
        exchanging_ = false;
      }
      room_made_.notify_all();
    }
  }

  // False: the worker ends.
  bool tell(ServerCalls& server, const std::vector<Report>& reports, std::uint32_t free) {
    std::optional<std::vector<Token>> held;
    auto answer = until_answered(server, [&] {
      if (free == 0) return server.report(reports);
      auto claimed = server.claim(offer(), free, Duration{}, reports, held);
      if (!claimed) held = all_held();
      return claimed;
    });
    if (!answer) return false;
    if (!*answer) {
      const ErrorCode code = answer->error().code;
      if (code != ErrorCode::invalid_request && code != ErrorCode::too_large) {
        give_up(answer->error());
        return false;
      }
      return tell_apart(server, reports, answer->error());
    }
    settle(reports, **answer);
    return true;
  }

  // The server cannot read one of these: the others must not suffer for it.
  bool tell_apart(ServerCalls& server, const std::vector<Report>& reports, const Error& why) {
    if (reports.size() > 1) {
      const auto middle = reports.begin() + static_cast<std::ptrdiff_t>(reports.size() / 2);
      return tell(server, {reports.begin(), middle}, 0) && tell(server, {middle, reports.end()}, 0);
    }
    note("task " + reports[0].task.text() + ": the server does not take its report: " + why.message);
    Report instead{reports[0].token, reports[0].task, {.kind = model::Outcome::Kind::failed}};
    instead.outcome.failure = {
        .type = model::error_type::kValidation,
        .message = "the server does not take the report of this attempt: " + why.message,
        .never_retry = true};
    if (instead.outcome == reports[0].outcome) {
      give_up(why);
      return false;
    }
    return tell(server, {instead}, 0);
  }

  void settle(const std::vector<Report>& reports, Exchange& answer) {
    bool later = false;
    std::vector<std::shared_ptr<LogSender>> logs;
    take(std::move(answer.tasks), [&] {
      for (std::size_t i = 0; i < reports.size(); ++i) {
        const Token& token = reports[i].token;
        const Status& told = answer.reports[i];
        if (!told && may_pass(told.error())) {
          ended_.push_back(token);  // not lost: told again
          later = true;
          continue;
        }
        if (!told) note("task " + reports[i].task.text() + ": " + told.error().message);
        const auto found = attempts_.find(token);
        if (found->second.log) logs.push_back(std::move(found->second.log));
        attempts_.erase(found);
      }
    });
    for (const auto& log : logs) log->forget();
    room_made_.notify_one();
    quiet_.notify_all();
    if (Duration length = kFirstPause; later) pause(length);
  }

  // What a draining worker has not begun.
  void give_back(ServerCalls& server) {
    std::vector<Task> unwanted;
    std::vector<Token> tokens = functions_ ? functions_->withdraw() : std::vector<Token>();
    {
      const std::lock_guard lock(mutex_);
      tokens.insert(tokens.end(), waiting_.begin(), waiting_.end());
      waiting_.clear();
      for (const Token& token : tokens) {
        const auto found = attempts_.find(token);
        unwanted.push_back(std::move(found->second.task));
        attempts_.erase(found);
      }
    }
    quiet_.notify_all();
    // The claim that was broken off may wait on at the server, which does not know yet that nobody hears it:
    // what goes back, or is reported as interrupted, would go there.
    std::ignore = server.claim(offer(), 0, Duration{}, {});
    release(server, std::move(unwanted));
  }

  // What counts no more by now is nobody's concern.
  void release(ServerCalls& server, std::vector<Task> tasks) {
    while (!tasks.empty()) {
      const std::size_t now = std::min<std::size_t>(tasks.size(), kMostTasks);
      const std::vector<Task> some(std::make_move_iterator(tasks.end() - static_cast<std::ptrdiff_t>(now)),
                                   std::make_move_iterator(tasks.end()));
      tasks.resize(tasks.size() - now);
      if (const auto told = until_answered(server, [&] { return server.release(some); }); !told) return;
    }
  }

  // ---- Output

  // Until there is no more, or the server does not take it.
  void send_all(ServerCalls& server, const Task& task, LogSender& log) {
    for (;;) {
      const auto more = until_answered(server, [&] {
        const std::lock_guard lock(log_mutex_);
        return log.send(server, task);
      });
      if (!more || !*more || !**more) return;
    }
  }

  void send_logs() {
    ServerCalls server = calls(&calling_);
    for (Duration length = kLogPause; pause(length); length = kLogPause) {
      std::vector<std::pair<Task, std::shared_ptr<LogSender>>> running;
      {
        const std::lock_guard lock(mutex_);
        for (const auto& [token, attempt] : attempts_) {
          if (attempt.state == Attempt::State::running && attempt.log)
            running.emplace_back(attempt.task, attempt.log);
        }
      }
      // One that fails is sent with the next round, at the latest with the end of its attempt.
      for (const auto& [task, log] : running) {
        const std::lock_guard lock(log_mutex_);
        std::ignore = log->send(server, task);
      }
    }
  }

  // ---- Disk

  void tidy_up() {
    ServerCalls server = calls(&calling_);
    TidyOptions options;
    options.scratch = options_.steps->data_dir + "/scratch";
    options.keep = options_.steps->keep;
    options.reserve = options_.steps->min_free;
    options.now = wall_now;
    options.ask = [&](const std::vector<RunId>& runs) { return server.ended_runs(runs); };
    options.unless_busy = [this](const RunId& run, const std::function<void()>& action) {
      const std::lock_guard lock(mutex_);
      const bool busy =
          std::ranges::any_of(attempts_, [&](const auto& entry) { return entry.second.task.id.run == run; });
      if (!busy) action();
    };
    options.note = [this](std::string_view line) { note(line); };
    Tidier tidier(std::move(options));
    if (!registered(Duration::max())) return;
    for (;;) {
      const bool room = tidier.look();
      {
        const std::lock_guard lock(mutex_);
        disk_full_ = !room;
      }
      room_made_.notify_all();
      if (Duration length = tidier.every(); !pause(length)) return;
    }
  }

  // ---- Life

  // Waits for the next heartbeat: a part of a lease, or sooner when there is something that may be asked to
  // end. False: the worker ends.
  bool wait_for_beat(std::vector<Token>& tokens) {
    std::unique_lock lock(mutex_);
    const auto over = [&] { return stopping_ || refused_; };
    const Duration idle{lease_.us / 3};
    // The first one comes at once: it says what the worker is.
    const bool first = !beaten_;
    if (attempts_.empty() || !registered_) {
      life_.wait_for(lock, idle.chrono(),
                     [&] { return over() || (registered_ && (first || !attempts_.empty())); });
    }
    if (!attempts_.empty() && !first)
      life_.wait_for(lock, std::min({idle, kBeat, left_of_lease().value_or(kBeat)}).chrono(), over);
    if (over()) return false;
    beaten_ = registered_;
    tokens.clear();
    if (registered_) {
      for (const auto& [token, attempt] : attempts_) tokens.push_back(token);
    }
    return true;
  }

  // nullopt: it is over. Under the lock.
  std::optional<Duration> left_of_lease() const {
    const auto left =
        std::chrono::duration_cast<std::chrono::microseconds>(heard_ + lease_.chrono() - Clock::now());
    return left.count() > 0 ? std::optional(Duration{left.count()}) : std::nullopt;
  }

  // No longer than the lease: then what runs is to end, since others have it.
  Duration patience_of_beat() const {
    const std::lock_guard lock(mutex_);
    const bool runs = std::ranges::any_of(
        attempts_, [](const auto& entry) { return entry.second.state != Attempt::State::ended; });
    return std::min(ServerCalls::kPatience,
                    left_of_lease().value_or(runs ? kOverdue : ServerCalls::kPatience));
  }

  void beat() {
    ServerCalls server = calls(&calling_);
    executors::process::UsageMeter meter;
    for (std::vector<Token> tokens; wait_for_beat(tokens);) {
      if (!registered(Duration{})) continue;
      // The server's lease begins when it hears this: not before it was sent.
      const Clock::time_point sent = Clock::now();
      const auto answer =
          server.heartbeat(tokens, about(), executors::process::part_of(meter.look(sent), options_.sharing),
                           patience_of_beat());
      if (answer) {
        {
          const std::lock_guard lock(mutex_);
          heard_ = sent;
          lease_ = answer->lease;
        }
        for (const Stop& stop : answer->stop) end(stop.token, stop.hard);
        heed(*answer);
      } else if (!may_pass(answer.error())) {
        if (answer.error().code != ErrorCode::interrupted) give_up(answer.error());
        return;
      } else if (answer.error().code == ErrorCode::read_only) {
        // It cannot give anything to others, and extends all leases before it can again.
        const std::lock_guard lock(mutex_);
        heard_ = sent;
      } else {
        end_what_is_lost();
      }
    }
  }

  // What a person has said of this worker.
  void heed(const Heartbeat& answer) {
    if (answer.paused != std::exchange(paused_, answer.paused))
      note(answer.paused ? "paused: the server hands out nothing more to this worker"
                         : "not paused any more");
    if (!answer.drain) return;
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(drain_asked_, true)) return;
    }
    note("the server wants this worker to end: it takes nothing more, and what runs goes on");
    drain();
    if (options_.drain_asked) options_.drain_asked();
  }

  void end(const Token& token, bool hard) {
    executors::Executor* executor = nullptr;
    {
      const std::lock_guard lock(mutex_);
      const auto found = attempts_.find(token);
      if (found == attempts_.end() || found->second.state == Attempt::State::ended) return;
      Attempt& attempt = found->second;
      if (attempt.state == Attempt::State::waiting) {
        std::erase(waiting_, token);
        // The server knows why it wants it to end: what was cancelled is not queued again.
        hand_back(token, attempt);
      } else {
        executor = attempt.executor;
      }
    }
    to_report_.notify_all();
    if (executor != nullptr) executor->stop(token, hard ? StopMode::hard : StopMode::soft);
  }

  // The server has not been heard for a lease: it gives what runs here to others, or it was away, keeps all
  // leases when it is back, and hears then that these were interrupted.
  void end_what_is_lost() {
    std::vector<Token> tokens;
    {
      const std::lock_guard lock(mutex_);
      if (left_of_lease()) return;
      for (auto& [token, attempt] : attempts_) {
        if (attempt.state == Attempt::State::ended || std::exchange(attempt.given_up, true)) continue;
        tokens.push_back(token);
      }
    }
    if (tokens.empty()) return;
    note("the lease is over; ending " + std::to_string(tokens.size()) +
         " tasks, which may run elsewhere by now");
    for (const Token& token : tokens) end(token, true);
  }

  WorkerOptions options_;
  std::string logs_;  // of steps
  Fd lock_;
  std::unique_ptr<StepSocket> socket_;  // none: the steps reach the server's own
  std::unique_ptr<executors::process::ProcessExecutor> processes_;
  std::unique_ptr<executors::http::HttpExecutor> requests_;
  std::unique_ptr<executors::functions::FunctionExecutor> functions_;
  net::Cancellation claiming_;  // ends claims
  net::Cancellation calling_;   // ends all calls
  std::atomic<bool> away_ = false;
  bool paused_ = false;  // of the thread of heartbeats
  std::vector<std::thread> threads_;
  bool running_ = false;  // of start() and stop()

  std::mutex log_mutex_;  // guards the senders
  mutable std::mutex mutex_;
  std::condition_variable room_made_;  // for more tasks: the thread that claims
  std::condition_variable to_report_;  // the thread that reports
  std::condition_variable life_;       // something began, or all ends: heartbeats and pauses
  std::condition_variable quiet_;      // registered, less to do, a claim is back: who waits from outside
  // Guarded by mutex_.
  std::map<Token, Attempt> attempts_;
  std::deque<Token> waiting_;  // in the order in which they came
  std::deque<Token> ended_;    // to be reported
  std::uint32_t under_way_ = 0;
  std::uint32_t polling_ = 0;  // tasks that the claim which waits may bring; 0 = none waits
  std::uint64_t offers_ = 0;   // how often the functions changed
  bool exchanging_ = false;    // claiming with reports; not while another claim waits
  std::uint64_t offered_ = 0;  // how many of these changes the claim which waits has told
  Duration lease_ = kFirstLease;
  Clock::time_point heard_;  // the server, last
  bool registered_ = false;
  bool beaten_ = false;  // a heartbeat was sent
  bool draining_ = false;
  bool drain_asked_ = false;
  bool disk_full_ = false;
  bool gave_back_ = false;
  bool stopping_ = false;
  std::optional<Error> fatal_;  // why it cannot go on
  bool refused_ = false;        // because the server wants to hear nothing more of it
};

}  // namespace

Result<std::unique_ptr<Worker>> Worker::start(WorkerOptions options) {
  auto worker = std::make_unique<RemoteWorker>(std::move(options));
  TRY_VOID(worker->start());
  return std::unique_ptr<Worker>(std::move(worker));
}

}  // namespace baton::worker
