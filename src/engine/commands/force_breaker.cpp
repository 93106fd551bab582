#include "base/text.hpp"
#include "engine/breakers.hpp"
#include "engine/commands/commands.hpp"

namespace baton::engine::commands {
namespace {

// What a definition in memory says about the breaker; null if none names it.
std::shared_ptr<const model::BreakerSettings> declared(const State& state, const std::string& name,
                                                       std::vector<std::string_view>& others) {
  for (const auto& [hash, program] : state.programs) {
    for (const model::Step& step : program->workflow().steps) {
      if (!step.breaker) continue;
      if (step.breaker->name == name) return step.breaker;
      others.emplace_back(step.breaker->name);
    }
  }
  return nullptr;
}

}  // namespace

void decide(State& state, const model::ForceBreaker& command, model::ReplyTo reply_to, const Moment& moment,
            Effects& effects) {
  // Only of a breaker that was ever heard of: a misspelled name would stay for ever.
  if (!state.breakers.contains(command.name)) {
    std::vector<std::string_view> names;
    const auto settings = declared(state, command.name, names);
    if (!settings) {
      for (const auto& [name, breaker] : state.breakers) names.emplace_back(name);
      const std::string_view near = nearest(command.name, names);
      const std::string none = "there is no breaker \"" + printable(command.name) + "\"";
      const std::string instead = near.empty() ? " yet: it comes to be with the first failure behind it"
                                               : "; did you mean \"" + std::string(near) + "\"?";
      return effects.reply(reply_to, Error{ErrorCode::not_found, none + instead, ""});
    }
    state.breakers[command.name].row.settings = *settings;
  }
  force(state, command.name, command.force, command.by, command.reason, moment, effects);
  effects.reply(reply_to, model::Done{});
}

}  // namespace baton::engine::commands
