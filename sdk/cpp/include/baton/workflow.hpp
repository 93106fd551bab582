// Workflows written in C++: the same fields as in YAML (docs/reference/definition.md), and nothing else.
//
//   baton::Workflow build("build");
//   build.input("source", Json::object({{"type", "string"}}));
//   auto& fetch = build.step("fetch").run("./fetch.sh").env({{"SOURCE", baton::input("source")}});
//   build.step("label").task("images.label").with({{"paths", fetch.result()["paths"]}}).retry(4);
//   client.apply(build);
//
// A step that uses another one's result needs it; needs() says so where nothing is used. What fields mean,
// and whether they are right, is the server's business: it names every mistake.
#pragma once

#include <baton/context.hpp>
#include <baton/json.hpp>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::BATON_INLINE v0 {

// An expression (CEL) that the server evaluates. As a Json it is "${{ … }}". Its members are expressions as
// well: fetch.result()["paths"][0].
class BATON_API Expr {
 public:
  explicit Expr(std::string text) : text_(std::move(text)) {}
  const std::string& text() const noexcept { return text_; }
  Expr operator[](std::string_view member) const;
  Expr operator[](const char* member) const { return (*this)[std::string_view(member)]; }
  Expr operator[](int index) const { return Expr(text_ + "[" + std::to_string(index) + "]"); }
  operator Json() const { return Json("${{ " + text_ + " }}"); }

 private:
  std::string text_;
};

inline Expr expr(std::string text) {
  return Expr(std::move(text));
}
BATON_API Expr input(std::string_view name);  // the value of an input of the workflow
inline Expr item() {
  return Expr("item");
}  // in a step with for_each: the item,
inline Expr index() {
  return Expr("index");
}  // and its place from 0

// As definitions have lengths of time: a number of seconds.
BATON_API Json seconds_json(Seconds length);

using Members = std::initializer_list<JsonObject::Member>;

// One step: its kind and its policies, each named as in YAML. Each function sets the field of its name and
// returns the step.
class BATON_API Step {
 public:
  const std::string& name() const noexcept { return name_; }

  // ---- What it does: one of these

  Step& run(std::string script) { return field("run", std::move(script)); }
  Step& exec(std::vector<std::string> argv);
  Step& http(Json request) { return field("http", std::move(request)); }
  Step& task(std::string function) { return field("task", std::move(function)); }
  Step& workflow(Json child) { return field("workflow", std::move(child)); }  // its name, or a map
  Step& celery(Json task) { return field("celery", std::move(task)); }
  Step& wait(Json what) { return field("wait", std::move(what)); }
  Step& wait_for(Seconds length);
  Step& wait_approval(Json question = true) {
    return wait(Json::object({{"approval", std::move(question)}}));
  }
  Step& wait_signal(std::string name) { return wait(Json::object({{"signal", std::move(name)}})); }
  Step& set(Json values) { return field("set", std::move(values)); }
  Step& switch_to(Json branches);  // a list of {"when": condition, "goto": step}

  // ---- When

  Step& needs(std::initializer_list<std::string_view> steps);
  Step& needs(const Step& step);
  Step& when(std::string condition) { return field("when", std::move(condition)); }
  Step& when(const Expr& condition) { return field("when", condition.text()); }
  Step& trigger_rule(std::string rule) { return field("trigger_rule", std::move(rule)); }
  Step& for_each(Json items) { return field("for_each", std::move(items)); }
  Step& max_parallel(int count) { return field("max_parallel", count); }
  Step& max_failures(Json count) { return field("max_failures", std::move(count)); }
  Step& repeat(Json how);  // {"until": condition, "max": rounds}

  // ---- With what

  Step& with(Json value) { return field("with", std::move(value)); }
  Step& with(Members members) { return field("with", Json::object(members)); }
  Step& env(Json variables) { return field("env", std::move(variables)); }
  Step& env(Members variables) { return field("env", Json::object(variables)); }
  Step& workdir(std::string folder) { return field("workdir", std::move(folder)); }
  Step& shell(std::vector<std::string> argv);
  Step& secrets(std::vector<std::string> names);
  Step& parse(std::string how) { return field("parse", std::move(how)); }
  Step& result_schema(Json schema) { return field("result_schema", std::move(schema)); }
  Step& response_schema(Json schema) { return field("response_schema", std::move(schema)); }

  // ---- If it fails

  Step& retry(int max_attempts) { return field("retry", Json::object({{"max_attempts", max_attempts}})); }
  Step& retry(Json policy) { return field("retry", std::move(policy)); }
  Step& timeout(Seconds length) { return field("timeout", seconds_json(length)); }
  Step& timeout(Json limits) { return field("timeout", std::move(limits)); }
  Step& deadline(Seconds length) { return field("deadline", seconds_json(length)); }
  Step& sla(Seconds length) { return field("sla", seconds_json(length)); }
  Step& on_error(Json rules) { return field("on_error", std::move(rules)); }
  Step& preflight(Json step) { return field("preflight", std::move(step)); }
  Step& fallback(Json step) { return field("fallback", std::move(step)); }
  Step& continue_on_error(bool goes_on = true) { return field("continue_on_error", goes_on); }
  Step& cleanup(Json step) { return field("cleanup", std::move(step)); }
  Step& compensate(Json step) { return field("compensate", std::move(step)); }
  Step& target(std::string name) { return field("target", std::move(name)); }
  Step& operation(std::string name) { return field("operation", std::move(name)); }
  Step& breaker(Json breaker) { return field("breaker", std::move(breaker)); }

  // ---- Where and in which order

  Step& queue(std::string name) { return field("queue", std::move(name)); }
  Step& priority(int priority) { return field("priority", priority); }
  Step& concurrency(Json limits) { return field("concurrency", std::move(limits)); }
  Step& uses(Members amounts) { return field("uses", Json::object(amounts)); }
  Step& rate_limit(Json limit) { return field("rate_limit", std::move(limit)); }
  Step& fair_key(Json key) { return field("fair_key", std::move(key)); }
  Step& cache(Json cache) { return field("cache", std::move(cache)); }

  // ---- For people

  Step& title(std::string text) { return field("title", std::move(text)); }
  Step& type(std::string word) { return field("type", std::move(word)); }
  Step& tags(std::vector<std::string> words);
  Step& critical(bool is = true) { return field("critical", is); }
  Step& estimate(Seconds length) { return field("estimate", seconds_json(length)); }
  Step& metadata(Json values) { return field("metadata", std::move(values)); }

  // Any field of docs/reference/definition.md by its name there.
  Step& field(std::string_view name, Json value);

  // ---- What others may use

  Expr result() const;  // what it returned; of a mapped step the list of its items' results
  Expr error() const;   // how it failed: type and message
  Expr status() const;  // how it ended

  const Json& fields() const noexcept { return fields_; }

 private:
  friend class Workflow;
  explicit Step(std::string name) : name_(std::move(name)) {}

  std::string name_;
  Json fields_ = Json::object();
};

// A definition under construction. References to its steps stay valid as long as it is there and is not
// moved.
class BATON_API Workflow {
 public:
  // A name that is none becomes one ("My Workflow" is my-workflow) and is kept as the title.
  explicit Workflow(std::string_view name);

  const std::string& name() const noexcept { return name_; }

  // ---- Fields of the workflow

  Workflow& title(std::string text) { return field("title", std::move(text)); }
  Workflow& description(std::string text) { return field("description", std::move(text)); }
  Workflow& labels(Json words) { return field("labels", std::move(words)); }
  Workflow& input(std::string_view name, Json declaration);  // {"type": "string", "default": …}
  Workflow& defaults(Json fields) { return field("defaults", std::move(fields)); }
  Workflow& env(Json variables) { return field("env", std::move(variables)); }
  Workflow& on_error(Json rules) { return field("on_error", std::move(rules)); }
  Workflow& recovery(Json policy) { return field("recovery", std::move(policy)); }
  Workflow& max_recovery_attempts(int count) { return field("max_recovery_attempts", count); }
  Workflow& retry_budget(Json budget) { return field("retry_budget", std::move(budget)); }
  Workflow& deadline(Seconds length) { return field("deadline", seconds_json(length)); }
  Workflow& sla(Seconds length) { return field("sla", seconds_json(length)); }
  Workflow& fail_fast(bool fast = true) { return field("fail_fast", fast); }
  Workflow& max_parallel(int count) { return field("max_parallel", count); }
  Workflow& concurrency(Json limits) { return field("concurrency", std::move(limits)); }
  Workflow& targets(Json services) { return field("targets", std::move(services)); }
  Workflow& alerts(Json rules) { return field("alerts", std::move(rules)); }
  Workflow& schedules(Json times) { return field("schedules", std::move(times)); }
  Workflow& rollout(Json plan) { return field("rollout", std::move(plan)); }
  Workflow& retention(Json policy) { return field("retention", std::move(policy)); }
  // Any field of docs/reference/definition.md by its name there.
  Workflow& field(std::string_view name, Json value);

  // ---- Steps

  // Adds a step. A name that is none becomes one and is kept as the title. One that is taken throws
  // Exception (usage).
  Step& step(std::string_view name);
  // One that runs when all others are over, however that was.
  Step& last(std::string_view name);

  // The definition in the order of YAML definitions, with the needs that follow from what is used.
  Json to_json() const;
  std::string text() const { return to_json().text(); }

 private:
  Step& add(std::deque<Step>& steps, std::string_view name);

  std::string name_;
  Json fields_ = Json::object();
  Json inputs_ = Json::object();
  std::deque<Step> steps_;
  std::deque<Step> last_;
};

// The map of steps that Context::add_tasks takes.
BATON_API Json steps_json(std::initializer_list<Step> steps);
// A step that belongs to no workflow, for steps_json().
BATON_API Step step(std::string_view name);

// A name for something that has a title: lower case, `-` for what is no letter or digit.
BATON_API std::string name_of(std::string_view title);

}  // namespace baton::BATON_INLINEv0
