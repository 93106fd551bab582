#include "base/text.hpp"
#include "engine/commands/commands.hpp"
#include "engine/pauses.hpp"
#include "engine/phases.hpp"
#include "engine/run_limits.hpp"

namespace baton::engine::commands {

void decide(State& state, const model::CancelRun& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  Run* run = state.find(command.run.key());
  if (run == nullptr || run->row.id != command.run) {
    effects.reply(reply_to, Error{ErrorCode::not_found, "there is no run " + command.run.text(), ""});
    return;
  }
  if (model::is_terminal(run->row.status)) {
    effects.reply(reply_to, Error{ErrorCode::conflict,
                                  "run " + command.run.text() + " is " + std::string(name(run->row.status)) +
                                      " already; only a run that has not ended can be cancelled",
                                  std::string(name(run->row.status))});
    return;
  }
  const bool ending = run->row.stage != model::RunStage::main;
  const bool drops = command.no_cleanup && !run->row.no_cleanup;
  if (ending && !run->row.cancel_requested && !drops) {
    effects.reply(reply_to, Error{ErrorCode::conflict,
                                  "run " + command.run.text() + " is " + std::string(name(run->row.outcome)) +
                                      " and only its endings are left (" + std::string(name(run->row.stage)) +
                                      "); they run to their end unless it is terminated without cleanup",
                                  std::string(name(run->row.status))});
    return;
  }
  const bool harder = command.terminate && !run->row.terminate;
  if (!run->row.cancel_requested || harder || drops) {
    effects.touch(*run);
    const bool was_paused = run->row.status == model::RunStatus::paused;
    if (waits_for_place(run->row)) leave(state, *run);
    run->row.terminate |= command.terminate;
    run->row.no_cleanup |= command.no_cleanup;
    if (ending && !run->row.cancel_requested) {
      run->row.status = model::RunStatus::running;  // how it ends is decided: only what follows is dropped
    } else {
      run->row.cancel_requested = true;
      run->row.status = model::RunStatus::cancelling;
      if (command.give_up && !run->row.given_up) {
        run->row.given_up = true;
        run->row.error_type = model::error_type::kGivenUp;
        run->row.error_message = utf8_prefix(command.reason, model::kMessageLimit);
      } else if (run->row.error_type.empty()) {
        run->row.error_type = model::error_type::kCancelled;
        run->row.error_message = utf8_prefix(command.reason, model::kMessageLimit);
      }
    }
    effects.record(*run, {.kind = model::FactKind::run_cancel_requested,
                          .at = moment.wall,
                          .number = command.no_cleanup  ? 2
                                    : command.terminate ? 1
                                                        : 0,
                          .text = std::string(utf8_prefix(command.reason, model::kMessageLimit))});
    // What was held back is swept; endings, and the runs that they wait for, go on.
    if (!ending || drops || harder) state.work.push_back({WorkKind::sweep, {run->row.key, kWholeRun}, 0});
    if (was_paused) end_hold(state, *run, moment);
    drop_pauses(state, *run, false, effects);
    run->row.recovery = {};
    end_phase_if_over(state, *run, moment, effects);
  }
  effects.reply(reply_to, model::CancelAccepted{command.run, run->row.status});
}

}  // namespace baton::engine::commands
