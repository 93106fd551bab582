#include "model/definition.hpp"

#include <array>

namespace baton::model {

std::string_view name(StepKind kind) {
  constexpr std::array kNames = {"run", "exec", "set", "http", "wait", "switch", "workflow", "task"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view name(TriggerRule rule) {
  constexpr std::array kNames = {"none_failed",  "all_success", "all_failed",
                                 "all_done",     "all_skipped", "one_success",
                                 "one_failed",   "one_done",    "none_failed_min_one_success",
                                 "none_skipped", "always"};
  return kNames[static_cast<std::size_t>(rule)];
}

std::string_view name(ErrorAction action) {
  constexpr std::array kNames = {"retry", "fail", "fallback", "hold", "ignore"};
  return kNames[static_cast<std::size_t>(action)];
}

std::string_view name(Severity severity) {
  constexpr std::array kNames = {"", "info", "warning", "critical"};
  return kNames[static_cast<std::size_t>(severity)];
}

std::string_view name(Wait::For what) {
  constexpr std::array kNames = {"for", "until", "signal", "approval", "poll", "run"};
  return kNames[static_cast<std::size_t>(what)];
}

std::string_view Step::type() const {
  return notes && !notes->type.empty() ? std::string_view(notes->type) : model::name(kind);
}

Retry ending_retry() {
  Retry retry;
  retry.max_attempts = 3;
  return retry;
}

Timeout ending_timeout() {
  return {.soft = Duration::minutes(5), .hard = Duration::minutes(5) + Duration::seconds(10)};
}

std::string_view function_of(const Step& step) {
  return step.kind == StepKind::task ? std::string_view(step.action.as_string()) : std::string_view();
}

boost::json::value body_of(const Step& step) {
  boost::json::object body;
  if (step.kind != StepKind::run && step.kind != StepKind::task) body.emplace("action", step.action);
  body.emplace("with", step.with);
  body.emplace("env", step.env);
  body.emplace("workdir", step.process ? std::string_view(step.process->workdir) : std::string_view());
  return body;
}

std::optional<Ordinal> find_step(const Workflow& workflow, std::string_view name) {
  for (std::size_t i = 0; i < workflow.steps.size(); ++i) {
    if (workflow.steps[i].name == name) return static_cast<Ordinal>(i);
  }
  return std::nullopt;
}

}  // namespace baton::model
