#include <vector>

#include "base/seeded_bug.hpp"
#include "engine/attempts.hpp"
#include "engine/commands/commands.hpp"
#include "engine/gates.hpp"
#include "engine/workers.hpp"

namespace baton::engine::commands {
namespace {

// Attempts that their worker has not named for two leases although it lives: the answer to its claim never
// reached it (the network, an owner that died between commit and answer), or it has forgotten them. Nobody
// works on them. It is not enough that this heartbeat does not name them: it may be an old one, from before
// they were given out, that was on its way for long.
void lose_unlisted(State& state, const Worker& worker, const Moment& moment, Effects& effects) {
  std::vector<std::pair<Token, TaskKey>> gone;
  for (const auto& [token, held] : worker.attempts) {
    if (held.named + state.settings.lease * 2 <= moment.now) gone.emplace_back(token, held.task);
  }
  for (const auto& [token, key] : gone) {
    Run& run = *state.find(key.run);
    Task& task = run.tasks[key.ordinal];
    if (task.row.token == token) lose(state, run, task, model::AttemptEnd::lost, moment, effects);
  }
}

}  // namespace

void decide(State& state, const model::Heartbeat& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  const auto known = state.workers.find(command.worker);
  const bool in_process = known != state.workers.end() && known->second.in_process;
  Worker& worker = renew_lease(state, command.worker, in_process, moment);
  model::HeartbeatAnswer answer{
      .lease = state.settings.lease,
      .stop = {},
      .paused = is_paused(state, model::Blocker::worker_paused(command.worker)),
      .draining = is_paused(state, model::Blocker::worker_draining(command.worker))};
  for (const Token& token : command.running) {
    const auto held = worker.attempts.find(token);
    if (held == worker.attempts.end()) {
      answer.stop.emplace_back(token, model::Stopping::hard);  // somebody else has the task, or it has ended
      continue;
    }
    held->second.named = moment.now;
    const TaskKey key = held->second.task;
    const model::Stopping stopping = state.find(key.run)->tasks[key.ordinal].row.stopping;
    if (stopping != model::Stopping::none) answer.stop.emplace_back(token, stopping);
  }
  if (!in_process && !seeded_bug(Bug::unheard_claim_not_lost)) lose_unlisted(state, worker, moment, effects);
  effects.early_reply(reply_to, std::move(answer));
}

}  // namespace baton::engine::commands
