#include "engine/commands/commands.hpp"
#include "engine/dispatch.hpp"
#include "engine/workers.hpp"

namespace baton::engine::commands {

// A claim is parked; dispatch() answers it, in this batch if there is something to hand out.
void decide(State& state, const model::ClaimTasks& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  Worker& worker = renew_lease(state, command.worker, command.in_process, moment);
  worker.asked = true;
  worker.queues = command.queues;
  worker.abilities = command.abilities;
  end_claim(state, command.worker, effects);
  if (command.max == 0) {
    effects.early_reply(reply_to, model::Claimed{});
    return;
  }
  Claim claim{command.worker, command.in_process,        command.queues, command.abilities,
              command.max,    moment.now + command.wait, reply_to};
  state.timers.insert({claim.until, TimerKind::claim, {}, claim.worker});
  state.claims.push_back(std::move(claim));
  want_dispatch(state);
}

}  // namespace baton::engine::commands
