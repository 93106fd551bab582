#include "model/command.hpp"

#include <array>

namespace baton::model {

std::string_view name(const CommandBody& body) {
  constexpr std::array kNames = {
      "submit", "cancel", "claim",    "heartbeat",           "report", "release", "lose_worker",
      "start",  "tick",   "continue", "discard_dead_letters"};
  static_assert(kNames.size() == std::variant_size_v<CommandBody>);
  return kNames[body.index()];
}

}  // namespace baton::model
