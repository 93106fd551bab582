#include <algorithm>

#include "base/text.hpp"
#include "engine/commands/commands.hpp"
#include "engine/generations.hpp"
#include "engine/load.hpp"
#include "engine/lookup.hpp"
#include "engine/run_limits.hpp"
#include "engine/versions.hpp"

namespace baton::engine::commands {
namespace {

using model::Recovery;
using model::RunStatus;

constexpr std::size_t kReasonLimit = 1000;  // bytes
constexpr std::size_t kMisfitsShown = 20;

Status may_recover(const Run& run, bool force) {
  const RunStatus status = run.row.status;
  const std::string id = "run " + run.row.id.text();
  if (status == RunStatus::completed) {
    return fail(ErrorCode::conflict,
                id + " is completed; a completed run stays as it is: replay it as a new run", "completed");
  }
  if (!model::is_terminal(status)) {
    return fail(ErrorCode::conflict,
                id + " is " + std::string(name(status)) +
                    "; only a run that has failed or was cancelled can be recovered" +
                    (status == RunStatus::paused ? "; this one can be resumed" : ""),
                std::string(name(status)));
  }
  const std::uint32_t limit = run.program->workflow().max_recovery_attempts;
  if (!force && run.row.recovery_attempts >= limit) {
    return fail(ErrorCode::conflict,
                id + " was recovered " + std::to_string(run.row.recovery_attempts) +
                    " times already, as often as its workflow allows; force it if you know that it helps now",
                std::string(name(status)));
  }
  return {};
}

Result<Recovery> plan_of(const Run& run, const model::RecoverRun& command) {
  Recovery plan{.scope = Recovery::Scope::bad,
                .failed_only = command.failed_only,
                .reason = std::string(utf8_prefix(command.reason, kReasonLimit))};
  if (!command.from.empty()) {
    plan.scope = Recovery::Scope::step;
    TRY(plan.root, find_step(run, command.from));
    if (run.program->step(plan.root).finally) {
      return fail(ErrorCode::conflict,
                  "step " + command.from + " stands under `finally`: those run again after every recovery");
    }
  }
  for (const std::string& name : command.keep) {
    TRY(const Ordinal step, find_step(run, name));
    const model::TaskStatus status = run.tasks[step].row.status;
    if (status != model::TaskStatus::completed) {
      return fail(ErrorCode::conflict,
                  "step " + name + " cannot be kept: it is " + std::string(model::name(status)) +
                      ", and only a completed step has a result to keep",
                  std::string(model::name(status)));
    }
    if (plan.scope == Recovery::Scope::step && step == plan.root) {
      return fail(ErrorCode::conflict,
                  "step " + name + " is what to recover from: it cannot be kept as well");
    }
    plan.keep.push_back(step);
  }
  std::ranges::sort(plan.keep);
  return plan;
}

// The version's number; or why the run cannot go on with it.
Result<std::uint32_t> fitting_version(const State& state, const Run& run, const model::Workflow& workflow) {
  const std::uint32_t version = version_of(state, workflow);
  if (version == 0 || workflow.name != run.row.workflow) {
    return fail(ErrorCode::conflict, "run " + run.row.id.text() + " is one of workflow " + run.row.workflow +
                                         "; it can only go on with a version of that");
  }
  if (workflow.steps.size() > state.settings.max_tasks_per_run) {
    return fail(ErrorCode::too_large, "version " + std::to_string(version) + " has " +
                                          std::to_string(workflow.steps.size()) + " steps; a run may have " +
                                          std::to_string(state.settings.max_tasks_per_run) + " tasks");
  }
  const std::vector<std::string> wrong = misfits(run, workflow);
  if (wrong.empty()) return version;
  std::string message = "run " + run.row.id.text() + " cannot go on with version " + std::to_string(version) +
                        "; replay it as a new run of that version instead";
  for (std::size_t i = 0; i < wrong.size() && i < kMisfitsShown; ++i) message += "\n" + wrong[i];
  if (wrong.size() > kMisfitsShown) {
    message += "\n… and " + std::to_string(wrong.size() - kMisfitsShown) + " more";
  }
  return fail(ErrorCode::conflict, std::move(message));
}

}  // namespace

void decide(State& state, const model::RecoverRun& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  const auto refuse = [&](Error error) { effects.reply(reply_to, std::move(error)); };
  auto run = find_run(state, command.run);
  if (!run) return refuse(run.error());
  if (auto may = may_recover(**run, command.force); !may) return refuse(may.error());
  auto plan = plan_of(**run, command);
  if (!plan) return refuse(plan.error());
  std::optional<std::uint32_t> version;
  if (command.onto && command.onto->hash != (*run)->row.definition) {
    const auto fitting = fitting_version(state, **run, *command.onto);
    if (!fitting) return refuse(fitting.error());
    version = *fitting;
  }
  if (auto place = enter_again(state, **run); !place) return refuse(place.error());
  if (version) {
    change_version(**run, program_for(state, command.onto), *version, moment, effects);
    effects.put(input_of((*run)->row.key), command.input);
  }
  begin_recovery(state, **run, std::move(*plan), Duration{}, "", moment, effects);
  effects.reply(reply_to, model::RunAccepted{command.run, (*run)->row.status});
}

}  // namespace baton::engine::commands
