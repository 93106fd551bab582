#include "simulate/worker.hpp"

#include <utility>

#include "simulate/world.hpp"

namespace baton::simulate {
namespace {

constexpr Duration kClaimWait = Duration::hours(24);
constexpr Duration kHeartbeat = Duration::seconds(10);
constexpr Duration kRetryPause = Duration::millis(500);

model::Outcome killed_by(int signal, const char* abbreviation) {
  return {.kind = model::Outcome::Kind::failed,
          .result = {},
          .failure = {.type = model::error_type::kSignal,
                      .message = "killed by signal " + std::to_string(signal) + " (" + abbreviation + ")",
                      .signal = signal}};
}

}  // namespace

std::string default_result(model::StepKind kind) {
  if (kind == model::StepKind::run || kind == model::StepKind::exec) return R"({"stdout":"","exit_code":0})";
  if (kind == model::StepKind::http) return R"({"status":200,"headers":{},"body":null})";
  return "null";
}

// ---- Life and death

void Worker::start() {
  if (alive_) return;
  alive_ = true;
  ++life_;
  name_ = life_ == 1 || options_.in_process ? options_.name : options_.name + "-" + std::to_string(life_);
  if (!options_.in_process) beat();
  claim();
}

void Worker::kill() {
  alive_ = false;
  attempts_.clear();
  untold_.clear();
  unreported_.clear();
}

void Worker::owner_started() {
  if (options_.in_process) {
    start();
    return;
  }
  if (!alive_ || cut_) return;
  for (Told& told : std::exchange(untold_, {})) tell(std::move(told.what), told.task, told.token);
  for (const auto& [token, waiting] : std::map(unreported_)) report(waiting);
  heartbeat();
  claim();
}

void Worker::cut() {
  cut_ = true;
}

void Worker::reconnect() {
  cut_ = false;
  if (world_.has_owner()) owner_started();
}

void Worker::owner_died() {
  if (options_.in_process) kill();
}

// ---- Claims

void Worker::claim() {
  if (!alive_ || draining_ || cut_ || attempts_.size() >= options_.concurrency) return;
  const auto room = options_.concurrency - static_cast<std::uint32_t>(attempts_.size());
  const std::uint64_t number = ++claim_;
  const std::uint64_t life = life_;
  world_.send(model::ClaimTasks{name_, options_.in_process, options_.queues, room, kClaimWait, {true, {"*"}}},
              "worker:" + name_, [this, number, life](model::ReplyBody reply) {
                if (!alive_ || cut_ || life != life_) return;
                if (const auto* error = std::get_if<Error>(&reply)) {
                  // Of an owner that is gone nothing comes back: the next one is asked anew.
                  if (error->code != ErrorCode::unavailable) {
                    world_.after(kRetryPause, [this] { claim(); });
                  }
                  return;
                }
                take(std::move(reply));
                if (number == claim_) claim();
              });
}

void Worker::take(model::ReplyBody reply) {
  auto* claimed = std::get_if<model::Claimed>(&reply);
  if (claimed == nullptr) return;
  for (model::Assignment& assignment : claimed->tasks) begin(std::move(assignment));
}

// ---- Attempts

void Worker::begin(model::Assignment assignment) {
  const Token token = assignment.token;
  Attempt& attempt = attempts_[token];
  attempt.behaviour = behave_(assignment);
  attempt.assignment = std::move(assignment);
  const Behaviour behaviour = attempt.behaviour;
  for (const std::string& name : behaviour.resources) {
    const TaskId task = attempt.assignment.task;
    tell(model::RegisterResource{token, task, name, {"give-back", name}, "/"}, task, token);
  }
  for (model::AddTasks add : behaviour.adds) {
    add.token = token;
    add.task = attempt.assignment.task;
    const TaskId task = add.task;
    tell(std::move(add), task, token);
  }
  if (behaviour.beats) give_sign(token);
  if (!behaviour.takes) return;
  if (!behaviour.kills_worker) {
    plan_end(token, *behaviour.takes, behaviour.outcome);
    return;
  }
  const std::uint64_t life = life_;
  world_.after(*behaviour.takes, [this, token, life] {
    if (!alive_ || life != life_ || !attempts_.contains(token)) return;
    if (options_.in_process) {
      world_.kill_owner();
      world_.start_owner();
      return;
    }
    kill();
    start();
  });
}

void Worker::plan_end(const Token& token, Duration after, model::Outcome outcome) {
  const std::uint64_t plan = ++last_plan_;
  attempts_.at(token).plan = plan;
  world_.after(after, [this, token, plan, outcome = std::move(outcome)] {
    const auto found = attempts_.find(token);
    if (found != attempts_.end() && found->second.plan == plan) end(token, outcome);
  });
}

void Worker::stop(const Token& token, model::Stopping mode) {
  if (cut_) return;
  const auto found = attempts_.find(token);
  if (found == attempts_.end()) return;
  Attempt& attempt = found->second;
  if (mode == model::Stopping::hard) {
    plan_end(token, Duration{}, killed_by(9, "SIGKILL"));
    attempt.stopping = mode;
    return;
  }
  if (attempt.stopping != model::Stopping::none) return;
  attempt.stopping = mode;
  switch (attempt.behaviour.on_stop) {
    case Behaviour::OnStop::ends:
      plan_end(token, Duration{}, killed_by(15, "SIGTERM"));
      break;
    case Behaviour::OnStop::ignores:
      break;
    case Behaviour::OnStop::outcome:
      plan_end(token, attempt.behaviour.stop_takes, attempt.behaviour.stop_outcome);
      break;
  }
}

void Worker::end(const Token& token, model::Outcome outcome) {
  const auto found = attempts_.find(token);
  const TaskId task = found->second.assignment.task;
  attempts_.erase(found);
  report({token, task, std::move(outcome)});
  // The room is claimed along with the report, as the real worker does.
  claim();
}

void Worker::tell(model::CommandBody what, const TaskId& task, const Token& token) {
  if (cut_) return;
  const std::uint64_t number = ++last_told_;
  untold_.push_back({number, what, task, token});
  const std::uint64_t life = life_;
  const bool must = std::holds_alternative<model::AddTasks>(what);
  world_.send(std::move(what), "task:" + task.text(),
              [this, number, life, must, token](const model::ReplyBody& reply) {
                if (!alive_ || life != life_) return;
                const auto* error = std::get_if<Error>(&reply);
                if (error != nullptr && error->code == ErrorCode::unavailable)
                  return;  // the next owner gets it
                std::erase_if(untold_, [&](const Told& told) { return told.number == number; });
                if (error == nullptr || !must || !attempts_.contains(token)) return;
                // As a script that ends with the first command that fails.
                plan_end(token, Duration{},
                         {.kind = model::Outcome::Kind::failed,
                          .failure = {.type = model::error_type::kExit,
                                      .message = std::string(info(error->code).name) + ": " + error->message,
                                      .exit_code = 1}});
              });
}

void Worker::give_sign(const Token& token) {
  const auto found = attempts_.find(token);
  if (found == attempts_.end()) return;
  if (!cut_) {
    const TaskId task = found->second.assignment.task;
    world_.send(model::ReportProgress{.token = token, .task = task}, "task:" + task.text(),
                [](const model::ReplyBody&) {});
  }
  world_.after(*found->second.behaviour.beats, [this, token] { give_sign(token); });
}

void Worker::report(model::ReportAttempt report) {
  unreported_[report.token] = report;
  if (cut_) return;
  world_.note(report);
  const std::uint64_t life = life_;
  const Token token = report.token;
  world_.send(std::move(report), "worker:" + name_, [this, token, life](const model::ReplyBody& reply) {
    if (!alive_ || life != life_) return;
    const auto* error = std::get_if<Error>(&reply);
    if (error != nullptr && error->code == ErrorCode::unavailable) return;  // the next owner gets it
    if (error != nullptr && (error->code == ErrorCode::read_only || error->code == ErrorCode::overloaded)) {
      world_.after(kRetryPause, [this, token, life] {
        const auto waiting = unreported_.find(token);
        if (alive_ && life == life_ && waiting != unreported_.end()) this->report(waiting->second);
      });
      return;
    }
    unreported_.erase(token);
  });
}

// ---- Lease

void Worker::heartbeat() {
  if (cut_) return;
  model::Heartbeat heartbeat{name_, {}};
  for (const auto& [token, attempt] : attempts_) heartbeat.running.push_back(token);
  for (const auto& [token, report] : unreported_) heartbeat.running.push_back(token);
  const std::uint64_t life = life_;
  world_.send(std::move(heartbeat), "worker:" + name_, [this, life](const model::ReplyBody& reply) {
    if (!alive_ || cut_ || life != life_) return;
    const auto* answer = std::get_if<model::HeartbeatAnswer>(&reply);
    if (answer == nullptr) return;
    for (const auto& [token, mode] : answer->stop) stop(token, mode);
  });
}

void Worker::beat() {
  heartbeat();
  const std::uint64_t life = life_;
  world_.after(kHeartbeat, [this, life] {
    if (alive_ && life == life_) beat();
  });
}

}  // namespace baton::simulate
