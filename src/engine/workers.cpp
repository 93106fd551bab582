#include "engine/workers.hpp"

#include <algorithm>

#include "base/seeded_bug.hpp"

namespace baton::engine {

Worker& renew_lease(State& state, const std::string& name, bool in_process, const Moment& moment) {
  Worker& worker = state.workers[name];
  worker.in_process = in_process;
  state.timers.erase({worker.lease, TimerKind::lease, {}, name});
  if (!in_process) {
    worker.lease =
        moment.now + (seeded_bug(Bug::lease_too_short) ? Duration::seconds(5) : state.settings.lease);
    state.timers.insert({worker.lease, TimerKind::lease, {}, name});
  }
  return worker;
}

void end_claim(State& state, const std::string& worker, Effects& effects) {
  const auto found = std::ranges::find(state.claims, worker, &Claim::worker);
  if (found == state.claims.end()) return;
  state.timers.erase({found->until, TimerKind::claim, {}, worker});
  effects.early_reply(found->reply_to, model::Claimed{});
  state.claims.erase(found);
}

}  // namespace baton::engine
