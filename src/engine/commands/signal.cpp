#include "base/text.hpp"
#include "engine/commands/commands.hpp"
#include "engine/signals.hpp"
#include "engine/waiting.hpp"

namespace baton::engine::commands {

void decide(State& state, const model::SendSignal& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  const auto refuse = [&](ErrorCode code, std::string message, std::string where = {}) {
    effects.reply(reply_to, Error{code, std::move(message), std::move(where)});
  };
  Run* run = state.find(command.run.key());
  if (run == nullptr || run->row.id != command.run) {
    return refuse(ErrorCode::not_found, "there is no run " + command.run.text());
  }
  if (!is_name(command.name)) {
    return refuse(ErrorCode::invalid_request,
                  "\"" + printable(utf8_prefix(command.name, 60)) +
                      "\" is not a name of a signal; names have letters, digits, `.`, `_` and `-`",
                  "name");
  }
  if (command.data.size() > model::kMaxSignalBytes) {
    return refuse(ErrorCode::too_large,
                  "a signal may have " + std::to_string(model::kMaxSignalBytes) + " bytes of data");
  }
  if (model::is_terminal(run->row.status)) {
    return refuse(ErrorCode::conflict,
                  "run " + command.run.text() + " is " + std::string(name(run->row.status)) +
                      " already; only a run that has not ended takes signals",
                  std::string(name(run->row.status)));
  }
  Task* waiter = first_waiter(*run, command.name);
  if (waiter == nullptr && !has_room_for_signal(state, *run, command.data.size())) {
    return refuse(ErrorCode::overloaded, "run " + command.run.text() +
                                             " keeps as many signals that nothing has taken as it may (" +
                                             std::to_string(model::kMaxSignalsKept) + ", or " +
                                             std::to_string(model::kMaxSignalBytesKept >> 20) +
                                             " MiB of data); it gets no more for now");
  }
  effects.touch(*run);
  const std::uint32_t number = ++run->row.signals;
  effects.record(
      *run,
      {.kind = model::FactKind::signal_received, .at = moment.wall, .number = number, .text = command.name});
  if (waiter != nullptr) {
    end_wait(state, *run, *waiter, command.data, moment, effects);
  } else {
    effects.put(model::to_record(
        model::Signal{command.run, command.name, number, command.data, effects.actor(), moment.wall}));
  }
  effects.reply(reply_to, model::SignalAccepted{command.run, number, false});
}

}  // namespace baton::engine::commands
