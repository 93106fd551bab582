#include "engine/commands/commands.hpp"
#include "engine/workers.hpp"

namespace baton::engine::commands {

void decide(State& state, const model::Heartbeat& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  const auto known = state.workers.find(command.worker);
  const bool in_process = known != state.workers.end() && known->second.in_process;
  Worker& worker = renew_lease(state, command.worker, in_process, moment);
  model::HeartbeatAnswer answer;
  for (const Token& token : command.running) {
    const auto held = worker.attempts.find(token);
    if (held == worker.attempts.end()) {
      answer.stop.emplace_back(token, model::Stopping::hard);  // somebody else has the task, or it has ended
      continue;
    }
    const Run* run = state.find(held->second.run);
    const model::Stopping stopping = run->tasks[held->second.ordinal].row.stopping;
    if (stopping != model::Stopping::none) answer.stop.emplace_back(token, stopping);
  }
  effects.early_reply(reply_to, std::move(answer));
}

}  // namespace baton::engine::commands
