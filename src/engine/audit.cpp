#include "engine/audit.hpp"

#include "base/text.hpp"
#include "model/audit.hpp"

namespace baton::engine {
namespace {

constexpr std::size_t kMostDetail = 1024;

struct What {
  bool audited = false;
  std::string target;
  std::string detail;
};

What change(std::string target, std::string detail = {}) {
  return {true, std::move(target), std::move(detail)};
}

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) {
    if (text.size() > kMostDetail) break;
    text += (text.empty() ? "" : " ") + item;
  }
  return text;
}

std::string with_reason(std::string what, const std::string& reason) {
  if (reason.empty()) return what;
  return what.empty() ? reason : what + ": " + reason;
}

std::string_view verdict_of(model::DecideTask::Verdict verdict) {
  switch (verdict) {
    case model::DecideTask::Verdict::retry:
      return "retry";
    case model::DecideTask::Verdict::skip:
      return "skip";
    case model::DecideTask::Verdict::complete:
      return "complete";
    case model::DecideTask::Verdict::fail:
      return "fail";
  }
  return "";
}

std::string target_of(const model::PauseTarget& target) {
  std::string text = target.run == RunId{} ? "" : target.run.text();
  if (!target.name.empty()) text += (text.empty() ? "" : " ") + target.name;
  return std::string(model::name(target.kind)) + ' ' + text;
}

bool is_drain(const model::PauseCommand& command) {
  return command.target.kind == model::BlockerKind::worker_draining;
}

// One for each command, so that a new one has to say it.
What what(const model::CancelRun& c) {
  return change(c.run.text(), with_reason(c.no_cleanup  ? "terminate without cleanup"
                                          : c.terminate ? "terminate"
                                          : c.give_up   ? "give up"
                                                        : "",
                                          c.reason));
}
What what(const model::PauseCommand& c) {
  if (is_drain(c)) return change(c.target.name, c.why);
  return change(target_of(c.target), c.why);
}
What what(const model::ResumeCommand& c) {
  return change(target_of(c.target));
}
What what(const model::RecoverRun& c) {
  return change(c.run.text(), with_reason(c.from.empty() ? "" : "from " + c.from, c.reason));
}
What what(const model::DecideTask& c) {
  return change(c.task.text(),
                with_reason(std::string(verdict_of(c.verdict)) + (c.force ? " by force" : ""), c.reason));
}
What what(const model::ChangeRun& c) {
  std::string fields;
  if (c.priority) fields += " priority=" + std::to_string(*c.priority);
  if (!c.metadata.empty()) fields += " metadata";
  if (!c.labels.empty()) fields += " labels";
  return change(c.run.text(), fields.empty() ? "" : fields.substr(1));
}
What what(const model::DiscardDeadLetters& c) {
  return change(std::to_string(c.ids.size()), joined(c.ids));
}
What what(const model::ForceBreaker& c) {
  return change(c.name, with_reason(std::string(model::name(c.force)), c.reason));
}
What what(const model::AnswerApproval& c) {
  return change(c.task.text(), with_reason(c.approved ? "approved" : "rejected", c.reason));
}
What what(const model::CleanResource& c) {
  return change(c.task.text(), c.name);
}
What what(const model::SetLimit& c) {
  return change(c.name, with_reason(c.limit ? std::to_string(*c.limit) : "taken away", c.reason));
}
What what(const model::SetQueue& c) {
  return change(
      c.name,
      with_reason(c.max_waiting ? "max_waiting=" + std::to_string(*c.max_waiting) : "weights", c.reason));
}
What what(const model::SetRoute& c) {
  return change(c.pattern, with_reason(c.queue ? *c.queue : "taken away", c.reason));
}
What what(const model::ForgetResults& c) {
  return change(std::to_string(c.keys.size()), joined(c.keys));
}
What what(const model::ApplyWorkflow& c) {
  return change(c.workflow->name, with_reason(c.workflow->hash.hex().substr(0, 12), c.note));
}
What what(const model::MakeDraft& c) {
  return change(c.name, c.title);
}
What what(const model::RemoveRuns& c) {
  if (c.dry_run) return {};
  std::vector<std::string> runs;
  for (const RunId& run : c.runs) runs.push_back(run.text());
  return change(std::to_string(c.runs.size()), with_reason(joined(runs), c.reason));
}
What what(const model::CreateKey& c) {
  return change(c.name, with_reason(std::string(model::name(c.role)) + " of " + c.space, c.reason));
}
What what(const model::CreateNamespace& c) {
  return change(c.name, c.reason);
}
What what(const model::DeleteNamespace& c) {
  return change(c.name, c.reason);
}
What what(const model::CloseShard&) {
  return change("");
}
What what(const model::RevokeKey& c) {
  return change(c.name, c.reason);
}
What what(const model::SetSecret& c) {
  return change(c.name, c.reason);
}
What what(const model::DeleteSecret& c) {
  return change(c.name, c.reason);
}
What what(const model::NoteChange& c) {
  return change(c.target, c.detail);
}

// The work itself, and what only asks.
What what(const model::SubmitRun&) {
  return {};
}
What what(const model::SendSignal&) {
  return {};
}
What what(const model::ClaimTasks&) {
  return {};
}
What what(const model::Heartbeat&) {
  return {};
}
What what(const model::ReportAttempt&) {
  return {};
}
What what(const model::ReleaseAttempt&) {
  return {};
}
What what(const model::LoseWorker&) {
  return {};
}
What what(const model::StartShard&) {
  return {};
}
What what(const model::Tick&) {
  return {};
}
What what(const model::Continue&) {
  return {};
}
What what(const model::Explain&) {
  return {};
}
What what(const model::AskSurvey&) {
  return {};
}
What what(const model::RegisterResource&) {
  return {};
}
What what(const model::ReleaseResource&) {
  return {};
}
What what(const model::ReportProgress&) {
  return {};
}
What what(const model::AddTasks&) {
  return {};
}
What what(const model::FilesDeleted&) {
  return {};
}
What what(const model::NoteKeyUse&) {
  return {};
}

std::string action_of(const model::Command& command) {
  if (const auto* note = std::get_if<model::NoteChange>(&command.body)) return note->action;
  if (const auto* pause = std::get_if<model::PauseCommand>(&command.body);
      pause != nullptr && is_drain(*pause))
    return "drain worker";
  return std::string(model::name(command.body));
}

}  // namespace

void audit(State& state, const model::Command& command, const Moment& moment, Effects& effects) {
  if (command.from.empty() || effects.refused()) return;
  What done = std::visit([](const auto& body) { return what(body); }, command.body);
  if (!done.audited) return;
  model::AuditHead head;
  if (const model::Record* record = state.record(model::audit_head_key())) {
    // A damaged head begins another chain, behind the one that there is: the check finds the place.
    if (auto known = model::audit_head_of(*record)) head = *known;
  }
  const bool first = head.sequence != state.sequence;  // of this commit
  const model::AuditEntry entry{.sequence = state.sequence,
                                .place = first ? 0 : head.place + 1,
                                .number = head.count + 1,
                                .at = moment.wall,
                                .actor = command.actor,
                                .from = command.from,
                                .action = action_of(command),
                                .target = std::string(utf8_prefix(done.target, kMostDetail)),
                                .detail = std::string(utf8_prefix(done.detail, kMostDetail)),
                                .previous = head.hash};
  effects.put(model::to_record(entry));
  effects.put(model::to_record(model::AuditHead{entry.number, entry.sequence, entry.place, entry.hash()}));
}

}  // namespace baton::engine
