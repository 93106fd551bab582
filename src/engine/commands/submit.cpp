#include <algorithm>

#include "base/seeded_bug.hpp"
#include "engine/commands/commands.hpp"
#include "engine/flow.hpp"
#include "engine/load.hpp"
#include "engine/queues.hpp"
#include "engine/versions.hpp"

namespace baton::engine::commands {

void decide(State& state, const model::SubmitRun& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  if (!command.idempotency_key.empty()) {
    const auto found = state.idempotency.find(command.idempotency_key);
    // A key counts as long as it is kept or its run lives (SEMANTICS 42).
    if (found != state.idempotency.end() && found->second.use &&
        (found->second.use->expires_at > moment.wall || state.is_open(found->second.use->run))) {
      if (found->second.use->body != command.body && !seeded_bug(Bug::no_idempotency_body_check)) {
        effects.reply(reply_to,
                      Error{ErrorCode::idempotency_mismatch,
                            "the idempotency key \"" + command.idempotency_key +
                                "\" was used for another request; use a new key, or repeat the same request",
                            found->second.id.text()});
        return;
      }
      effects.reply(reply_to, model::Submitted{found->second.id, true});
      return;
    }
  }
  const model::Workflow& workflow = *command.workflow;
  if (workflow.steps.size() > state.settings.max_tasks_per_run) {
    effects.reply(reply_to, Error{ErrorCode::too_large,
                                  "the workflow has " + std::to_string(workflow.steps.size()) +
                                      " steps; a run may have " +
                                      std::to_string(state.settings.max_tasks_per_run) + " tasks",
                                  ""});
    return;
  }
  if (std::ranges::all_of(workflow.steps, &model::Step::finally)) {
    effects.reply(reply_to,
                  Error{ErrorCode::conflict,
                        "workflow " + workflow.name + " has no steps yet; a run needs at least one", ""});
    return;
  }
  if (command.priority.value_or(0) > 9) {
    effects.reply(reply_to, Error{ErrorCode::invalid_request, "a priority is a number from 0 to 9", ""});
    return;
  }
  if (const Status room = has_room_for(state, workflow); !room) {
    effects.reply(reply_to, room.error());
    return;
  }
  const RunKey key = RunKey::make(state.shard, ++state.last_run);
  model::RunRow row;
  row.key = key;
  row.id = RunId::make(key, moment.wall, moment.seed);
  row.workflow = workflow.name;
  row.version = define_version(state, workflow, moment, effects);
  row.definition = workflow.hash;
  row.job_id = command.job_id;
  row.replay_of = command.replay_of;
  row.priority = command.priority.value_or(static_cast<std::uint8_t>(workflow.priority));
  row.created_at = moment.wall;
  row.counts.total = static_cast<std::uint32_t>(workflow.steps.size());
  row.next_ordinal = static_cast<Ordinal>(workflow.steps.size());

  Run& run = add_run(state, std::move(row), program_for(state, command.workflow));
  effects.touch(run);
  effects.put(input_of(key), command.input);
  effects.put(context_of(key), command.context);
  effects.record(run, {.kind = model::FactKind::run_submitted,
                       .at = moment.wall,
                       .number = run.row.version,
                       .text = workflow.name});
  if (!command.idempotency_key.empty()) {
    model::IdempotencyChange use{command.idempotency_key, command.body, key,
                                 moment.wall + state.settings.idempotency_kept};
    state.idempotency[command.idempotency_key] = {use, run.row.id, state.sequence};
    effects.use_key(std::move(use));
  }
  begin(state, run);
  effects.reply(reply_to, model::Submitted{run.row.id, false});
}

}  // namespace baton::engine::commands
