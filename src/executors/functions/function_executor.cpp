#include "executors/functions/function_executor.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "secrets/outcome.hpp"

namespace baton::executors::functions {
namespace {

namespace json = boost::json;

model::Outcome failed(const char* type, std::string message, bool never_retry = false) {
  model::Outcome outcome{.kind = model::Outcome::Kind::failed};
  outcome.failure = {.type = type, .message = std::move(message), .never_retry = never_retry};
  return outcome;
}

// An attempt here. It ends once: by its function, or by who ends it before.
class Job final : public Call {
 public:
  Job(Attempt attempt, const Options& options) : attempt_(std::move(attempt)), options_(options) {}

  const Attempt& attempt() const override { return attempt_; }
  std::string_view function() const override { return name_; }
  const json::value& input() const override { return input_; }
  EndReason end_reason() const override { return reason_.load(std::memory_order_acquire); }

  EndReason wait_for_end(Duration longest) const override {
    std::unique_lock lock(mutex_);
    asked_.wait_for(lock, longest.chrono(), [&] { return end_reason() != EndReason::none; });
    return end_reason();
  }

  void print(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    if (ended_ || !options_.printer) return;
    print_masked(mask_.next(text));
  }

  // The function to call; null: how it ended already is in `outcome`.
  std::shared_ptr<const Function> prepare(model::Outcome& outcome) {
    boost::system::error_code error;
    json::value spec = parse_json(attempt_.spec, error, {}, {.max_depth = kReadJsonDepth});
    const json::object* object = error ? nullptr : spec.if_object();
    const json::value* name = object != nullptr ? object->if_contains("function") : nullptr;
    if (name == nullptr || !name->is_string()) {
      outcome = failed(model::error_type::kValidation, "what is to be called cannot be read", true);
      return nullptr;
    }
    name_ = name->get_string();
    if (json::value* with = spec.get_object().if_contains("with")) input_ = std::move(*with);
    auto function = options_.functions->find(name_);
    // It was there when the task was claimed.
    if (!function) outcome = {.kind = model::Outcome::Kind::interrupted};
    return function;
  }

  void ask(EndReason reason) {
    {
      const std::lock_guard lock(mutex_);
      if (end_reason() != EndReason::none) return;
      reason_.store(reason, std::memory_order_release);
    }
    asked_.notify_all();
  }

  // False: it had ended before.
  bool end() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return false;
    print_masked(mask_.finish());
    if (printer_) printer_->close();
    return true;
  }

 private:
  void print_masked(std::string_view text) {  // under the lock
    if (text.empty()) return;
    if (!printer_) printer_ = options_.printer(attempt_);
    if (printer_) printer_->print(text);
  }

  const Attempt attempt_;
  const Options& options_;
  std::string name_;
  json::value input_;
  std::atomic<EndReason> reason_ = EndReason::none;
  mutable std::mutex mutex_;
  mutable std::condition_variable asked_;
  // Guarded by mutex_.
  std::unique_ptr<Printer> printer_;
  secrets::RedactedStream mask_{attempt_.redactor};
  bool ended_ = false;
};

}  // namespace

class FunctionExecutor::Pool {
 public:
  Pool(Options options, Listener listener) : options_(std::move(options)), listener_(std::move(listener)) {
    const std::lock_guard lock(mutex_);
    for (std::uint32_t i = 0; i < options_.threads; ++i) add_thread();
  }

  ~Pool() {
    shutdown();
    for (std::thread& thread : threads_) thread.join();  // none is added any more
  }

  void start(Attempt attempt) {
    const Token token = attempt.token;
    auto job = std::make_shared<Job>(std::move(attempt), options_);
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || !jobs_.emplace(token, job).second) return;
      waiting_.push_back(std::move(job));
    }
    work_.notify_one();
  }

  void stop(const Token& token, StopMode mode) {
    std::shared_ptr<Job> job;
    bool begun = false;
    {
      const std::lock_guard lock(mutex_);
      const auto found = jobs_.find(token);
      if (found == jobs_.end()) return;
      job = found->second;
      begun = std::erase(waiting_, job) == 0;
    }
    job->ask(EndReason::cancelled);
    if (!begun) {
      end(*job, failed(model::error_type::kCancelled, "it was stopped before it began"));
    } else if (mode == StopMode::hard &&
               end(*job, failed(model::error_type::kCancelled, "ended by the server"))) {
      replace_thread();
    }
  }

  Reattached reattach(const Token& token) {
    const std::lock_guard lock(mutex_);
    return jobs_.contains(token) ? Reattached::running : Reattached::gone;
  }

  std::vector<Token> withdraw() {
    std::vector<Token> tokens;
    const std::lock_guard lock(mutex_);
    for (const auto& job : waiting_) {
      tokens.push_back(job->attempt().token);
      jobs_.erase(job->attempt().token);
    }
    waiting_.clear();
    return tokens;
  }

  void shutdown() {
    std::vector<std::shared_ptr<Job>> open;
    std::deque<std::shared_ptr<Job>> unbegun;
    {
      std::unique_lock lock(mutex_);
      if (std::exchange(closed_, true)) return;
      unbegun.swap(waiting_);
      for (const auto& [token, job] : jobs_) open.push_back(job);
    }
    work_.notify_all();
    for (const auto& job : unbegun) end(*job, {.kind = model::Outcome::Kind::interrupted});
    for (const auto& job : open) job->ask(EndReason::shutdown);
    {
      std::unique_lock lock(mutex_);
      ended_.wait_for(lock, options_.grace.chrono(), [&] { return jobs_.empty(); });
    }
    for (const auto& job : open) end(*job, {.kind = model::Outcome::Kind::interrupted});
  }

 private:
  void add_thread() {  // under the lock
    threads_.emplace_back([this] { work(); });
  }

  // One of the threads has a function that its attempt does not wait for. Those before it that have come back
  // meanwhile go: an ended thread keeps its stack until it is joined.
  void replace_thread() {
    std::vector<std::thread> ended;
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      ++abandoned_;
      for (const std::thread::id id : std::exchange(returned_, {})) {
        const auto thread = std::ranges::find(threads_, id, &std::thread::get_id);
        ended.push_back(std::move(*thread));
        threads_.erase(thread);
      }
      add_thread();
    }
    for (std::thread& thread : ended) thread.join();
  }

  // False: it had ended before.
  bool end(Job& job, model::Outcome outcome) {
    if (!job.end()) return false;
    secrets::mask(job.attempt().redactor.get(), outcome);
    listener_.finished(job.attempt().token, std::move(outcome));
    const std::lock_guard lock(mutex_);
    jobs_.erase(job.attempt().token);
    if (jobs_.empty()) ended_.notify_all();
    return true;
  }

  void work() {
    for (;;) {
      std::shared_ptr<Job> job;
      {
        std::unique_lock lock(mutex_);
        work_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
        if (closed_) return;
        job = std::move(waiting_.front());
        waiting_.pop_front();
      }
      if (carry_out(*job)) continue;
      const std::lock_guard lock(mutex_);  // its place was taken while the function went on
      if (abandoned_ > 0) {
        --abandoned_;
        returned_.push_back(std::this_thread::get_id());
        return;
      }
    }
  }

  // False: the attempt ended before its function did.
  bool carry_out(Job& job) {
    model::Outcome outcome;
    if (const auto function = job.prepare(outcome)) {
      outcome = (*function)(job);
    }
    return end(job, std::move(outcome));
  }

  const Options options_;
  const Listener listener_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable ended_;
  // Guarded by mutex_.
  std::deque<std::shared_ptr<Job>> waiting_;
  std::unordered_map<Token, std::shared_ptr<Job>> jobs_;  // that have not ended
  std::vector<std::thread> threads_;
  std::vector<std::thread::id> returned_;  // of threads_, about to end
  std::uint32_t abandoned_ = 0;            // threads that end when their function does
  bool closed_ = false;
};

FunctionExecutor::FunctionExecutor(Options options, Listener listener)
    : pool_(std::make_unique<Pool>(std::move(options), std::move(listener))) {}
FunctionExecutor::~FunctionExecutor() = default;
void FunctionExecutor::start(Attempt attempt) {
  pool_->start(std::move(attempt));
}
void FunctionExecutor::stop(const Token& token, StopMode mode) {
  pool_->stop(token, mode);
}
Reattached FunctionExecutor::reattach(const Token& token) {
  return pool_->reattach(token);
}
void FunctionExecutor::shutdown() {
  pool_->shutdown();
}
std::vector<Token> FunctionExecutor::withdraw() {
  return pool_->withdraw();
}

}  // namespace baton::executors::functions
