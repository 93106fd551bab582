#include "describe.hpp"

#include <fmt/format.h>

namespace baton::simulation {
namespace {

std::string short_of(const RunId& run) {
  return std::to_string(run.key().sequence());
}

std::string_view kind_of(const model::Outcome& outcome) {
  switch (outcome.kind) {
    case model::Outcome::Kind::completed:
      return "completed";
    case model::Outcome::Kind::failed:
      return "failed";
    case model::Outcome::Kind::interrupted:
      return "interrupted";
  }
  return "";
}

std::string target_of(const model::PauseTarget& target) {
  std::string text(model::name(target.kind));
  if (target.run != RunId{}) text += " of run " + short_of(target.run);
  return text + (target.name.empty() ? "" : " " + target.name);
}

struct CommandText {
  std::string operator()(const model::SubmitRun& c) const {
    return fmt::format("submit {} key={}", c.workflow->name, c.idempotency_key);
  }
  std::string operator()(const model::CancelRun& c) const {
    return fmt::format("cancel run {}{}", short_of(c.run), c.terminate ? " (terminate)" : "");
  }
  std::string operator()(const model::ClaimTasks& c) const { return fmt::format("claim of up to {}", c.max); }
  std::string operator()(const model::Heartbeat& c) const {
    std::string text = "heartbeat";
    for (const Token& token : c.running) text += " " + token.text();
    return text;
  }
  std::string operator()(const model::ReportAttempt& c) const {
    return fmt::format("report {} token={} {} {}", describe(c.task), c.token.text(), kind_of(c.outcome),
                       c.outcome.failure.type);
  }
  std::string operator()(const model::ReleaseAttempt& c) const {
    return fmt::format("release {} token={}", describe(c.task), c.token.text());
  }
  std::string operator()(const model::LoseWorker& c) const { return "lose worker " + c.worker; }
  std::string operator()(const model::PauseCommand& c) const { return "pause: " + target_of(c.target); }
  std::string operator()(const model::ResumeCommand& c) const { return "resume: " + target_of(c.target); }
  std::string operator()(const model::RecoverRun& c) const {
    return fmt::format("recover run {} from '{}'{}{}", short_of(c.run), c.from,
                       c.failed_only ? " failed only" : "", c.force ? " force" : "");
  }
  std::string operator()(const model::DecideTask& c) const {
    return fmt::format("decide {} verdict={}", describe(c.task), static_cast<int>(c.verdict));
  }
  std::string operator()(const model::SendSignal& c) const {
    return fmt::format("signal {} to run {}: {:.40} {}", c.name, short_of(c.run), c.data, c.key);
  }
  std::string operator()(const model::AnswerApproval& c) const {
    return fmt::format("{} {}", c.approved ? "approve" : "reject", describe(c.task));
  }
  std::string operator()(const model::ForceBreaker& c) const {
    return fmt::format("force breaker {} {}", c.name, model::name(c.force));
  }
  std::string operator()(const model::RegisterResource& c) const {
    return fmt::format("register {}:{} token={}", describe(c.task), c.name, c.token.text());
  }
  std::string operator()(const model::ReleaseResource& c) const {
    return fmt::format("release {}:{} token={}", describe(c.task), c.name, c.token.text());
  }
  std::string operator()(const model::CleanResource& c) const {
    return fmt::format("clean {}:{}", describe(c.task), c.name);
  }
  std::string operator()(const model::ChangeRun& c) const { return "change run " + short_of(c.run); }
  std::string operator()(const model::Explain& c) const { return "explain run " + short_of(c.run); }
  template <typename Other>
  std::string operator()(const Other& other) const {
    return std::string(model::name(model::CommandBody(other)));
  }
};

struct ReplyText {
  std::string operator()(const Error& e) const { return fmt::format("{}: {}", info(e.code).name, e.message); }
  std::string operator()(const model::Submitted& r) const {
    return fmt::format("run {}{}", short_of(r.run), r.existing ? " (existing)" : "");
  }
  std::string operator()(const model::CancelAccepted& r) const { return std::string(model::name(r.status)); }
  std::string operator()(const model::Claimed& r) const {
    std::string text = "claimed";
    for (const model::Assignment& a : r.tasks)
      text += fmt::format(" {}#{} token={}", describe(a.task), a.attempt, a.token.text());
    return text;
  }
  std::string operator()(const model::HeartbeatAnswer& r) const {
    std::string text = "alive";
    for (const auto& [token, mode] : r.stop)
      text += fmt::format(" stop {} {}", token.text(), static_cast<int>(mode));
    return text;
  }
  std::string operator()(const model::ReportAccepted& r) const {
    return "accepted, the task is " + std::string(model::name(r.status));
  }
  std::string operator()(const model::SignalAccepted& r) const {
    return fmt::format("signal {}{}", r.number, r.existing ? " (existing)" : "");
  }
  std::string operator()(const model::RunAccepted& r) const {
    return "accepted, the run is " + std::string(model::name(r.status));
  }
  std::string operator()(const model::Explanation& r) const {
    std::string text = r.status;
    for (const model::Reason& reason : r.reasons) text += " " + reason.code + " (" + reason.message + ")";
    return text;
  }
  template <typename Other>
  std::string operator()(const Other&) const {
    return "done";
  }
};

}  // namespace

std::string describe(const TaskId& task) {
  return fmt::format("{}.{}", task.run.key().sequence(), task.ordinal);
}
std::string describe(const model::CommandBody& body) {
  return std::visit(CommandText{}, body);
}
std::string describe(const model::ReplyBody& reply) {
  return std::visit(ReplyText{}, reply);
}
std::string describe(RunKey run, const model::Fact& fact) {
  std::string text(model::name(fact.kind));
  text += model::is_task_fact(fact.kind) ? fmt::format(" {}.{}", run.sequence(), fact.task)
                                         : fmt::format(" {}", run.sequence());
  if (fact.attempt > 0) text += fmt::format(" #{}", fact.attempt);
  if (fact.status > 0) text += fmt::format(" status={}", fact.status);
  if (fact.number != 0) text += fmt::format(" {}", fact.number);
  if (!fact.text.empty()) text += " " + fact.text;
  if (!fact.other.empty()) text += " (" + fact.other + ")";
  return text;
}

}  // namespace baton::simulation
