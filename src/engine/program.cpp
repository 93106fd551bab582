#include "engine/program.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <numeric>

namespace baton::engine {
namespace {

constexpr std::size_t kCompiledLimit = 1024;
constexpr int kRenderDepth = 64;  // of a definition's values, as the parser allows

Error compile_error(const std::string& text, const expr::Diagnostics& diagnostics) {
  return {ErrorCode::expression,
          "\"" + text + "\": " + (diagnostics.empty() ? "is no expression" : diagnostics[0].message), ""};
}

Status collect(const boost::json::value& value, std::unordered_map<std::string, expr::Template>& out,
               int depth) {
  if (depth > kRenderDepth) return fail(ErrorCode::too_large, "a value is nested too deep");
  if (const auto* text = value.if_string()) {
    if (text->find("${{") == boost::json::string::npos) return {};
    std::string key(text->c_str(), text->size());
    if (out.contains(key)) return {};
    auto compiled = expr::Template::parse(key);
    if (!compiled) return fail(compile_error(key, compiled.error()));
    out.emplace(std::move(key), std::move(*compiled));
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array) TRY_VOID(collect(item, out, depth + 1));
  } else if (const auto* object = value.if_object()) {
    for (const auto& [key, item] : *object) TRY_VOID(collect(item, out, depth + 1));
  }
  return {};
}

// Three attempts of five minutes, as for everything that runs at the end.
std::shared_ptr<const model::Step> make_resource_action(const std::string& queue) {
  auto step = std::make_shared<model::Step>();
  step->name = "resource";
  step->kind = model::StepKind::exec;
  step->queue = queue;
  step->retry = std::make_shared<const model::Retry>(model::ending_retry());
  step->timeout = std::make_shared<const model::Timeout>(model::ending_timeout());
  return step;
}

}  // namespace

namespace {

// What a cached result depends on beside its key: a step that does something else has no results yet.
std::string deed_of(const model::Step& step) {
  boost::json::array parts{name(step.kind), step.action, model::body_of(step)};
  boost::json::array shell;
  if (step.process) {
    for (const std::string& word : step.process->shell) shell.emplace_back(word);
  }
  parts.push_back(std::move(shell));
  parts.emplace_back(step.process && step.process->parse_json);
  parts.push_back(step.response_schema ? *step.response_schema : boost::json::value());
  parts.push_back(step.failure ? step.failure->result_schema : boost::json::value());
  parts.emplace_back(step.repeat ? step.repeat->until : std::string());
  return boost::json::serialize(parts);
}

}  // namespace

Result<Rendering> Rendering::compile(const boost::json::value& value) {
  Rendering rendering;
  TRY_VOID(collect(value, rendering.templates_, 0));
  for (const auto& [text, compiled] : rendering.templates_) {
    for (std::string& name : compiled.secrets()) rendering.secrets_.insert(std::move(name));
  }
  return rendering;
}

Result<boost::json::value> Rendering::render(const boost::json::value& value,
                                             const expr::Variables& variables,
                                             const calendar::ZoneTable& zones) const {
  if (const auto* text = value.if_string()) {
    const auto found = templates_.find(std::string(text->c_str(), text->size()));
    if (found != templates_.end())
      return found->second.render(
          variables, expr::Limits{}, zones,
          secrets_.empty() ? expr::Template::Secrets::evaluated : expr::Template::Secrets::kept);
    boost::json::value plain = value;
    if (!secrets_.empty()) expr::make_literal(plain);
    return plain;
  }
  if (const auto* array = value.if_array()) {
    boost::json::array out;
    out.reserve(array->size());
    for (const auto& item : *array) {
      TRY(boost::json::value rendered, render(item, variables, zones));
      out.push_back(std::move(rendered));
    }
    return out;
  }
  if (const auto* object = value.if_object()) {
    boost::json::object out;
    for (const auto& [key, item] : *object) {
      TRY(boost::json::value rendered, render(item, variables, zones));
      out.emplace(key, std::move(rendered));
    }
    return out;
  }
  return value;
}

Program::Program(std::shared_ptr<const model::Workflow> workflow) : workflow_(std::move(workflow)) {
  const auto& steps = workflow_->steps;
  std::uint64_t known = 0;
  std::uint64_t sum = 0;
  std::size_t edges = 0;
  by_name_.resize(steps.size());
  std::iota(by_name_.begin(), by_name_.end(), Ordinal{0});
  std::ranges::sort(by_name_, {}, [&](Ordinal i) -> std::string_view { return steps[i].name; });
  for (Ordinal i = 0; i < steps.size(); ++i) {
    if (!steps[i].finally) ++main_steps_;
    if (const model::Endings* endings = steps[i].endings.get()) {
      has_cleanup_ |= endings->cleanup != nullptr;
      has_compensate_ |= endings->compensate != nullptr;
      if (endings->cleanup_after) cleaned_after_[*endings->cleanup_after].push_back(i);
    }
    auto& gives_back = resource_actions_[steps[i].queue];
    if (gives_back == nullptr) gives_back = make_resource_action(steps[i].queue);
    if (steps[i].estimate) {
      ++known;
      sum += static_cast<std::uint64_t>(std::max<std::int64_t>(1, steps[i].estimate->us / 1000));
    }
    edges += steps[i].needs.size();
    if (!steps[i].branches) continue;
    for (const model::Branch& branch : *steps[i].branches) {
      for (const Ordinal target : branch.go_to) {
        std::vector<Ordinal>& switches = switches_[target];
        if (switches.empty() || switches.back() != i) switches.push_back(i);
      }
    }
  }
  if (known > 0) default_weight_ = std::max<std::uint64_t>(1, sum / known);
  total_weight_ = sum + (steps.size() - known) * default_weight_;

  // Successors in one array (compressed sparse rows): two passes over the predecessors.
  first_edge_.assign(steps.size() + 1, 0);
  for (const auto& step : steps) {
    for (const Ordinal before : step.needs) ++first_edge_[before + 1];
  }
  for (std::size_t i = 1; i < first_edge_.size(); ++i) first_edge_[i] += first_edge_[i - 1];
  edges_.resize(edges);
  std::vector<std::uint32_t> next(first_edge_.begin(), first_edge_.end() - 1);
  for (Ordinal i = 0; i < steps.size(); ++i) {
    for (const Ordinal before : steps[i].needs) edges_[next[before]++] = i;
  }
}

std::span<const Ordinal> Program::cleaned_after(Ordinal step) const {
  const auto found = cleaned_after_.find(step);
  return found == cleaned_after_.end() ? std::span<const Ordinal>() : found->second;
}

std::optional<Ordinal> Program::find(std::string_view name) const {
  const auto name_of = [&](Ordinal i) -> std::string_view { return workflow_->steps[i].name; };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of);
  if (found == by_name_.end() || name_of(*found) != name) return std::nullopt;
  return *found;
}

std::span<const Ordinal> Program::switches_to(Ordinal step) const {
  const auto found = switches_.find(step);
  return found == switches_.end() ? std::span<const Ordinal>() : found->second;
}

std::uint64_t Program::weight(Ordinal ordinal) const {
  const auto& estimate = step(ordinal).estimate;
  return estimate ? static_cast<std::uint64_t>(std::max<std::int64_t>(1, estimate->us / 1000))
                  : default_weight_;
}

References Program::references(const std::vector<expr::Path>& paths) const {
  References refs;
  for (const expr::Path& path : paths) {
    if (path[0] == "inputs") {
      refs.input = true;
    } else if (path[0] == "env" || path[0] == "run") {
      refs.context |= path[0] == "env" || path.size() < 2 || path[1] == "metadata";
    } else if (path[0] == "item" || path[0] == "index") {
      refs.item = true;
    } else if (path[0] == "self") {
      refs.self |= path.size() < 2 || path[1] == "result";
    } else if (path[0] == "steps") {
      if (path.size() < 2) {
        refs.all_steps = true;
      } else if (const auto ordinal = find(path[1]); ordinal && (path.size() < 3 || path[2] == "result")) {
        refs.results.push_back(*ordinal);
      }
    }
  }
  std::ranges::sort(refs.results);
  refs.results.erase(std::ranges::unique(refs.results).begin(), refs.results.end());
  return refs;
}

boost::json::value Program::flow_of(const model::Step& step) {
  if (!step.flow || step.flow->is_constant) return nullptr;
  const model::Flow& flow = step.flow->flow;
  boost::json::array names;
  names.emplace_back(flow.rate);
  names.emplace_back(flow.fair_key);
  for (const model::LimitUse& use : flow.limits) names.emplace_back(use.name);
  return names;
}

const model::Step& Program::action(const model::TaskRow& row, const model::Step& own) const {
  switch (row.role) {
    case model::TaskRole::main:
      break;
    case model::TaskRole::cleanup:
      if (own.endings && own.endings->cleanup) return *own.endings->cleanup;
      break;
    case model::TaskRole::compensate:
      if (own.endings && own.endings->compensate) return *own.endings->compensate;
      break;
    case model::TaskRole::resource:
      return *resource_actions_.at(own.queue);
  }
  switch (row.phase) {
    case model::Phase::primary:
      return own;
    case model::Phase::preflight:
      return own.preflight ? *own.preflight : own;
    case model::Phase::poll:
      return own.wait && own.wait->poll ? *own.wait->poll : own;
    case model::Phase::fallback:
      return own.fallback ? *own.fallback : own;
  }
  return own;
}

Result<std::shared_ptr<const StepCode>> Program::code(const model::Step& s) const {
  if (const auto found = compiled_.find(&s); found != compiled_.end()) return found->second;
  auto code = std::make_shared<StepCode>();
  std::vector<expr::Path> before;
  if (!s.when.empty()) {
    auto when = expr::Expression::parse(s.when);
    if (!when) return fail(compile_error(s.when, when.error()));
    before = when->paths();
    code->when = std::move(*when);
  }
  TRY(code->for_each, Rendering::compile(s.for_each));
  code->for_each.each_path([&](const expr::Path& path) { before.push_back(path); });
  code->before = references(before);
  TRY(code->body, Rendering::compile(model::body_of(s)));
  if (s.kind == model::StepKind::task && code->body.is_constant()) {
    boost::json::value body = model::body_of(s);
    if (auto* object = body.if_object()) code->call = boost::json::serialize(call_of(s, *object));
  }
  TRY(code->flow, Rendering::compile(flow_of(s)));
  if (s.cache) {
    if (s.cache->key) {
      TRY(code->cache, Rendering::compile(*s.cache->key));
    }
    code->deed = deed_of(s);
  }
  std::vector<expr::Path> each;
  code->body.each_path([&](const expr::Path& path) { each.push_back(path); });
  code->flow.each_path([&](const expr::Path& path) { each.push_back(path); });
  code->cache.each_path([&](const expr::Path& path) { each.push_back(path); });
  const auto compile = [](const std::string& text,
                          std::vector<expr::Path>& paths) -> Result<std::optional<expr::Expression>> {
    if (text.empty()) return std::optional<expr::Expression>();
    auto expression = expr::Expression::parse(text);
    if (!expression) return fail(compile_error(text, expression.error()));
    paths.insert(paths.end(), expression->paths().begin(), expression->paths().end());
    return std::optional<expr::Expression>(std::move(*expression));
  };
  if (s.branches) {
    for (const model::Branch& branch : *s.branches) {
      TRY(code->branches.emplace_back(), compile(branch.when, each));
    }
  }
  std::vector<expr::Path> after;
  TRY(code->until, compile(s.repeat ? s.repeat->until : s.wait ? s.wait->until : std::string(), after));
  code->after = references(after);
  code->each = references(each);

  if (compiled_order_.size() >= kCompiledLimit) {
    compiled_.erase(compiled_order_.front());
    compiled_order_.pop_front();
  }
  compiled_order_.push_back(&s);
  compiled_.emplace(&s, code);
  return std::shared_ptr<const StepCode>(std::move(code));
}

boost::json::object call_of(const model::Step& step, boost::json::object& body) {
  boost::json::object call;
  call.emplace("function", model::function_of(step));
  if (auto* with = body.if_contains("with")) call.emplace("with", std::move(*with));
  return call;
}

const FailureCode& Program::failure_code(const model::FailureRules& rules) const {
  if (const auto found = failure_code_.find(&rules); found != failure_code_.end()) return found->second;
  if (failure_code_.size() >= kCompiledLimit) failure_code_.clear();
  FailureCode code{.on_error = ErrorRules(rules.on_error), .result = std::nullopt};
  if (!rules.result_schema.is_null()) {
    // The definition's check has refused one that does not compile.
    if (auto schema = schema::Schema::compile(rules.result_schema)) code.result = std::move(*schema);
  }
  return failure_code_.emplace(&rules, std::move(code)).first->second;
}

const model::ErrorRule* Program::own_rule_for(Ordinal ordinal, const model::Failure& failure) const {
  const auto& rules = step(ordinal).failure;
  return rules && !rules->on_error.empty() ? failure_code(*rules).on_error.match(failure) : nullptr;
}

const model::ErrorRule* Program::shared_rule_for(const model::Failure& failure) const {
  if (workflow_->on_error.empty()) return nullptr;
  if (!shared_rules_) shared_rules_.emplace(workflow_->on_error);
  return shared_rules_->match(failure);
}

const schema::Schema* Program::result_schema(Ordinal ordinal) const {
  const auto& rules = step(ordinal).failure;
  if (!rules || rules->result_schema.is_null()) return nullptr;
  const FailureCode& code = failure_code(*rules);
  return code.result ? &*code.result : nullptr;
}

}  // namespace baton::engine
