#include <algorithm>

#include "engine/attempts.hpp"
#include "engine/commands/commands.hpp"
#include "engine/dispatch.hpp"
#include "engine/workers.hpp"

namespace baton::engine::commands {
namespace {

constexpr std::size_t kMostBack = 1000;  // what one claim was given; more are found by heartbeats

// What the worker holds and does not name was in an answer that never reached it: nobody has begun with it.
// It goes back into its queue, and perhaps to this very claim, with a new token.
void take_back_unheard(State& state, const std::string& name, const std::vector<Token>& running,
                       const Moment& moment, Effects& effects) {
  std::vector<std::pair<Token, TaskKey>> unheard;
  for (const auto& [token, held] : state.workers[name].attempts) {
    if (unheard.size() == kMostBack) break;
    if (!std::ranges::binary_search(running, token)) unheard.emplace_back(token, held.task);
  }
  for (const auto& [token, key] : unheard) {
    Run& run = *state.find(key.run);
    Task& task = run.tasks[key.ordinal];
    if (task.row.token == token) lose(state, run, task, model::AttemptEnd::released, moment, effects);
  }
}

}  // namespace

// A claim is parked; dispatch() answers it, in this batch if there is something to hand out.
void decide(State& state, const model::ClaimTasks& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  Worker& worker = renew_lease(state, command.worker, command.in_process, moment);
  worker.asked = true;
  worker.queues = command.queues;
  worker.abilities = command.abilities;
  end_claim(state, command.worker, effects);
  if (command.running) take_back_unheard(state, command.worker, *command.running, moment, effects);
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
