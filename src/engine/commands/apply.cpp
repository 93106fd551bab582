#include "base/text.hpp"
#include "engine/commands/commands.hpp"
#include "engine/versions.hpp"
#include "model/applied.hpp"
#include "model/draft.hpp"

namespace baton::engine::commands {
namespace {

// What was applied so far; nothing yet: no applications.
Result<model::AppliedWorkflow> applied(const State& state, const std::string& name) {
  const model::Record* record = state.record(model::applied_key(name));
  if (record == nullptr) return model::AppliedWorkflow{name, {}};
  return model::applied_of(*record);
}

Status check(const State& state, const model::ApplyWorkflow& command, std::uint32_t current) {
  const model::Workflow& workflow = *command.workflow;
  if (command.expected && *command.expected != current) {
    return fail(ErrorCode::conflict,
                "workflow " + workflow.name +
                    (current == 0 ? " was not applied yet" : " is at version " + std::to_string(current)) +
                    ", not at version " + std::to_string(*command.expected) +
                    ": somebody changed it meanwhile; look at the difference and apply again",
                std::to_string(current));
  }
  if (workflow.steps.size() > state.settings.max_tasks_per_run) {
    return fail(ErrorCode::too_large, "the workflow has " + std::to_string(workflow.steps.size()) +
                                          " steps; a run may have " +
                                          std::to_string(state.settings.max_tasks_per_run) + " tasks");
  }
  return {};
}

}  // namespace

void decide(State& state, const model::ApplyWorkflow& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  const model::Workflow& workflow = *command.workflow;
  auto stored = applied(state, workflow.name);
  if (!stored) return effects.reply(reply_to, stored.error());
  model::WorkflowApplied answer;
  answer.workflow = workflow.name;
  answer.previous = stored->applications.empty() ? 0 : stored->version();
  if (auto may = check(state, command, answer.previous); !may) return effects.reply(reply_to, may.error());
  answer.created = version_of(state, workflow) == 0;
  answer.version = define_version(state, workflow, moment, effects);
  if (answer.version != answer.previous) {
    stored->applications.insert(stored->applications.begin(),
                                {.version = answer.version,
                                 .at = moment.wall,
                                 .by = effects.actor(),
                                 .note = std::string(utf8_prefix(command.note, model::kNoteLimit))});
    if (stored->applications.size() > model::kApplicationsKept)
      stored->applications.resize(model::kApplicationsKept);
    effects.put(to_record(*stored));
    if (state.record(model::draft_key(workflow.name)) != nullptr)
      effects.erase(model::draft_key(workflow.name));
    note_retention(state, workflow, moment, effects);
  }
  effects.reply(reply_to, answer);
}

}  // namespace baton::engine::commands
