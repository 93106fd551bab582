#include "base/seeded_bug.hpp"
#include "engine/commands/commands.hpp"
#include "engine/queues.hpp"
#include "engine/run_limits.hpp"
#include "engine/submission.hpp"

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
  if (!command.workflow) {
    // Only whether the key has made a run was asked.
    effects.reply(reply_to, Error{ErrorCode::not_found, "the idempotency key has made no run", ""});
    return;
  }
  const model::Workflow& workflow = *command.workflow;
  if (const Status can = can_run(state, workflow); !can) return effects.reply(reply_to, can.error());
  if (command.priority.value_or(0) > 9) {
    effects.reply(reply_to, Error{ErrorCode::invalid_request, "a priority is a number from 0 to 9", ""});
    return;
  }
  if (const Status room = has_room_for(state, workflow); !room) {
    effects.reply(reply_to, room.error());
    return;
  }
  auto limit = run_limit_of(state, workflow, command.input);
  if (!limit) return effects.reply(reply_to, limit.error());
  const Run& run =
      make_run(state,
               {.workflow = command.workflow,
                .input = command.input,
                .context = command.context,
                .job_id = command.job_id,
                .priority = command.priority.value_or(static_cast<std::uint8_t>(workflow.priority)),
                .replay_of = command.replay_of,
                .parent = {},
                .limit = std::move(*limit)},
               moment, effects);
  if (!command.idempotency_key.empty()) {
    model::IdempotencyChange use{command.idempotency_key, command.body, run.row.key,
                                 moment.wall + state.settings.idempotency_kept};
    state.idempotency[command.idempotency_key] = {use, run.row.id, state.sequence};
    effects.use_key(std::move(use));
  }
  effects.reply(reply_to, model::Submitted{run.row.id, false});
}

}  // namespace baton::engine::commands
