#include "engine/testing/flow_builder.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cassert>

namespace baton::engine::testing {
namespace {

std::string describe(const model::ErrorRule& rule) {
  std::string text = "rule " + rule.message + "," + std::string(name(rule.action)) + "," +
                     std::string(name(rule.alert)) + "," +
                     std::to_string(rule.delay.value_or(Duration{-1}).us);
  for (const std::string& type : rule.types) text += "," + type;
  for (const int code : rule.exit) text += ",exit " + std::to_string(code);
  for (const auto& [low, high] : rule.status)
    text += ",status " + std::to_string(low) + "-" + std::to_string(high);
  return text;
}

// The last step's process, to be changed.
model::Process& process_of(model::Step& step) {
  auto own = std::make_shared<model::Process>(step.process ? *step.process : model::Process{});
  step.process = own;
  return *own;
}

std::string describe(const model::Step& step) {
  const model::Process process = step.process ? *step.process : model::Process{};
  std::string text = step.name + "|" + std::string(model::name(step.kind)) + "|" + step.when + "|" +
                     step.queue + "|" + process.workdir + "|" + std::to_string(step.max_parallel) + "," +
                     std::to_string(step.priority) + "," + std::to_string(step.continue_on_error) + "," +
                     std::to_string(step.finally) + "," + std::to_string(process.parse_json) + "|";
  for (const auto* value : {&step.action, &step.for_each, &step.with, &step.env}) {
    text += boost::json::serialize(*value) + "|";
  }
  for (const Ordinal before : step.needs) text += std::to_string(before) + ",";
  for (const std::string& word : process.shell) text += word + ",";
  if (step.wait) {
    text += "wait " + std::to_string(static_cast<int>(step.wait->what)) + "," +
            std::to_string(step.wait->timeout.value_or(Duration{}).us) + "," +
            std::to_string(step.wait->every.us) + "," + step.wait->until + ",";
    if (step.wait->poll) text += describe(*step.wait->poll);
  }
  if (step.child) {
    text += "child " + step.child->workflow + "," + std::to_string(step.child->version) + "," +
            std::to_string(step.child->detach);
  }
  if (step.branches) {
    for (const model::Branch& branch : *step.branches) {
      text += "branch " + branch.when + ":";
      for (const Ordinal target : branch.go_to) text += std::to_string(target) + ",";
    }
  }
  if (step.repeat) {
    text += "repeat " + step.repeat->until + "," + std::to_string(step.repeat->max) + "," +
            std::to_string(step.repeat->delay.us);
  }
  if (step.retry) {
    const model::Retry& r = *step.retry;
    text += "retry " + std::to_string(r.max_attempts) + "," + std::to_string(static_cast<int>(r.backoff)) +
            "," + std::to_string(r.initial.us) + "," + std::to_string(r.multiplier_thousandths) + "," +
            std::to_string(r.max.us) + "," + std::to_string(static_cast<int>(r.jitter)) + "," +
            std::to_string(r.jitter_add.us);
  }
  if (step.timeout) {
    const model::Timeout& t = *step.timeout;
    text += "timeout " + std::to_string(t.soft.us) + "," + std::to_string(t.hard.us) + "," +
            std::to_string(t.start.us) + "," + std::to_string(t.heartbeat.us);
  }
  text += "|" + std::string(name(step.trigger_rule));
  if (step.fallback) text += "fallback " + describe(*step.fallback);
  if (step.failure) {
    const model::FailureRules& f = *step.failure;
    for (const model::ErrorRule& rule : f.on_error) text += describe(rule);
    text += "failure " + std::to_string(f.deadline.value_or(Duration{}).us) + "," +
            std::to_string(f.sla.value_or(Duration{}).us) + "," + std::to_string(f.max_failures.value) + "," +
            std::to_string(f.max_failures.percent) + "," + std::to_string(f.critical) + "," +
            boost::json::serialize(f.result_schema);
  }
  if (step.endings) {
    const model::Endings& endings = *step.endings;
    for (const auto& action : {endings.cleanup, endings.compensate}) {
      text += action ? "ending " + describe(*action) : "no ending";
    }
    if (endings.cleanup_after) text += "after " + std::to_string(*endings.cleanup_after);
    text += std::to_string(endings.cleanup_on_shutdown);
  }
  if (step.flow) {
    const model::FlowRules& f = *step.flow;
    text += "flow " + f.flow.rate + "," + f.flow.fair_key + "," + std::to_string(f.rate.limit) + "," +
            std::to_string(f.rate.per.us) + "," + std::to_string(f.rate.burst);
    for (const model::LimitUse& use : f.flow.limits) {
      text += "," + use.name + " " + std::to_string(use.amount) + " " + std::to_string(use.otherwise);
    }
  }
  if (step.cache) {
    text += "cache " + std::to_string(step.cache->ttl.us);
    if (step.cache->key) text += boost::json::serialize(*step.cache->key);
  }
  if (step.estimate) text += "estimate " + std::to_string(step.estimate->us);
  return text;
}

}  // namespace

FlowBuilder::FlowBuilder(std::string name) {
  workflow_.name = std::move(name);
}

FlowBuilder& FlowBuilder::child(std::string step, std::string workflow, bool detach) {
  add(model::StepKind::workflow, std::move(step), nullptr);
  last().child = std::make_shared<const model::Child>(
      model::Child{.workflow = std::move(workflow), .version = 0, .detach = detach});
  last().wait = std::make_shared<const model::Wait>(
      model::Wait{.what = model::Wait::For::run, .timeout = {}, .poll = {}, .every = {}, .until = {}});
  return *this;
}

FlowBuilder& FlowBuilder::add(model::StepKind kind, std::string name, boost::json::value action) {
  model::Step step;
  step.name = std::move(name);
  step.kind = kind;
  step.action = std::move(action);
  workflow_.steps.push_back(std::move(step));
  return *this;
}

FlowBuilder& FlowBuilder::run(std::string step, std::string script) {
  return add(model::StepKind::run, std::move(step), boost::json::value(boost::json::string(script)));
}
FlowBuilder& FlowBuilder::task(std::string step, std::string function, boost::json::value with) {
  add(model::StepKind::task, std::move(step), boost::json::value(boost::json::string(function)));
  last().with = std::move(with);
  return *this;
}
FlowBuilder& FlowBuilder::exec(std::string step, boost::json::array argv) {
  return add(model::StepKind::exec, std::move(step), std::move(argv));
}
FlowBuilder& FlowBuilder::set(std::string step, boost::json::value values) {
  return add(model::StepKind::set, std::move(step), std::move(values));
}
FlowBuilder& FlowBuilder::http(std::string step, boost::json::object request) {
  return add(model::StepKind::http, std::move(step), std::move(request));
}
FlowBuilder& FlowBuilder::wait(std::string step, model::Wait wait, boost::json::value value) {
  add(model::StepKind::wait, std::move(step), std::move(value));
  last().wait = std::make_shared<const model::Wait>(std::move(wait));
  return *this;
}
FlowBuilder& FlowBuilder::poll(std::string step, Duration every, std::string until,
                               std::optional<Duration> timeout, std::uint32_t attempts) {
  auto action = std::make_shared<model::Step>();
  action->name = step;
  action->kind = model::StepKind::exec;
  action->action = boost::json::array{"ask"};
  if (attempts > 1) {
    action->retry = std::make_shared<const model::Retry>(
        model::Retry{.max_attempts = attempts, .backoff = model::Backoff::fixed});
  }
  model::Wait wait{.what = model::Wait::For::poll, .timeout = timeout};
  wait.poll = std::move(action);
  wait.every = every;
  wait.until = std::move(until);
  return this->wait(std::move(step), std::move(wait));
}
FlowBuilder& FlowBuilder::choose(std::string step,
                                 std::vector<std::pair<std::string, std::vector<Ordinal>>> branches) {
  add(model::StepKind::switch_, std::move(step), nullptr);
  std::vector<model::Branch> list;
  for (auto& [when, go_to] : branches) list.push_back({std::move(when), std::move(go_to)});
  last().branches = std::make_shared<const std::vector<model::Branch>>(std::move(list));
  return *this;
}
FlowBuilder& FlowBuilder::repeat(std::string until, std::uint32_t max, Duration delay) {
  last().repeat = std::make_shared<const model::Repeat>(model::Repeat{std::move(until), max, delay});
  return *this;
}
model::FlowRules& FlowBuilder::flow() {
  auto rules = std::make_shared<model::FlowRules>(last().flow ? *last().flow : model::FlowRules{});
  model::FlowRules& changed = *rules;
  last().flow = std::move(rules);
  return changed;
}
FlowBuilder& FlowBuilder::uses(std::string limit, std::uint32_t amount, std::uint32_t otherwise) {
  model::FlowRules& rules = flow();
  rules.is_constant &= limit.find("${{") == std::string::npos;
  rules.flow.limits.push_back({std::move(limit), amount, otherwise});
  std::ranges::sort(rules.flow.limits, {}, &model::LimitUse::name);
  return *this;
}
FlowBuilder& FlowBuilder::rate(std::string name, std::uint32_t limit, Duration per, std::uint32_t burst) {
  model::FlowRules& rules = flow();
  rules.is_constant &= name.find("${{") == std::string::npos;
  rules.flow.rate = std::move(name);
  rules.rate = {limit, per, burst};
  return *this;
}
FlowBuilder& FlowBuilder::fair_key(std::string key) {
  model::FlowRules& rules = flow();
  rules.is_constant &= key.find("${{") == std::string::npos;
  rules.flow.fair_key = std::move(key);
  return *this;
}
FlowBuilder& FlowBuilder::cache(std::optional<boost::json::value> key, Duration ttl) {
  last().cache = std::make_shared<const model::Cache>(model::Cache{std::move(key), ttl});
  return *this;
}
FlowBuilder& FlowBuilder::finally() {
  last().finally = true;
  return *this;
}

FlowBuilder& FlowBuilder::needs(std::initializer_list<std::string_view> steps) {
  std::vector<Ordinal> ordinals;
  for (const std::string_view step : steps) {
    const auto found = find_step(workflow_, step);
    assert(found && "needs: an earlier step");
    ordinals.push_back(*found);
  }
  return needs(std::move(ordinals));
}
FlowBuilder& FlowBuilder::needs(std::vector<Ordinal> steps) {
  std::ranges::sort(steps);
  steps.erase(std::ranges::unique(steps).begin(), steps.end());
  last().needs = std::move(steps);
  return *this;
}
FlowBuilder& FlowBuilder::when(std::string expression) {
  last().when = std::move(expression);
  return *this;
}
FlowBuilder& FlowBuilder::for_each(boost::json::value items, std::uint32_t max_parallel) {
  last().for_each = std::move(items);
  last().max_parallel = max_parallel;
  return *this;
}
FlowBuilder& FlowBuilder::with(boost::json::value value) {
  last().with = std::move(value);
  return *this;
}
FlowBuilder& FlowBuilder::env(boost::json::object value) {
  last().env = std::move(value);
  return *this;
}
FlowBuilder& FlowBuilder::workdir(std::string value) {
  process_of(last()).workdir = std::move(value);
  return *this;
}
FlowBuilder& FlowBuilder::shell(std::vector<std::string> words) {
  process_of(last()).shell = std::move(words);
  return *this;
}
FlowBuilder& FlowBuilder::response_schema(boost::json::value schema) {
  last().response_schema = std::make_shared<const boost::json::value>(std::move(schema));
  return *this;
}
FlowBuilder& FlowBuilder::parse_json() {
  process_of(last()).parse_json = true;
  return *this;
}
FlowBuilder& FlowBuilder::retry(model::Retry retry) {
  last().retry = std::make_shared<const model::Retry>(retry);
  return *this;
}
FlowBuilder& FlowBuilder::attempts(std::uint32_t count) {
  return retry({.max_attempts = count, .backoff = model::Backoff::fixed});
}
FlowBuilder& FlowBuilder::timeout(Duration soft, Duration hard) {
  last().timeout = std::make_shared<const model::Timeout>(model::Timeout{soft, hard});
  return *this;
}
FlowBuilder& FlowBuilder::timeout(model::Timeout value) {
  last().timeout = std::make_shared<const model::Timeout>(value);
  return *this;
}
FlowBuilder& FlowBuilder::trigger_rule(model::TriggerRule rule) {
  last().trigger_rule = rule;
  return *this;
}
model::FailureRules& FlowBuilder::rules() {
  auto own = std::make_shared<model::FailureRules>();
  if (last().failure) *own = *last().failure;
  model::FailureRules& out = *own;
  last().failure = std::move(own);
  return out;
}
FlowBuilder& FlowBuilder::on_error(model::ErrorRule rule) {
  rules().on_error.push_back(std::move(rule));
  return *this;
}
FlowBuilder& FlowBuilder::deadline(Duration value) {
  rules().deadline = value;
  return *this;
}
FlowBuilder& FlowBuilder::sla(Duration value) {
  rules().sla = value;
  return *this;
}
FlowBuilder& FlowBuilder::max_failures(model::MaxFailures value) {
  rules().max_failures = value;
  return *this;
}
FlowBuilder& FlowBuilder::result_schema(boost::json::value schema) {
  rules().result_schema = std::move(schema);
  return *this;
}
FlowBuilder& FlowBuilder::target(std::string name) {
  last().target = std::move(name);
  return *this;
}

FlowBuilder& FlowBuilder::breaker(std::shared_ptr<const model::BreakerSettings> settings) {
  last().breaker = std::move(settings);
  return *this;
}

FlowBuilder& FlowBuilder::critical() {
  rules().critical = true;
  return *this;
}
FlowBuilder& FlowBuilder::fallback(boost::json::value with, std::uint32_t attempts) {
  auto step = std::make_shared<model::Step>();
  step->name = last().name;
  step->kind = model::StepKind::run;
  step->action = "instead";
  step->queue = last().queue;
  step->with = std::move(with);
  step->retry = std::make_shared<const model::Retry>(
      model::Retry{.max_attempts = attempts, .backoff = model::Backoff::fixed});
  last().fallback = std::move(step);
  return *this;
}

FlowBuilder& FlowBuilder::preflight(boost::json::value with, std::uint32_t attempts) {
  auto step = std::make_shared<model::Step>();
  step->name = last().name;
  step->kind = model::StepKind::run;
  step->action = "instead";
  step->queue = last().queue;
  step->with = std::move(with);
  step->retry = std::make_shared<const model::Retry>(
      model::Retry{.max_attempts = attempts, .backoff = model::Backoff::fixed});
  last().preflight = std::move(step);
  return *this;
}
FlowBuilder& FlowBuilder::on_error_of_all(model::ErrorRule rule) {
  workflow_.on_error.push_back(std::move(rule));
  return *this;
}
FlowBuilder& FlowBuilder::run_deadline(Duration value) {
  workflow_.deadline = value;
  return *this;
}
FlowBuilder& FlowBuilder::run_sla(Duration value) {
  workflow_.sla = value;
  return *this;
}
FlowBuilder& FlowBuilder::retry_budget(std::uint32_t count) {
  workflow_.retry_budget = count;
  return *this;
}
FlowBuilder& FlowBuilder::queue(std::string name) {
  last().queue = std::move(name);
  return *this;
}
FlowBuilder& FlowBuilder::priority(int value) {
  last().priority = static_cast<std::int8_t>(value);
  return *this;
}
FlowBuilder& FlowBuilder::continue_on_error() {
  last().continue_on_error = true;
  return *this;
}
FlowBuilder& FlowBuilder::estimate(Duration value) {
  last().estimate = value;
  return *this;
}
std::shared_ptr<const model::Step> FlowBuilder::ending(std::string script, boost::json::value with) {
  auto step = std::make_shared<model::Step>();
  step->name = last().name;
  step->kind = model::StepKind::run;
  step->action = boost::json::string(script);
  step->with = std::move(with);
  step->queue = last().queue;
  model::Retry retry = model::ending_retry();
  retry.backoff = model::Backoff::fixed;
  step->retry = std::make_shared<const model::Retry>(retry);
  step->timeout = std::make_shared<const model::Timeout>(model::ending_timeout());
  return step;
}
FlowBuilder& FlowBuilder::cleanup(std::string script, boost::json::value with) {
  endings().cleanup = ending(std::move(script), std::move(with));
  return *this;
}
FlowBuilder& FlowBuilder::cleanup_after(std::string_view step) {
  cleaned_after_[workflow_.steps.size() - 1] = step;
  return *this;
}
FlowBuilder& FlowBuilder::cleanup_on_shutdown() {
  endings().cleanup_on_shutdown = true;
  return *this;
}
FlowBuilder& FlowBuilder::compensate(std::string script, boost::json::value with) {
  endings().compensate = ending(std::move(script), std::move(with));
  return *this;
}
FlowBuilder& FlowBuilder::fail_fast() {
  workflow_.fail_fast = true;
  return *this;
}
FlowBuilder& FlowBuilder::max_parallel(std::uint32_t count) {
  workflow_.max_parallel = count;
  return *this;
}
FlowBuilder& FlowBuilder::default_priority(int value) {
  workflow_.priority = static_cast<std::int8_t>(value);
  return *this;
}

std::shared_ptr<const model::Workflow> FlowBuilder::done() {
  std::string text = workflow_.name + ";" + std::to_string(workflow_.fail_fast) + "," +
                     std::to_string(workflow_.max_parallel) + "," + std::to_string(workflow_.priority);
  for (const model::ErrorRule& rule : workflow_.on_error) text += ";" + describe(rule);
  for (const auto& limit : {workflow_.deadline, workflow_.sla})
    text += ";" + std::to_string(limit.value_or(Duration{}).us);
  if (workflow_.retry_budget) text += ";budget " + std::to_string(*workflow_.retry_budget);
  for (const auto& [step, after] : cleaned_after_) endings_[step].cleanup_after = find_step(workflow_, after);
  for (const auto& [step, endings] : endings_) {
    workflow_.steps[step].endings = std::make_shared<const model::Endings>(endings);
  }
  for (const model::Step& step : workflow_.steps) text += "\n" + describe(step);
  workflow_.hash = Hash256::of(text);
  workflow_.canonical = std::move(text);
  return std::make_shared<const model::Workflow>(workflow_);
}

}  // namespace baton::engine::testing
