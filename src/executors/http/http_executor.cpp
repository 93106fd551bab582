#include "executors/http/http_executor.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "executors/http/exchange.hpp"
#include "secrets/outcome.hpp"

namespace baton::executors::http {
namespace {

using model::Outcome;
namespace error_type = model::error_type;

constexpr auto kIdleThread = std::chrono::seconds(10);

Outcome failure(const char* type, std::string message, bool never_retry = false) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::failed;
  outcome.failure = {.type = type, .message = std::move(message), .never_retry = never_retry};
  return outcome;
}

Outcome interruption() {
  Outcome outcome;
  outcome.kind = Outcome::Kind::interrupted;
  outcome.failure = {.type = error_type::kInterrupted, .message = "the server stopped"};
  return outcome;
}

}  // namespace

class HttpExecutor::Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(Options options, Listener listener) : options_(std::move(options)), listener_(std::move(listener)) {}

  void start(Attempt attempt) {
    const Token token = attempt.token;
    bool refused = false;
    {
      const std::lock_guard lock(shared_.mutex);
      if (shared_.closing) return;
      auto work = std::make_shared<Work>();
      work->attempt = std::move(attempt);
      if (!shared_.accepted.emplace(token, work).second) return;
      shared_.queue.push_back(std::move(work));
      if (shared_.idle < shared_.queue.size() && shared_.threads < options_.threads) refused = !add_thread();
      if (refused) {
        shared_.queue.pop_back();
        shared_.accepted.erase(token);
      }
      shared_.changed.notify_one();
    }
    if (refused)
      listener_.finished(token, failure(error_type::kConnection, "no thread can be started for the request"));
  }

  void stop(const Token& token) {
    std::shared_ptr<Work> unstarted;
    {
      const std::lock_guard lock(shared_.mutex);
      const auto found = shared_.accepted.find(token);
      if (found == shared_.accepted.end()) return;
      if (std::erase(shared_.queue, found->second) == 1) {
        unstarted = found->second;
        shared_.accepted.erase(found);
        ++shared_.reporting;
      } else {
        found->second->cancel.cancel();
      }
    }
    if (!unstarted) return;
    listener_.finished(token, failure(error_type::kCancelled, "stopped before it was started"));
    const std::lock_guard lock(shared_.mutex);
    --shared_.reporting;
    shared_.changed.notify_all();
  }

  bool accepted(const Token& token) {
    const std::lock_guard lock(shared_.mutex);
    return shared_.accepted.contains(token);
  }

  void shutdown() {
    std::deque<std::shared_ptr<Work>> unstarted;
    {
      const std::lock_guard lock(shared_.mutex);
      shared_.closing = true;
      unstarted.swap(shared_.queue);
      for (const auto& work : unstarted) shared_.accepted.erase(work->attempt.token);
      for (const auto& [token, work] : shared_.accepted) work->cancel.cancel();
      shared_.changed.notify_all();
    }
    for (const auto& work : unstarted) listener_.finished(work->attempt.token, interruption());
    std::unique_lock lock(shared_.mutex);
    shared_.changed.wait(lock, [&] { return shared_.threads == 0 && shared_.reporting == 0; });
  }

 private:
  struct Work {
    Attempt attempt;
    net::Cancellation cancel;
  };
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::shared_ptr<Work>> queue;
    std::map<Token, std::shared_ptr<Work>> accepted;  // and not reported yet
    std::size_t threads = 0;
    std::size_t idle = 0;       // of them
    std::size_t reporting = 0;  // calls of stop() that report
    bool closing = false;
  };

  // Under the lock. False: there is no thread, and none can be started.
  bool add_thread() {
    try {
      std::thread([self = shared_from_this()] { self->run(); }).detach();
      ++shared_.threads;
    } catch (const std::system_error&) {
      return shared_.threads > 0;  // then one of these will come to it
    }
    return true;
  }

  void run() {
    std::unique_lock lock(shared_.mutex);
    for (;;) {
      ++shared_.idle;
      const bool woken = shared_.changed.wait_for(lock, kIdleThread,
                                                  [&] { return shared_.closing || !shared_.queue.empty(); });
      --shared_.idle;
      if (shared_.queue.empty() && (shared_.closing || !woken)) break;
      const std::shared_ptr<Work> work = std::move(shared_.queue.front());
      shared_.queue.pop_front();
      lock.unlock();
      perform(*work);
      lock.lock();
    }
    --shared_.threads;
    shared_.changed.notify_all();
  }

  void perform(Work& work) {
    const Token token = work.attempt.token;
    listener_.started(token);
    Outcome outcome;
    try {
      outcome = outcome_of(work);
    } catch (const std::exception& e) {
      outcome =
          failure(error_type::kConnection, std::string("the request could not be carried out: ") + e.what());
    }
    bool closing = false;
    {
      const std::lock_guard lock(shared_.mutex);
      shared_.accepted.erase(token);
      closing = shared_.closing;
    }
    if (outcome.kind == Outcome::Kind::interrupted) {
      outcome =
          closing ? interruption() : failure(error_type::kCancelled, "stopped before the answer was there");
    }
    listener_.finished(token, std::move(outcome));
  }

  Outcome outcome_of(Work& work) {
    logs::Writer log(options_.logs + "/" + work.attempt.log_path, options_.log_limits);
    const secrets::Redactor* redactor = work.attempt.redactor.get();
    const auto write = [&](std::string_view line, bool trouble) {
      const std::string shown = redactor != nullptr ? redactor->mask(line) : std::string(line);
      log.write(trouble ? logs::Stream::err : logs::Stream::out, shown + "\n", options_.now());
    };
    Outcome outcome;
    auto request = parse_request(work.attempt);
    if (request) {
      const Surroundings world{.tls = tls_,
                               .addresses = options_.addresses,
                               .cancel = work.cancel,
                               .now = options_.now(),
                               .redactor = redactor,
                               .log = write};
      outcome = carry_out(std::move(*request), world);
    } else {
      outcome = failure(error_type::kValidation, request.error().message, true);
      write(request.error().message, true);
    }
    log.flush(options_.now());
    secrets::mask(redactor, outcome);
    return outcome;
  }

  const Options options_;
  const Listener listener_;
  TlsContexts tls_;
  Shared shared_;
};

HttpExecutor::HttpExecutor(Options options, Listener listener)
    : pool_(std::make_shared<Pool>(std::move(options), std::move(listener))) {}

HttpExecutor::~HttpExecutor() {
  shutdown();
}

void HttpExecutor::start(Attempt attempt) {
  pool_->start(std::move(attempt));
}

void HttpExecutor::stop(const Token& token, StopMode) {
  pool_->stop(token);
}

Reattached HttpExecutor::reattach(const Token& token) {
  return pool_->accepted(token) ? Reattached::running : Reattached::gone;
}

void HttpExecutor::shutdown() {
  pool_->shutdown();
}

}  // namespace baton::executors::http
