#include "model/command.hpp"

#include <algorithm>
#include <array>

namespace baton::model {

bool Abilities::has(std::string_view function) const {
  if (function.empty()) return steps;
  return (!functions.empty() && functions.front() == "*") || std::ranges::binary_search(functions, function);
}

std::string_view name(const CommandBody& body) {
  if (const auto* task = std::get_if<DecideTask>(&body)) {
    constexpr std::array<std::string_view, 4> kVerdicts = {"retry", "skip", "complete", "fail"};
    return kVerdicts[static_cast<std::size_t>(task->verdict)];
  }
  constexpr std::array kNames = {"submit",
                                 "cancel",
                                 "claim",
                                 "heartbeat",
                                 "report",
                                 "release",
                                 "lose_worker",
                                 "start",
                                 "tick",
                                 "continue",
                                 "pause",
                                 "resume",
                                 "recover",
                                 "decide_task",
                                 "change_run",
                                 "explain",
                                 "survey",
                                 "discard_dead_letters",
                                 "force_breaker",
                                 "signal",
                                 "answer",
                                 "register_resource",
                                 "release_resource",
                                 "clean_resource",
                                 "progress",
                                 "set_limit",
                                 "apply",
                                 "set_queue",
                                 "set_route",
                                 "forget_results",
                                 "add_tasks",
                                 "create_key",
                                 "revoke_key",
                                 "note_key_use",
                                 "note_change",
                                 "remove_runs",
                                 "files_deleted",
                                 "create_namespace",
                                 "delete_namespace",
                                 "close_shard",
                                 "draft",
                                 "set_secret",
                                 "delete_secret"};
  static_assert(kNames.size() == std::variant_size_v<CommandBody>);
  return kNames[body.index()];
}

}  // namespace baton::model
