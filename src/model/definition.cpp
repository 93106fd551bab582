#include "model/definition.hpp"

#include <array>

namespace baton::model {

std::string_view name(StepKind kind) {
  constexpr std::array kNames = {"run", "exec", "set"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::optional<Ordinal> find_step(const Workflow& workflow, std::string_view name) {
  for (std::size_t i = 0; i < workflow.steps.size(); ++i) {
    if (workflow.steps[i].name == name) return static_cast<Ordinal>(i);
  }
  return std::nullopt;
}

}  // namespace baton::model
