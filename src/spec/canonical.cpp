#include "spec/canonical.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serializer.hpp>
#include <set>

#include "base/duration.hpp"
#include "spec/failure.hpp"
#include "spec/flow.hpp"
#include "spec/policies.hpp"
#include "spec/targets.hpp"

namespace baton::spec {
namespace {

namespace json = boost::json;

// Writes objects member by member, so that no second copy of a large workflow is made as a JSON value.
class Writer {
 public:
  std::string take() { return std::move(out_); }

  void open() {
    out_ += '{';
    first_ = true;
  }
  void close() {
    out_ += '}';
    first_ = false;
  }
  void key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    append(json::value(json::string_view(name.data(), name.size())));
    out_ += ':';
  }
  void append(const json::value& value) {
    serializer_.reset(&value);
    char buffer[4096];
    while (!serializer_.done()) out_ += std::string_view(serializer_.read(buffer));
  }
  void member(std::string_view name, const json::value& value) {
    key(name);
    append(value);
  }
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) member(name, json::value(json::string_view(value.data(), value.size())));
  }
  void present(std::string_view name, const json::value& value) {
    if (!value.is_null()) member(name, value);
  }

 private:
  std::string out_;
  json::serializer serializer_;
  bool first_ = true;
};

json::array strings(const std::vector<std::string>& list) {
  json::array array;
  for (const std::string& s : list) array.emplace_back(s);
  return array;
}

// When a cleanup is done.
struct CleanupTime {
  std::string_view after;  // "" = at the end
  bool on_shutdown = false;
};

// An action of a step, as Builder::action_of() reads it; of a cleanup, with its time.
void action(Writer& out, std::string_view field, const model::Step& action, const model::Step& step,
            const CleanupTime& time = {}) {
  out.key(field);
  out.open();
  out.text("after", time.after);
  out.present("env", action.env);
  if (action.kind == model::StepKind::exec) out.member("exec", action.action);
  if (action.kind == model::StepKind::http) out.member("http", action.action);
  if (time.on_shutdown) out.member("on_shutdown", true);
  if (action.process && action.process->parse_json) out.member("parse", "json");
  if (action.queue != step.queue) out.text("queue", action.queue);
  if (action.response_schema) out.member("response_schema", *action.response_schema);
  if (action.retry) out.member("retry", to_json(*action.retry));
  if (action.kind == model::StepKind::run) out.member("run", action.action);
  if (action.process && !action.process->shell.empty()) out.member("shell", strings(action.process->shell));
  if (action.kind == model::StepKind::task) out.member("task", action.action);
  if (action.timeout) out.member("timeout", to_json(*action.timeout));
  out.present("with", action.with);
  if (action.process) out.text("workdir", action.process->workdir);
  out.close();
}

void wait(Writer& out, const model::Step& step) {
  const model::Wait& wait = *step.wait;
  out.key("wait");
  out.open();
  const auto value = [&] { return step.action.is_null() ? json::value(true) : step.action; };
  if (wait.what == model::Wait::For::approval) out.member("approval", value());
  if (wait.what == model::Wait::For::poll) out.member("every", json::value(to_string(wait.every)));
  if (wait.what == model::Wait::For::span) out.member("for", step.action);
  if (wait.what == model::Wait::For::poll) action(out, "poll", *wait.poll, step);
  if (wait.what == model::Wait::For::signal) out.member("signal", step.action);
  if (wait.timeout) out.member("timeout", json::value(to_string(*wait.timeout)));
  if (wait.what == model::Wait::For::instant) out.member("until", step.action);
  out.text("until", wait.until);
  out.close();
}

json::array branches(const model::Workflow& workflow, const model::Step& step) {
  json::array list;
  for (const model::Branch& branch : *step.branches) {
    json::array targets;
    for (const Ordinal target : branch.go_to) targets.emplace_back(workflow.steps[target].name);
    json::object entry;
    entry[branch.when.empty() ? "else" : "goto"] = std::move(targets);
    if (!branch.when.empty()) entry["when"] = branch.when;
    list.push_back(std::move(entry));
  }
  return list;
}

json::object repeat(const model::Repeat& repeat) {
  return {{"delay", to_string(repeat.delay)}, {"max", repeat.max}, {"until", repeat.until}};
}

json::object child(const model::Child& child) {
  json::object out;
  if (child.detach) out["detach"] = true;
  out["name"] = child.workflow;
  if (child.version != 0) out["version"] = child.version;
  return out;
}

// Fields in the order of the alphabet.
void step(Writer& out, const model::Workflow& workflow, const model::Step& step) {
  out.key(step.name);
  out.open();
  if (step.breaker) out.member("breaker", to_json(*step.breaker));
  if (step.cache) out.member("cache", to_json(*step.cache));
  if (step.endings && step.endings->cleanup) {
    const model::Endings& endings = *step.endings;
    action(out, "cleanup", *endings.cleanup, step,
           {.after = endings.cleanup_after ? workflow.steps[*endings.cleanup_after].name : std::string_view(),
            .on_shutdown = endings.cleanup_on_shutdown});
  }
  if (step.endings && step.endings->compensate) {
    action(out, "compensate", *step.endings->compensate, step);
  }
  if (step.flow) out.present("concurrency", concurrency_json(*step.flow));
  if (step.continue_on_error) out.member("continue_on_error", true);
  const model::FailureRules failure = step.failure ? *step.failure : model::FailureRules{};
  if (failure.critical) out.member("critical", true);
  if (failure.deadline) out.member("deadline", json::value(to_string(*failure.deadline)));
  out.present("env", step.env);
  if (step.estimate) out.member("estimate", json::value(to_string(*step.estimate)));
  if (step.kind == model::StepKind::exec) out.member("exec", step.action);
  if (step.flow) out.text("fair_key", step.flow->flow.fair_key);
  if (step.fallback) action(out, "fallback", *step.fallback, step);
  out.present("for_each", step.for_each);
  if (step.kind == model::StepKind::http) out.member("http", step.action);
  if (failure.max_failures != model::MaxFailures{}) {
    out.member("max_failures", to_json(failure.max_failures));
  }
  if (step.max_parallel != 0) out.member("max_parallel", step.max_parallel);
  if (step.notes) out.present("metadata", step.notes->metadata);
  if (!step.needs.empty()) {
    json::array needs;
    needs.reserve(step.needs.size());
    for (const Ordinal n : step.needs) needs.emplace_back(workflow.steps[n].name);
    out.member("needs", needs);
  }
  if (!failure.on_error.empty()) out.member("on_error", to_json(failure.on_error));
  if (step.process && step.process->parse_json) out.member("parse", "json");
  if (step.preflight) action(out, "preflight", *step.preflight, step);
  if (step.priority >= 0) out.member("priority", step.priority);
  if (!step.queue.empty()) out.text("queue", step.queue);
  if (step.flow) out.present("rate_limit", rate_json(*step.flow));
  if (step.repeat) out.member("repeat", repeat(*step.repeat));
  if (step.response_schema) out.member("response_schema", *step.response_schema);
  out.present("result_schema", failure.result_schema);
  if (step.retry) out.member("retry", to_json(*step.retry));
  if (step.kind == model::StepKind::run) out.member("run", step.action);
  if (step.notes && step.notes->secrets) out.member("secrets", strings(*step.notes->secrets));
  if (step.kind == model::StepKind::set) out.member("set", step.action);
  if (step.process && !step.process->shell.empty()) out.member("shell", strings(step.process->shell));
  if (failure.sla) out.member("sla", json::value(to_string(*failure.sla)));
  if (step.branches) out.member("switch", branches(workflow, step));
  if (step.notes && !step.notes->tags.empty()) out.member("tags", strings(step.notes->tags));
  out.text("target", step.target);
  if (step.kind == model::StepKind::task) out.member("task", step.action);
  if (step.timeout) out.member("timeout", to_json(*step.timeout));
  if (step.notes) out.text("title", step.notes->title);
  if (step.trigger_rule != model::TriggerRule::none_failed) out.text("trigger_rule", name(step.trigger_rule));
  if (step.notes) out.text("type", step.notes->type);
  if (step.flow) out.present("uses", uses_json(*step.flow));
  if (step.wait && !step.child) wait(out, step);
  out.text("when", step.when);
  out.present("with", step.with);
  if (step.process) out.text("workdir", step.process->workdir);
  if (step.child) out.member("workflow", child(*step.child));
  out.close();
}

void steps(Writer& out, const model::Workflow& workflow, std::string_view field, bool finally) {
  bool any = false;
  for (const model::Step& s : workflow.steps) any = any || s.finally == finally;
  if (!any) return;
  out.key(field);
  out.open();
  for (const model::Step& s : workflow.steps) {
    if (s.finally == finally) step(out, workflow, s);
  }
  out.close();
}

// Their names alone: what they gave to the steps stands there.
void targets(Writer& out, const model::Workflow& workflow) {
  std::set<std::string_view> names;
  for (const model::Step& s : workflow.steps) {
    if (!s.target.empty()) names.insert(s.target);
  }
  for (const model::HealthCheck& check : workflow.health) names.insert(check.target);
  if (names.empty()) return;
  json::object all;
  for (const std::string_view name : names) all[name] = json::object{};
  for (const model::HealthCheck& check : workflow.health) {
    all[check.target].get_object()["health"] = check.url;
  }
  out.member("targets", all);
}

}  // namespace

std::string canonical_text(const model::Workflow& workflow) {
  Writer out;
  out.open();
  if (workflow.concurrency) {
    out.member("concurrency",
               json::object{{"key", workflow.concurrency->key}, {"limit", workflow.concurrency->limit}});
  }
  if (workflow.deadline) out.member("deadline", json::value(to_string(*workflow.deadline)));
  // The run's priority has no field of its own.
  if (workflow.priority != 5) out.member("defaults", json::object{{"priority", workflow.priority}});
  out.text("description", workflow.description);
  if (workflow.fail_fast) out.member("fail_fast", true);
  steps(out, workflow, "finally", true);
  if (!workflow.inputs.empty()) {
    out.key("inputs");
    out.open();
    for (const model::Input& input : workflow.inputs) {
      json::value declaration = input.schema;
      if (!input.required && !input.default_value) declaration.get_object()["optional"] = true;
      out.member(input.name, declaration);
    }
    out.close();
  }
  out.present("labels", workflow.labels);
  if (workflow.max_parallel != 0) out.member("max_parallel", workflow.max_parallel);
  if (workflow.max_recovery_attempts != 3)
    out.member("max_recovery_attempts", workflow.max_recovery_attempts);
  out.text("name", workflow.name);
  if (!workflow.on_error.empty()) out.member("on_error", to_json(workflow.on_error));
  if (workflow.auto_recovery) {
    out.member("recovery", json::object{{"auto", true}, {"delay", to_string(workflow.recovery_delay)}});
  }
  if (workflow.retention != model::Retention{}) {
    json::object retention;
    if (workflow.retention.completed) retention["completed"] = to_string(*workflow.retention.completed);
    if (workflow.retention.failed) retention["failed"] = to_string(*workflow.retention.failed);
    out.member("retention", retention);
  }
  if (workflow.retry_budget) out.member("retry_budget", *workflow.retry_budget);
  if (workflow.sla) out.member("sla", json::value(to_string(*workflow.sla)));
  steps(out, workflow, "steps", false);
  targets(out, workflow);
  out.text("title", workflow.title);
  out.close();
  return out.take();
}

}  // namespace baton::spec
