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
#include "executors/http/http_executor.hpp"
#include "executors/process/lock.hpp"
#include "executors/process/process_executor.hpp"
#include "logs/paths.hpp"
#include "worker/log_sender.hpp"

namespace baton::worker {
namespace {

using executors::StopMode;
using Clock = std::chrono::steady_clock;

constexpr Duration kClaimWait = Duration::seconds(30);
constexpr Duration kLogPause = Duration::millis(500);
constexpr Duration kFirstPause = Duration::millis(200);  // after a call that failed; doubles
constexpr Duration kLongestPause = Duration::seconds(10);
constexpr Duration kBeat =
    Duration::seconds(2);  // at most, while something runs: so soon it hears of a cancel
constexpr Duration kFirstLease = Duration::seconds(30);  // until the server has named its own
constexpr Duration kLastWords = Duration::seconds(5);
constexpr std::uint32_t kMostTasks = 1000;

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
  const std::string path = directory + "/worker.lock";
  Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return fail(ErrorCode::io, "cannot open " + path + ": " + errno_text(errno));
  TRY_VOID(executors::process::hold_lock(
      lock.get(), kPatience, "another worker uses " + directory + "; give each a directory of its own"));
  return lock;
}

// The states of an attempt that the worker has: `waiting` for room here, `running`, `ended` with a report
// that the server has not answered.
struct Attempt {
  enum class State : std::uint8_t { waiting, running, ended };
  State state = State::waiting;
  Task task;
  executors::Executor* executor = nullptr;
  std::shared_ptr<LogSender> log;
  model::Outcome outcome;  // once it has ended
};

class RemoteWorker final : public Worker {
 public:
  explicit RemoteWorker(WorkerOptions options)
      : options_(std::move(options)), logs_(options_.data_dir + "/logs") {}
  ~RemoteWorker() override { stop(); }

  Status start() {
    TRY(auto addresses, executors::http::policy_of(options_.egress));
    TRY(lock_, lock_directory(options_.data_dir));
    const executors::Listener listener{
        .started = [](const Token&) {},
        .finished = [this](const Token& token, model::Outcome outcome) { ended(token, std::move(outcome)); }};
    executors::process::Options process;
    process.scratch = options_.data_dir + "/scratch";
    process.logs = logs_;
    if (options_.server.endpoint.unix_socket) process.socket = options_.server.endpoint.path;
    process.now = wall_now;
    process.lock = lock_.get();
    process.spawner_died = [this] {
      give_up({ErrorCode::io, "the helper process that runs tasks was killed", ""});
    };
    TRY(processes_, executors::process::ProcessExecutor::create(std::move(process), listener));
    executors::http::Options http;
    http.logs = logs_;
    http.now = wall_now;
    http.addresses = std::move(addresses);
    requests_ = std::make_unique<executors::http::HttpExecutor>(std::move(http), listener);
    running_ = true;
    threads_.emplace_back([this] { claim_tasks(); });
    threads_.emplace_back([this] { report_ends(); });
    threads_.emplace_back([this] { beat(); });
    threads_.emplace_back([this] { send_logs(); });
    return {};
  }

  std::optional<Error> fatal() const override {
    const std::lock_guard lock(mutex_);
    return fatal_;
  }

  void drain() override {
    {
      const std::lock_guard lock(mutex_);
      if (draining_) return;
      draining_ = true;
    }
    changed_.notify_all();
    claiming_.cancel();
  }

  bool drained(Duration patience) override {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience.chrono(), [&] { return attempts_.empty() || fatal_; });
  }

  void stop() override {
    if (!std::exchange(running_, false)) return;
    drain();
    requests_->shutdown();  // reports what ran as interrupted
    processes_->shutdown();
    const bool told = drained(kLastWords);
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    calling_.cancel();
    for (std::thread& thread : threads_) thread.join();
    if (registered_ && !fatal_) {
      const Status left = calls(nullptr).leave();
      if (!told && !left) note("what ran here is lost for the server when its lease is over");
    }
    requests_.reset();
    processes_.reset();
    lock_.reset();
  }

 private:
  ServerCalls calls(const net::Cancellation* cancel) const {
    return {options_.server, options_.name, cancel};
  }

  void note(std::string_view line) const {
    if (options_.log) options_.log(line);
  }

  void give_up(const Error& error) {
    {
      const std::lock_guard lock(mutex_);
      if (fatal_) return;
      fatal_ = error;
      draining_ = true;
    }
    changed_.notify_all();
    if (options_.failed) options_.failed();
  }

  bool ends() const {
    const std::lock_guard lock(mutex_);
    return stopping_ || fatal_;
  }

  // False: the worker ends.
  bool pause(Duration& length) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, length.chrono(), [&] { return stopping_ || fatal_.has_value(); });
    length = std::min(Duration{2 * length.us}, kLongestPause);
    return !stopping_ && !fatal_;
  }

  // Calls until there is an answer; says once that the server is away, and once that it is back. nullopt: the
  // worker ends, or `goes_on` says no.
  template <typename Call>
  auto until_answered(Call call, const std::function<bool()>& goes_on = {})
      -> std::optional<decltype(call())> {
    for (Duration length = kFirstPause;;) {
      auto answer = call();
      if (answer || !may_pass(answer.error())) {
        if (answer && away_.exchange(false)) note("the server is back");
        if (!answer && answer.error().code == ErrorCode::interrupted) return std::nullopt;
        return answer;
      }
      if (!away_.exchange(true)) note("the server is away: " + answer.error().message + "; trying again");
      if ((goes_on && !goes_on()) || !pause(length)) return std::nullopt;
    }
  }

  // ---- Claims

  std::uint32_t room() const {  // under the lock
    const std::size_t held = attempts_.size();
    const std::size_t most = std::size_t{options_.concurrency} + options_.prefetch;
    return draining_ || held >= most
               ? 0
               : static_cast<std::uint32_t>(std::min<std::size_t>(most - held, kMostTasks));
  }

  void claim_tasks() {
    ServerCalls server = calls(&claiming_);
    const auto goes_on = [this] {
      const std::lock_guard lock(mutex_);
      return !draining_;
    };
    auto begun = until_answered([&] { return server.register_worker(options_.queues); }, goes_on);
    if (!begun) return;
    if (!*begun) return give_up(begun->error());
    {
      const std::lock_guard lock(mutex_);
      lease_ = (*begun)->lease;
      registered_ = true;
      heard_ = Clock::now();
    }
    changed_.notify_all();
    note("worker " + options_.name + " takes tasks from " + options_.server.endpoint.text());
    for (;;) {
      std::uint32_t free = 0;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return draining_ || room() > 0; });
        if (draining_) return;
        free = room();
      }
      auto answer =
          until_answered([&] { return server.claim(options_.queues, free, kClaimWait, {}); }, goes_on);
      if (!answer) return;
      if (!*answer) return give_up(answer->error());
      take(std::move((*answer)->tasks));
    }
  }

  void take(std::vector<Task> tasks) {
    std::vector<Task> unwanted;
    {
      const std::lock_guard lock(mutex_);
      for (Task& task : tasks) {
        if (draining_) {
          unwanted.push_back(std::move(task));
          continue;
        }
        Attempt attempt;
        attempt.executor = task.kind == model::StepKind::http
                               ? static_cast<executors::Executor*>(requests_.get())
                               : processes_.get();
        attempt.log = std::make_shared<LogSender>(logs_ + "/" + logs::attempt_path(task.id, task.attempt));
        const Token token = task.token;
        attempt.task = std::move(task);
        if (attempts_.emplace(token, std::move(attempt)).second) waiting_.push_back(token);
      }
    }
    start_waiting();
    for (const Task& task : unwanted) std::ignore = calls(&calling_).release(task);
  }

  void start_waiting() {
    for (;;) {
      executors::Attempt next;
      executors::Executor* executor = nullptr;
      {
        const std::lock_guard lock(mutex_);
        if (waiting_.empty() || under_way_ >= options_.concurrency) return;
        Attempt& attempt = attempts_.at(waiting_.front());
        waiting_.pop_front();
        attempt.state = Attempt::State::running;
        ++under_way_;
        executor = attempt.executor;
        next.token = attempt.task.token;
        next.task = attempt.task.id;
        next.step = attempt.task.step;
        next.number = attempt.task.attempt;
        next.log_path = logs::attempt_path(attempt.task.id, attempt.task.attempt);
        next.spec = attempt.task.spec;
      }
      executor->start(std::move(next));
    }
  }

  // On an executor's thread.
  void ended(const Token& token, model::Outcome outcome) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = attempts_.find(token);
      if (found == attempts_.end()) return;
      found->second.outcome = std::move(outcome);
      found->second.state = Attempt::State::ended;
      --under_way_;
      ended_.push_back(token);
    }
    changed_.notify_all();
  }

  // ---- Reports

  void report_ends() {
    ServerCalls server = calls(&calling_);
    for (;;) {
      std::vector<Token> tokens;
      std::vector<Report> reports;
      std::vector<std::pair<Task, std::shared_ptr<LogSender>>> logs;
      std::uint32_t free = 0;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stopping_ || fatal_ || !ended_.empty() || gives_back(); });
        if (stopping_ || fatal_) return;
        while (!ended_.empty() && tokens.size() < kMostTasks) {
          const Attempt& attempt = attempts_.at(ended_.front());
          tokens.push_back(ended_.front());
          reports.push_back({ended_.front(), attempt.task.id, attempt.outcome});
          logs.emplace_back(attempt.task, attempt.log);
          ended_.pop_front();
        }
        free = room() + (draining_ ? 0 : static_cast<std::uint32_t>(tokens.size()));
      }
      start_waiting();
      if (tokens.empty()) {
        give_back(server);
        continue;
      }
      // The output first: an attempt that was reported takes no more.
      for (const auto& [task, log] : logs) send_all(server, task, *log);
      auto answer = until_answered(
          [&] { return server.claim(options_.queues, std::min(free, kMostTasks), Duration{}, reports); });
      if (!answer) return;
      if (!*answer) return give_up(answer->error());
      settle(tokens, (*answer)->reports);
      take(std::move((*answer)->tasks));
    }
  }

  void settle(const std::vector<Token>& tokens, const std::vector<Status>& answers) {
    bool later = false;
    {
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (!answers[i] && may_pass(answers[i].error())) {
          ended_.push_back(tokens[i]);  // not lost: told again
          later = true;
          continue;
        }
        if (!answers[i]) {
          note("task " + attempts_.at(tokens[i]).task.id.text() + ": " + answers[i].error().message);
        }
        forget(tokens[i]);
      }
    }
    changed_.notify_all();
    if (Duration length = kFirstPause; later) pause(length);
  }

  void forget(const Token& token) {  // under the lock
    const auto found = attempts_.find(token);
    const Task& task = found->second.task;
    ::unlink((logs_ + "/" + logs::attempt_path(task.id, task.attempt)).c_str());
    attempts_.erase(found);
  }

  // Whether there is something that a draining worker has not begun.
  bool gives_back() const { return draining_ && !waiting_.empty(); }

  void give_back(ServerCalls& server) {
    std::vector<Task> unwanted;
    {
      const std::lock_guard lock(mutex_);
      if (!gives_back()) return;
      for (const Token& token : waiting_) {
        unwanted.push_back(attempts_.at(token).task);
        attempts_.erase(token);
      }
      waiting_.clear();
    }
    changed_.notify_all();
    for (const Task& task : unwanted) std::ignore = server.release(task);
  }

  // ---- Output

  // Until there is no more, or the server does not take it.
  void send_all(ServerCalls& server, const Task& task, LogSender& log) {
    for (;;) {
      const auto more = until_answered([&] {
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
          if (attempt.state == Attempt::State::running) running.emplace_back(attempt.task, attempt.log);
        }
      }
      // One that fails is sent with the next round, at the latest with the end of its attempt.
      for (const auto& [task, log] : running) {
        const std::lock_guard lock(log_mutex_);
        std::ignore = log->send(server, task);
      }
    }
  }

  // ---- Life

  void beat() {
    ServerCalls server = calls(&calling_);
    for (;;) {
      std::vector<Token> tokens;
      {
        std::unique_lock lock(mutex_);
        const Duration idle{lease_.us / 3};
        changed_.wait_for(lock, (attempts_.empty() ? idle : std::min(idle, kBeat)).chrono(),
                          [&] { return stopping_ || fatal_.has_value(); });
        if (stopping_ || fatal_) return;
        if (!registered_) continue;
        for (const auto& [token, attempt] : attempts_) tokens.push_back(token);
      }
      const auto answer = server.heartbeat(tokens);
      if (answer) {
        {
          const std::lock_guard lock(mutex_);
          heard_ = Clock::now();
          lease_ = answer->lease;
        }
        for (const Stop& stop : answer->stop) end(stop.token, stop.hard);
      } else if (!may_pass(answer.error())) {
        if (answer.error().code != ErrorCode::interrupted) give_up(answer.error());
        return;
      } else {
        end_what_is_lost();
      }
    }
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
        attempt.outcome = {.kind = model::Outcome::Kind::failed};
        attempt.outcome.failure = {.type = model::error_type::kCancelled,
                                   .message = "it was stopped before it began"};
        attempt.state = Attempt::State::ended;
        ended_.push_back(token);
      } else {
        executor = attempt.executor;
      }
    }
    changed_.notify_all();
    if (executor != nullptr) executor->stop(token, hard ? StopMode::hard : StopMode::soft);
  }

  // The server has not been heard for a lease: it gives what runs here to others.
  void end_what_is_lost() {
    std::vector<Token> tokens;
    {
      const std::lock_guard lock(mutex_);
      if (Clock::now() - heard_ < lease_.chrono()) return;
      for (const auto& [token, attempt] : attempts_) {
        if (attempt.state != Attempt::State::ended) tokens.push_back(token);
      }
    }
    if (tokens.empty()) return;
    note("the lease is over; ending " + std::to_string(tokens.size()) + " tasks, which go to other workers");
    for (const Token& token : tokens) end(token, true);
  }

  WorkerOptions options_;
  std::string logs_;
  Fd lock_;
  std::unique_ptr<executors::process::ProcessExecutor> processes_;
  std::unique_ptr<executors::http::HttpExecutor> requests_;
  net::Cancellation claiming_;  // ends claims
  net::Cancellation calling_;   // ends all calls
  std::atomic<bool> away_ = false;
  std::vector<std::thread> threads_;
  bool running_ = false;  // of start() and stop()

  std::mutex log_mutex_;  // guards the senders
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::map<Token, Attempt> attempts_;
  std::deque<Token> waiting_;  // in the order in which they came
  std::deque<Token> ended_;    // to be reported
  std::uint32_t under_way_ = 0;
  Duration lease_ = kFirstLease;
  Clock::time_point heard_;  // the server, last
  bool registered_ = false;
  bool draining_ = false;
  bool stopping_ = false;
  std::optional<Error> fatal_;
};

}  // namespace

Result<std::unique_ptr<Worker>> Worker::start(WorkerOptions options) {
  auto worker = std::make_unique<RemoteWorker>(std::move(options));
  TRY_VOID(worker->start());
  return std::unique_ptr<Worker>(std::move(worker));
}

}  // namespace baton::worker
