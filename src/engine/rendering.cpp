#include "engine/rendering.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <map>

#include "base/text.hpp"
#include "engine/endings.hpp"
#include "expr/text.hpp"
#include "model/cached_result.hpp"

namespace baton::engine {
namespace {

using expr::Value;
namespace json = boost::json;

Value instant(WallTime t) {
  return t.us == 0 ? Value() : Value::timestamp(expr::timestamp_of(t));
}

// What is looked up while an expression is evaluated. Missing payloads are errors: they were not asked for.
class Scope {
 public:
  Scope(State& state, Run& run, const Task& task) : state_(state), run_(run), task_(task) {}

  Result<Value> payload(const model::PayloadKey& key) {
    if (!state_.values.has(key)) return fail(ErrorCode::internal, "a payload was not loaded before its use");
    TRY(std::shared_ptr<const json::value> value, state_.values.json(key));
    return Value::from_json(std::move(value));
  }

  Result<Value> result(Ordinal step) {
    const Task& task = run_.tasks[step];
    if (task.row.expanded) {
      if (task.row.item_count == 0) return Value::list(std::vector<Value>{});
      return payload(
          {run_.row.key, model::PayloadSlot::item_results, task.row.first_item, task.row.item_count});
    }
    if (!task.row.has_result || task.row.status != model::TaskStatus::completed) return Value();
    return payload(result_of(task.row.key));
  }

  Result<Value> item() {
    const model::TaskRow& row = subject_of(run_, task_).row;
    TRY(Value items, payload(input_of(TaskKey{run_.row.key, row.step})));
    if (!items.is(expr::Kind::list) || static_cast<std::size_t>(row.index) >= items.size()) {
      return fail(ErrorCode::internal, "a mapped step lost its items");
    }
    return items.at(static_cast<std::size_t>(row.index));
  }

  Result<Value> context(std::string_view member) {
    TRY(Value context, payload(context_of(run_.row.key)));
    if (!context.is(expr::Kind::map)) return Value();
    return context.find(member).value_or(Value());
  }

  State& state_;
  Run& run_;
  const Task& task_;
  // A lookup inside of a map cannot fail; what failed is kept here and wins over the value.
  std::optional<Error> failure_;
};

// The error of a task as expressions read it.
Value error_of(const model::TaskRow& row) {
  const auto number = [](const std::optional<int>& value) {
    return value ? Value::integer(*value) : Value();
  };
  return Value::map({{Value::string("type"), Value::string(row.error_type)},
                     {Value::string("message"), Value::string(row.error_message)},
                     {Value::string("exit_code"), number(row.error_exit_code)},
                     {Value::string("status"), number(row.error_status)}});
}

// steps.<name>
class StepView : public expr::MapSource {
 public:
  StepView(std::shared_ptr<Scope> scope, Ordinal step) : scope_(std::move(scope)), step_(step) {}
  std::size_t size() const override { return kKeys.size(); }
  Value key_at(std::size_t index) const override { return Value::string(std::string(kKeys[index])); }
  Value value_at(std::size_t index) const override {
    const model::TaskRow& row = scope_->run_.tasks[step_].row;
    switch (index) {
      case 0: {
        auto result = scope_->result(step_);
        if (result) return std::move(*result);
        if (!scope_->failure_) scope_->failure_ = std::move(result).error();
        return Value();
      }
      case 1:
        return Value::string(std::string(model::name(row.status)));
      case 2:
        return row.status == model::TaskStatus::failed ? error_of(row) : Value();
      case 4:
        return counts();
      case 5:
        return errors();
      default:
        return Value::integer(row.attempts);
    }
  }
  std::optional<Value> find(const Value& key) const override {
    if (!key.is(expr::Kind::string)) return std::nullopt;
    const auto at = std::ranges::find(kKeys, key.as_string());
    if (at == kKeys.end()) return std::nullopt;
    return value_at(static_cast<std::size_t>(at - kKeys.begin()));
  }

 private:
  // Of a mapped step (SEMANTICS 29), else null.
  Value counts() const {
    const model::TaskRow& row = scope_->run_.tasks[step_].row;
    if (!row.expanded) return Value();
    constexpr std::array kCounted = {model::TaskStatus::completed, model::TaskStatus::failed,
                                     model::TaskStatus::skipped, model::TaskStatus::cancelled};
    std::array<std::int64_t, kCounted.size()> counts{};
    each_item(row, [&](const model::TaskRow& item) {
      const auto at = std::ranges::find(kCounted, item.status);
      if (at != kCounted.end()) ++counts[static_cast<std::size_t>(at - kCounted.begin())];
    });
    std::vector<std::pair<Value, Value>> entries = {{Value::string("total"), Value::integer(row.item_count)}};
    for (std::size_t i = 0; i < counts.size(); ++i) {
      entries.emplace_back(Value::string(std::string(name(kCounted[i]))), Value::integer(counts[i]));
    }
    return Value::map(std::move(entries));
  }
  Value errors() const {
    const model::TaskRow& row = scope_->run_.tasks[step_].row;
    if (!row.expanded) return Value();
    std::vector<Value> list;
    each_item(row, [&](const model::TaskRow& item) {
      if (item.status != model::TaskStatus::failed || list.size() >= kMostErrors) return;
      list.push_back(Value::map({{Value::string("index"), Value::integer(item.index)},
                                 {Value::string("type"), Value::string(item.error_type)},
                                 {Value::string("message"), Value::string(item.error_message)}}));
    });
    return Value::list(std::move(list));
  }
  template <typename Visit>
  void each_item(const model::TaskRow& group, Visit visit) const {
    for (std::uint32_t i = 0; i < group.item_count; ++i) visit(scope_->run_.tasks[group.first_item + i].row);
  }

  static constexpr std::size_t kMostErrors = 1000;  // the first ones
  static constexpr std::array<std::string_view, 6> kKeys = {"result",   "status", "error",
                                                            "attempts", "counts", "errors"};
  std::shared_ptr<Scope> scope_;
  Ordinal step_;
};

class StepsView : public expr::MapSource {
 public:
  explicit StepsView(std::shared_ptr<Scope> scope) : scope_(std::move(scope)) {}
  // Of all at once; `index` counts the names of the step's own text.
  std::size_t size() const override { return names().size(); }
  Value key_at(std::size_t index) const override { return Value::string(names()[index].first); }
  Value value_at(std::size_t index) const override { return view_of(names()[index].second); }
  std::optional<Value> find(const Value& key) const override {
    if (!key.is(expr::Kind::string)) return std::nullopt;
    const auto step = scope_->run_.program->find_from(scope_->task_.row.step, key.as_string());
    if (!step) return std::nullopt;
    return view_of(*step);
  }

 private:
  Value view_of(Ordinal step) const { return Value::map(std::make_shared<StepView>(scope_, step)); }
  const std::vector<std::pair<std::string, Ordinal>>& names() const {
    if (names_.empty()) {
      scope_->run_.program->each_name(scope_->task_.row.step, [&](std::string_view name, Ordinal ordinal) {
        names_.emplace_back(name, ordinal);
      });
    }
    return names_;
  }

  std::shared_ptr<Scope> scope_;
  mutable std::vector<std::pair<std::string, Ordinal>> names_;
};

// run.*
class RunView : public expr::MapSource {
 public:
  explicit RunView(std::shared_ptr<Scope> scope) : scope_(std::move(scope)) {}
  std::size_t size() const override { return kKeys.size(); }
  Value key_at(std::size_t index) const override { return Value::string(std::string(kKeys[index])); }
  Value value_at(std::size_t index) const override {
    const model::RunRow& row = scope_->run_.row;
    switch (index) {
      case 0:
        return Value::string(row.id.text());
      case 1:
        return row.job_id.empty() ? Value() : Value::string(row.job_id);
      case 2:
        // After the main phase, the decided outcome (SEMANTICS 26).
        return Value::string(
            std::string(model::name(row.stage != model::RunStage::main ? row.outcome : row.status)));
      case 3: {
        auto metadata = scope_->context("metadata");
        if (metadata) return std::move(*metadata);
        if (!scope_->failure_) scope_->failure_ = std::move(metadata).error();
        return Value();
      }
      case 4:
        return instant(row.started_at);
      default:
        return Value::integer(row.recovery_attempts);
    }
  }
  std::optional<Value> find(const Value& key) const override {
    if (!key.is(expr::Kind::string)) return std::nullopt;
    const auto at = std::ranges::find(kKeys, key.as_string());
    if (at == kKeys.end()) return std::nullopt;
    return value_at(static_cast<std::size_t>(at - kKeys.begin()));
  }

 private:
  static constexpr std::array<std::string_view, 6> kKeys = {"id",       "job_id",     "status",
                                                            "metadata", "started_at", "recovery_attempts"};
  std::shared_ptr<Scope> scope_;
};

// self: the task as an action that belongs to it sees it, or the task that a helper serves. Its result is
// also what a failed attempt left (SEMANTICS 6).
class SelfView : public expr::MapSource {
 public:
  explicit SelfView(std::shared_ptr<Scope> scope) : scope_(std::move(scope)) {}
  std::size_t size() const override { return kKeys.size(); }
  Value key_at(std::size_t index) const override { return Value::string(std::string(kKeys[index])); }
  Value value_at(std::size_t index) const override {
    const model::TaskRow& row = subject_of(scope_->run_, scope_->task_).row;
    switch (index) {
      case 0: {
        if (!row.has_result) return Value();
        auto result = scope_->payload(result_of(row.key));
        if (result) return std::move(*result);
        if (!scope_->failure_) scope_->failure_ = std::move(result).error();
        return Value();
      }
      case 1:
        return Value::string(std::string(model::name(row.status)));
      case 2:
        return row.error_type.empty() ? Value() : error_of(row);
      default:
        return Value::integer(row.starts);
    }
  }
  std::optional<Value> find(const Value& key) const override {
    if (!key.is(expr::Kind::string)) return std::nullopt;
    const auto at = std::ranges::find(kKeys, key.as_string());
    if (at == kKeys.end()) return std::nullopt;
    return value_at(static_cast<std::size_t>(at - kKeys.begin()));
  }

 private:
  static constexpr std::array<std::string_view, 4> kKeys = {"result", "status", "error", "attempt"};
  std::shared_ptr<Scope> scope_;
};

expr::Variables variables(const std::shared_ptr<Scope>& scope) {
  expr::Variables out;
  out.set_lazy("inputs", [scope] { return scope->payload(input_of(scope->run_.row.key)); });
  out.set_lazy("env", [scope] { return scope->context("vars"); });
  out.set("run", Value::map(std::make_shared<RunView>(scope)));
  out.set("steps", Value::map(std::make_shared<StepsView>(scope)));
  const Task& subject = subject_of(scope->run_, scope->task_);
  if (subject.row.index >= 0) {
    out.set_lazy("item", [scope] { return scope->item(); });
    out.set("index", Value::integer(subject.row.index));
  }
  if (is_helper(scope->task_) || scope->task_.row.phase == model::Phase::fallback) {
    out.set("self", Value::map(std::make_shared<SelfView>(scope)));
  }
  return out;
}

template <typename T>
Result<T> checked(const std::shared_ptr<Scope>& scope, Result<T> value) {
  if (scope->failure_) return fail(*scope->failure_);
  return value;
}

// Arguments and environment variables are text: what is not, is written as inside of other text (SEMANTICS
// 1).
std::string as_text(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "";
    case json::kind::string:
      return std::string(value.get_string());
    case json::kind::double_:
      return expr::text_of(value.get_double());
    default:
      return json::serialize(value);
  }
}

std::string_view text_in(const json::value* value) {
  const auto* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

std::string joined(std::string_view base, std::string_view path) {
  if (path.empty()) return std::string(base);
  if (path.front() == '/' || base.empty()) return std::string(path);
  return std::string(base) + "/" + std::string(path);
}

// What a step's executor gets beside the step's own body. If the body is a template (it has secrets), so is
// everything that is put beside it.
class Surroundings {
 public:
  Surroundings(const json::object* context, bool sealed) : context_(context), sealed_(sealed) {}

  bool sealed() const { return sealed_; }
  std::string literal(std::string_view text) const {
    return sealed_ ? expr::literal_text(text) : std::string(text);
  }
  std::string text(std::string_view member) const { return literal(text_in(find(member))); }
  json::object object(std::string_view member) const {
    const json::value* value = find(member);
    if (value == nullptr || !value->is_object()) return {};
    json::value copy = *value;
    if (sealed_) expr::make_literal(copy);
    return std::move(copy.as_object());
  }
  // Where the run was started: what relative paths refer to.
  std::string workdir() const { return text("workdir"); }

 private:
  const json::value* find(std::string_view member) const {
    return context_ != nullptr ? context_->if_contains(member) : nullptr;
  }
  const json::object* context_;
  bool sealed_;
};

json::object process_spec(const model::Step& step, json::object& body, const Surroundings& around) {
  json::object spec;
  if (step.kind == model::StepKind::run) {
    const auto* script = step.action.if_string();
    spec.emplace("script",
                 script != nullptr ? json::value(around.literal(std::string_view(*script))) : step.action);
    if (step.process && !step.process->shell.empty()) {
      json::array shell;
      for (const std::string& word : step.process->shell) shell.emplace_back(around.literal(word));
      spec.emplace("shell", std::move(shell));
    }
  } else {
    json::array argv;
    if (const auto* words = body["action"].if_array()) {
      for (const json::value& word : *words) argv.emplace_back(as_text(word));
    }
    spec.emplace("argv", std::move(argv));
  }
  json::object env = around.object("env");
  if (auto* own = body["env"].if_object()) {
    for (auto& [key, value] : *own) env.insert_or_assign(key, as_text(value));
  }
  spec.emplace("env", std::move(env));
  spec.emplace("workdir", joined(around.workdir(), text_in(body.if_contains("workdir"))));
  if (auto* with = body.if_contains("with"); with != nullptr && !with->is_null())
    spec.emplace("with", std::move(*with));
  if (step.process && step.process->parse_json) spec.emplace("parse", "json");
  return spec;
}

// Text, null, or a list of these.
void parameter_text(json::value& value) {
  if (auto* list = value.if_array()) {
    for (json::value& item : *list) {
      if (!item.is_null()) item = json::string(as_text(item));
    }
  } else if (!value.is_null()) {
    value = json::string(as_text(value));
  }
}

json::object http_spec(const model::Step& step, std::uint32_t generation, json::object& body,
                       const Surroundings& around) {
  json::value request = std::move(body["action"]);
  if (auto* members = request.if_object()) {
    // A text that was one ${{ }} has kept its type; URL and body are text.
    for (const char* name : {"url", "body"}) {
      if (auto* value = members->if_contains(name)) *value = json::string(as_text(*value));
    }
    if (auto* headers = members->if_contains("headers"); headers != nullptr && headers->is_object()) {
      for (auto& header : headers->get_object()) header.value() = json::string(as_text(header.value()));
    }
    for (const char* name : {"query", "form"}) {
      auto* parameters = members->if_contains(name);
      if (parameters == nullptr || !parameters->is_object()) continue;
      for (auto& parameter : parameters->get_object()) parameter_text(parameter.value());
    }
    auto* tls = members->if_contains("tls");
    if (auto* options = tls != nullptr ? tls->if_object() : nullptr) {
      if (auto* ca = options->if_contains("ca")) *ca = json::string(joined(around.workdir(), as_text(*ca)));
    }
  }
  json::object spec;
  spec.emplace("request", std::move(request));
  if (generation > 1) spec.emplace("generation", generation);
  if (step.response_schema) {
    json::value schema = *step.response_schema;
    if (around.sealed()) expr::make_literal(schema);
    spec.emplace("response_schema", std::move(schema));
  }
  return spec;
}

Result<bool> condition(std::string_view field, const expr::Expression& expression,
                       const std::shared_ptr<Scope>& scope, const expr::Variables& variables) {
  TRY(Value value,
      checked(scope, expr::evaluate(expression, variables, expr::Limits{}, *scope->state_.zones)));
  if (!value.is(expr::Kind::boolean)) {
    return fail(ErrorCode::expression, "`" + std::string(field) + "` must give true or false, not " +
                                           std::string(kind_name(value.kind())));
  }
  return value.as_boolean();
}

}  // namespace

Result<bool> evaluate_when(State& state, Run& run, const Task& task) {
  TRY(std::shared_ptr<const StepCode> code, run.program->code(task.row.step));
  if (!code->when) return true;
  auto scope = std::make_shared<Scope>(state, run, task);
  return condition("when", *code->when, scope, variables(scope));
}

Result<std::int32_t> evaluate_branches(State& state, Run& run, const Task& task) {
  TRY(std::shared_ptr<const StepCode> code, run.program->code(task.row.step));
  auto scope = std::make_shared<Scope>(state, run, task);
  const expr::Variables known = variables(scope);
  for (std::size_t i = 0; i < code->branches.size(); ++i) {
    if (!code->branches[i]) return static_cast<std::int32_t>(i);
    TRY(const bool holds, condition("when", *code->branches[i], scope, known));
    if (holds) return static_cast<std::int32_t>(i);
  }
  return -1;
}

Result<bool> evaluate_until(State& state, Run& run, const Task& task, const std::string& result) {
  TRY(std::shared_ptr<const StepCode> code, run.program->code(task.row.step));
  if (!code->until) return true;
  TRY(std::shared_ptr<const json::value> parsed, parse_value(result));
  auto scope = std::make_shared<Scope>(state, run, task);
  expr::Variables known = variables(scope);
  known.set("self", Value::map({{Value::string("result"), Value::from_json(std::move(parsed))},
                                {Value::string("error"), Value()},
                                {Value::string("attempt"), Value::integer(task.row.starts)},
                                {Value::string("status"), Value::string("completed")}}));
  return condition("until", *code->until, scope, known);
}

Result<json::array> evaluate_items(State& state, Run& run, const Task& task) {
  const model::Step& step = run.program->step(task.row.step);
  TRY(std::shared_ptr<const StepCode> code, run.program->code(task.row.step));
  auto scope = std::make_shared<Scope>(state, run, task);
  TRY(json::value value,
      checked(scope, code->for_each.render(step.for_each, variables(scope), *state.zones)));
  if (auto* list = value.if_array()) return std::move(*list);
  auto* map = value.if_object();
  if (map == nullptr) {
    return fail(ErrorCode::expression,
                "`for_each` must give a list or a map, not " + std::string(json::to_string(value.kind())));
  }
  std::vector<std::string> keys;
  for (const auto& [key, unused] : *map) keys.emplace_back(key);
  std::ranges::sort(keys);
  json::array items;
  items.reserve(keys.size());
  for (const std::string& key : keys) {
    json::object item;
    item.emplace("key", key);
    item.emplace("value", std::move((*map)[key]));
    items.push_back(std::move(item));
  }
  return items;
}

Result<json::value> render_body(State& state, Run& run, const Task& task) {
  const model::Step& action = run.program->action(task.row);
  TRY(std::shared_ptr<const StepCode> code, run.program->code(task.row.step, action));
  json::value body = model::body_of(action);
  if (code->body.is_constant()) return body;
  auto scope = std::make_shared<Scope>(state, run, task);
  TRY(body, checked(scope, code->body.render(body, variables(scope), *state.zones)));
  if (!code->body.secrets().empty()) {
    json::array names;
    for (const std::string& name : code->body.secrets()) names.emplace_back(name);
    body.as_object().emplace("secrets", std::move(names));
  }
  return body;
}

Result<model::Flow> render_flow(State& state, Run& run, const Task& task) {
  const model::Step& step = run.program->step(task.row.step);
  TRY(std::shared_ptr<const StepCode> code, run.program->code(task.row.step));
  auto scope = std::make_shared<Scope>(state, run, task);
  TRY(json::value rendered,
      checked(scope, code->flow.render(Program::flow_of(step), variables(scope), *state.zones)));
  std::vector<std::string> names;
  for (const json::value& value : rendered.get_array()) {
    std::string name = as_text(value);
    if (name.size() > model::kMaxFlowName || !is_utf8(name)) {
      return fail(ErrorCode::expression, "the key \"" + printable(utf8_prefix(name, 60)) +
                                             "…\" of a limit, rate or fair turn has more than " +
                                             std::to_string(model::kMaxFlowName) + " bytes");
    }
    names.push_back(std::move(name));
  }
  model::Flow flow = step.flow->flow;
  if (!flow.rate.empty() && names[0].empty()) {
    return fail(ErrorCode::expression, "the `key` of `rate_limit` is empty");
  }
  flow.rate = std::move(names[0]);
  flow.fair_key = std::move(names[1]);
  std::map<std::string, model::LimitUse> limits;
  for (std::size_t i = 0; i < flow.limits.size(); ++i) {
    std::string& name = names[i + 2];
    if (name.empty()) return fail(ErrorCode::expression, "a `key` of `concurrency` is empty");
    // Two keys may come to the same: then it is taken once.
    const auto [at, fresh] = limits.emplace(name, flow.limits[i]);
    if (fresh) {
      at->second.name = std::move(name);
    } else {
      const std::uint32_t otherwise = flow.limits[i].otherwise;
      at->second.amount = std::max(at->second.amount, flow.limits[i].amount);
      if (otherwise > 0) {
        at->second.otherwise =
            at->second.otherwise == 0 ? otherwise : std::min(at->second.otherwise, otherwise);
      }
    }
  }
  flow.limits.clear();
  for (auto& [name, use] : limits) flow.limits.push_back(std::move(use));
  return flow;
}

Result<std::string> render_cache_key(State& state, Run& run, const Task& task) {
  const model::Step& step = run.program->step(task.row.step);
  TRY(std::shared_ptr<const StepCode> code, run.program->code(task.row.step));
  json::value key;
  if (step.cache->key) {
    auto scope = std::make_shared<Scope>(state, run, task);
    TRY(key, checked(scope, code->cache.render(*step.cache->key, variables(scope), *state.zones)));
    if (key.is_null()) return std::string();
  } else {
    TRY(key, render_body(state, run, task));
  }
  return model::cached_key(run.row.workflow, step.name, code->deed + '\n' + json::serialize(key));
}

Result<std::string> input_with(State& state, const Task& task, json::value body) {
  json::object input;
  if (task.row.has_input) {
    TRY(std::shared_ptr<const json::value> stored, state.values.json(input_of(task.row.key)));
    if (const auto* object = stored->if_object()) input = *object;
  }
  if (task.row.phase == model::Phase::primary) {
    if (auto* object = body.if_object()) {
      input.erase("secrets");  // of another version of the step
      for (auto& [key, value] : *object) input.insert_or_assign(key, std::move(value));
    }
  } else {
    input.insert_or_assign(name(task.row.phase), std::move(body));
  }
  return json::serialize(input);
}

Result<json::value> recorded_body(State& state, const Run& run, const Task& task) {
  if (task.row.has_input) {
    TRY(std::shared_ptr<const json::value> stored, state.values.json(input_of(task.row.key)));
    const auto* input = stored->if_object();
    if (input == nullptr) return fail(ErrorCode::corrupt, "the stored input of a task is damaged");
    if (task.row.phase == model::Phase::primary) {
      if (input->contains("env")) return *stored;
    } else if (const auto* body = input->if_contains(name(task.row.phase))) {
      return *body;
    }
  }
  return model::body_of(run.program->action(task.row));
}

Result<ExecutorSpec> executor_spec(State& state, Run& run, const Task& task) {
  const model::Step& step = run.program->action(task.row);
  if (step.kind == model::StepKind::task && !task.row.has_input) {
    const auto code = run.program->code(task.row.step, step);
    if (code && !(*code)->call.empty()) return ExecutorSpec{(*code)->call, false};
  }
  TRY(json::value body, recorded_body(state, run, task));
  TRY(std::shared_ptr<const json::value> context, state.values.json(context_of(run.row.key)));
  auto* object = body.if_object();
  if (object == nullptr) return fail(ErrorCode::corrupt, "the stored input of a task is damaged");
  const Surroundings around(context->if_object(), object->contains("secrets"));
  json::object spec;
  if (step.kind == model::StepKind::task) {
    spec = call_of(step, *object);
  } else if (step.kind == model::StepKind::http) {
    spec = http_spec(step, task.row.generation, *object, around);
  } else {
    spec = process_spec(step, *object, around);
  }
  if (step.kind != model::StepKind::task) {
    if (const std::string trace = around.text("traceparent"); !trace.empty())
      spec.emplace("traceparent", trace);
  }
  return ExecutorSpec{json::serialize(spec), around.sealed()};
}

std::string trace_of(State& state, const Run& run) {
  const auto context = state.values.json(context_of(run.row.key));
  const auto* surroundings = context ? (*context)->if_object() : nullptr;
  const json::value* trace = surroundings != nullptr ? surroundings->if_contains("traceparent") : nullptr;
  return trace != nullptr && trace->is_string() ? std::string(trace->get_string()) : std::string();
}

}  // namespace baton::engine
