#include "runtime/local_worker.hpp"

#include "logs/paths.hpp"
#include "secrets/outcome.hpp"

namespace baton::runtime {
namespace {

// In-process claims wait as long as there is nothing to do.
constexpr Duration kClaimWait = Duration::hours(24);
constexpr Duration kRetryPause = Duration::millis(500);

}  // namespace

executors::Executor& Executors::of(model::StepKind kind) const {
  if (kind == model::StepKind::task && functions != nullptr) return *functions;
  return kind == model::StepKind::http ? requests : processes;
}

executors::Listener LocalWorker::listener() {
  return {.started = [](const Token&) {},
          .finished =
              [self = weak_from_this()](const Token& token, model::Outcome outcome) {
                if (const auto worker = self.lock()) worker->finished(token, std::move(outcome));
              }};
}

void LocalWorker::finished(const Token& token, model::Outcome outcome) {
  TaskId task;
  {
    const std::unique_lock lock(shared_.mutex);
    const auto found = shared_.attempts.find(token);
    if (found == shared_.attempts.end()) return;
    task = found->second.task;
    shared_.attempts.erase(found);
    ++shared_.reporting;
  }
  report(token, task, std::make_shared<const model::Outcome>(std::move(outcome)));
  // The room is claimed along with the report: what the report makes ready can start with its commit.
  claim();
}

void LocalWorker::start(const Executors& executors) {
  executors_.emplace(executors);
  claim();
}

// Never more than there is room for with all that may still come: a claim that was given something is
// answered only when that is stored.
void LocalWorker::claim(Newest newest) {
  std::uint64_t number = 0;
  std::uint32_t room = 0;
  {
    const std::unique_lock lock(shared_.mutex);
    if (shared_.draining) return;
    std::size_t taken = shared_.attempts.size();
    for (const auto& [asked, tasks] : shared_.asked) {
      if (newest == Newest::counted || asked != shared_.claim) taken += tasks;
    }
    if (taken >= options_.concurrency) return;
    room = options_.concurrency - static_cast<std::uint32_t>(taken);
    const auto waiting = shared_.asked.find(shared_.claim);
    if (newest == Newest::widened && waiting != shared_.asked.end() && waiting->second >= room) return;
    number = ++shared_.claim;
    shared_.asked.emplace(number, room);
  }
  model::ClaimTasks claim{options_.name, true, options_.queues, room, kClaimWait};
  if (options_.functions) claim.abilities.functions = options_.functions();
  loop_.send(
      std::move(claim), "worker:" + options_.name,
      [self = shared_from_this(), number](model::ReplyBody reply) { self->take(number, std::move(reply)); });
}

// False: the attempt is not to be started. While draining; and where a claim that was taken to wait, and
// replaced by a wider one, had been given something just then.
bool LocalWorker::hold(const model::Assignment& assignment) {
  const std::unique_lock lock(shared_.mutex);
  if (shared_.draining || shared_.attempts.size() >= options_.concurrency) return false;
  shared_.attempts.emplace(assignment.token, Held{assignment.task, &executors_->of(assignment.kind)});
  return true;
}

// The values of secrets come in here, after the commit that gave the attempt to this worker, and go nowhere
// but into the attempt.
std::optional<model::Outcome> LocalWorker::begin(model::Assignment assignment) {
  executors::Executor& executor = executors_->of(assignment.kind);
  executors::Attempt attempt;
  attempt.token = assignment.token;
  attempt.task = assignment.task;
  attempt.space = options_.space;
  attempt.step = std::move(assignment.step);
  attempt.number = assignment.attempt;
  attempt.log_path = logs::attempt_path(assignment.task, assignment.attempt);
  attempt.spec = std::move(assignment.spec);
  if (assignment.soft_end.us > 0) {
    constexpr Duration kLongest = Duration::hours(24 * 365 * 30);  // more is more than a clock can count
    const auto now = std::chrono::steady_clock::now();
    attempt.soft_end = now + std::min(assignment.soft_end, kLongest).chrono();
    attempt.hard_end = now + std::min(assignment.hard_end, kLongest).chrono();
  }
  if (assignment.sealed) {
    if (options_.vault == nullptr) {
      return secrets::refused({ErrorCode::unsupported, "there are no secrets here", ""});
    }
    auto revealed = options_.vault->reveal(attempt.spec);
    if (!revealed) return secrets::refused(revealed.error());
    attempt.spec = std::move(*revealed);
    attempt.has_secrets = true;
  }
  // Also of attempts without secrets: what another one has left in a file may be printed here.
  if (options_.vault != nullptr) attempt.redactor = options_.vault->redactor();
  executor.start(std::move(attempt));
  return std::nullopt;
}

void LocalWorker::take(std::uint64_t number, model::ReplyBody reply) {
  Newest newest = Newest::counted;
  if (auto* claimed = std::get_if<model::Claimed>(&reply)) {
    std::vector<std::pair<Token, model::Outcome>> refused;
    for (model::Assignment& assignment : claimed->tasks) {
      if (!hold(assignment)) {
        loop_.send(model::ReleaseAttempt{assignment.token, assignment.task}, "worker:" + options_.name,
                   [](const model::ReplyBody&) {});
        continue;
      }
      const Token token = assignment.token;
      if (auto outcome = begin(std::move(assignment))) refused.emplace_back(token, std::move(*outcome));
    }
    // Only now: their room is claimed again at once.
    for (auto& [token, outcome] : refused) finished(token, std::move(outcome));
    const std::unique_lock lock(shared_.mutex);
    shared_.asked.erase(number);
    // A newer one waits by now, which was for what this one left.
    if (number != shared_.claim) newest = Newest::widened;
  } else if (const auto* error = std::get_if<Error>(&reply)) {
    {
      const std::unique_lock lock(shared_.mutex);
      shared_.asked.erase(number);
    }
    if (error->code == ErrorCode::unavailable) return;
    options_.later(kRetryPause, [self = shared_from_this()] { self->claim(); });
    return;
  }
  claim(newest);
}

void LocalWorker::report(const Token& token, const TaskId& task,
                         std::shared_ptr<const model::Outcome> outcome) {
  loop_.send(model::ReportAttempt{token, task, *outcome}, "worker:" + options_.name,
             [self = shared_from_this(), token, task, outcome](model::ReplyBody reply) {
               const auto* error = std::get_if<Error>(&reply);
               if (error != nullptr &&
                   (error->code == ErrorCode::read_only || error->code == ErrorCode::overloaded)) {
                 // The outcome is not lost: it is reported until it is stored.
                 self->options_.later(kRetryPause,
                                      [self, token, task, outcome] { self->report(token, task, outcome); });
                 return;
               }
               const std::unique_lock lock(self->shared_.mutex);
               --self->shared_.reporting;
               self->shared_.all_reported.notify_all();
             });
}

void LocalWorker::act(const model::StopAttempt& action) {
  if (action.worker != options_.name) return;
  executors::Executor* executor = nullptr;
  {
    const std::unique_lock lock(shared_.mutex);
    const auto found = shared_.attempts.find(action.token);
    if (found == shared_.attempts.end()) return;
    executor = found->second.executor;
  }
  executor->stop(action.token, action.mode == model::Stopping::hard ? executors::StopMode::hard
                                                                    : executors::StopMode::soft);
}

void LocalWorker::drain() {
  {
    const std::unique_lock lock(shared_.mutex);
    if (shared_.draining) return;
    shared_.draining = true;
  }
  // Takes the waiting claim back; a task that it was given meanwhile is released by take().
  loop_.send(model::ClaimTasks{options_.name, true, options_.queues, 0, Duration{}},
             "worker:" + options_.name, [](const model::ReplyBody&) {});
}

bool LocalWorker::wait_reported(Duration patience) {
  std::unique_lock lock(shared_.mutex);
  return shared_.all_reported.wait_for(lock, patience.chrono(),
                                       [&] { return shared_.attempts.empty() && shared_.reporting == 0; });
}

}  // namespace baton::runtime
