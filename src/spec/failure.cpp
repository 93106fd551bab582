#include "spec/failure.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "model/outcome.hpp"
#include "schema/schema.hpp"
#include "spec/check.hpp"

namespace baton::spec {
namespace {

namespace json = boost::json;
using model::ErrorAction;
using model::ErrorRule;

// The error types that Baton raises itself; others are those of handlers.
constexpr std::array<std::string_view, 16> kTypes = {
    "exit",        "signal",     "timeout",     "start_timeout", "heartbeat", "lost",
    "interrupted", "connection", "validation",  "expression",    "http",      "breaker_open",
    "rejected",    "cancelled",  "quarantined", "finally"};

// A list, or one value instead of it.
template <typename Visit>
void each(const Tree& tree, NodeId node, Visit visit) {
  if (!tree.is(node, NodeKind::list)) return visit(node);
  for (const NodeId item : tree.items(node)) visit(item);
}

std::string_view text_of(const Tree& tree, NodeId map, std::string_view name) {
  const auto member = tree.find(map, name);
  return member && tree.is(member->value, NodeKind::string) ? tree.text(member->value) : std::string_view();
}

std::optional<Duration> duration_of(const Tree& tree, NodeId map, std::string_view name) {
  const auto member = tree.find(map, name);
  return member ? read_duration(tree, member->value) : std::nullopt;
}

ErrorAction action_of(std::string_view word) {
  for (const auto action :
       {ErrorAction::retry, ErrorAction::fallback, ErrorAction::hold, ErrorAction::ignore}) {
    if (word == name(action)) return action;
  }
  return ErrorAction::fail;  // `fail` and `alert`
}

model::Severity severity_of(std::string_view word) {
  for (const auto severity : {model::Severity::info, model::Severity::warning, model::Severity::critical}) {
    if (word == name(severity)) return severity;
  }
  return model::Severity::none;
}

// 503, or a class such as 5xx.
ErrorRule::Range status_range(std::string_view text) {
  if (text.size() == 3 && text.ends_with("xx")) {
    const int first = (text[0] - '0') * 100;
    return {first, first + 99};
  }
  int status = 0;
  std::from_chars(text.data(), text.data() + text.size(), status);
  return {status, status};
}

ErrorRule read_rule(const Tree& tree, NodeId node) {
  ErrorRule rule;
  const std::string_view action = text_of(tree, node, "do");
  rule.action = action_of(action);
  rule.alert = severity_of(text_of(tree, node, "alert"));
  if (action == "alert" && rule.alert == model::Severity::none) rule.alert = model::Severity::warning;
  rule.delay = duration_of(tree, node, "delay");
  const auto match = tree.find(node, "match");
  if (!match) return rule;
  if (const auto m = tree.find(match->value, "type")) {
    each(tree, m->value, [&](NodeId item) { rule.types.emplace_back(tree.text(item)); });
  }
  if (const auto m = tree.find(match->value, "status")) {
    each(tree, m->value, [&](NodeId item) { rule.status.push_back(status_range(tree.text(item))); });
  }
  if (const auto m = tree.find(match->value, "exit")) {
    each(tree, m->value,
         [&](NodeId item) { rule.exit.push_back(static_cast<int>(tree.integer(item).value_or(0))); });
  }
  rule.message = text_of(tree, match->value, "message");
  return rule;
}

void check_positive(const Tree& tree, NodeId owner, std::string_view field, Findings& findings) {
  const auto member = tree.find(owner, field);
  if (!member) return;
  const auto duration = read_duration(tree, member->value);
  if (duration && duration->us <= 0) {
    findings.error(member->value, "`" + std::string(field) + "` must be more than 0");
  }
}

void check_match(const Tree& tree, NodeId match, Findings& findings) {
  if (const auto types = tree.find(match, "type")) {
    each(tree, types->value, [&](NodeId item) {
      if (tree.is_collection(item) || findings.full()) return;
      const std::string_view type = tree.text(item);
      if (std::ranges::find(kTypes, type) != kTypes.end()) return;
      const std::string_view meant = nearest(type, kTypes);
      if (meant.empty()) return;
      findings.warning(item, "no error of Baton has the type \"" + printable(utf8_prefix(type, 60)) + "\"",
                       "did you mean `" + std::string(meant) + "`? A type of your own needs no change");
    });
  }
  const auto message = tree.find(match, "message");
  if (!message || !tree.is(message->value, NodeKind::string)) return;
  const std::string_view pattern = tree.text(message->value);
  if (pattern.empty()) return findings.error(message->value, "the pattern is empty: leave `message` out");
  const auto compiled =
      schema::Schema::compile(json::object{{"pattern", json::string_view(pattern.data(), pattern.size())}});
  if (!compiled) findings.error(message->value, printable(compiled.error().front().message));
}

// Whether the rule holds for every error.
bool matches_all(const Tree& tree, NodeId rule) {
  const auto match = tree.find(rule, "match");
  return !match || (tree.is(match->value, NodeKind::map) && tree.count(match->value) == 0);
}

void check_rule(const Tree& tree, NodeId rule, NodeId owner, bool is_step, Findings& findings) {
  const std::string_view action = text_of(tree, rule, "do");
  if (const auto match = tree.find(rule, "match"); match && tree.is(match->value, NodeKind::map)) {
    check_match(tree, match->value, findings);
  }
  if (const auto delay = tree.find(rule, "delay"); delay && !action.empty() && action != "retry") {
    findings.error(delay->key, "`delay` has no effect with `do: " + printable(action) + "`");
  }
  if (!is_step) return;
  const auto named = tree.find(rule, "do");
  if (action == "fallback" && !tree.find(owner, "fallback")) {
    findings.error(named->value, "the step has no `fallback`");
  }
  const auto defaults = tree.find(tree.root(), "defaults");
  const bool retries = tree.find(owner, "retry") || (defaults && tree.is(defaults->value, NodeKind::map) &&
                                                     tree.find(defaults->value, "retry"));
  if (action == "retry" && !retries) {
    findings.warning(named->value, "the step has no `retry`: there is only one attempt",
                     "add retry: {max_attempts: 3}");
  }
}

void check_rules(const Tree& tree, NodeId list, NodeId owner, bool is_step, Findings& findings) {
  if (!tree.is(list, NodeKind::list)) return;
  bool reached = true;
  for (const NodeId rule : tree.items(list)) {
    if (findings.full()) return;
    if (!tree.is(rule, NodeKind::map)) continue;
    if (!reached) {
      findings.warning(rule, "this rule is never reached: one before it holds for every error");
      return;
    }
    check_rule(tree, rule, owner, is_step, findings);
    reached = !matches_all(tree, rule);
  }
}

}  // namespace

void check_failure(const Tree& tree, NodeId owner, bool is_step, Findings& findings) {
  if (!tree.is(owner, NodeKind::map)) return;
  check_positive(tree, owner, "deadline", findings);
  check_positive(tree, owner, "sla", findings);
  if (const auto rules = tree.find(owner, "on_error")) {
    check_rules(tree, rules->value, owner, is_step, findings);
  }
  if (!is_step) return;
  if (const auto failures = tree.find(owner, "max_failures"); failures && !tree.find(owner, "for_each")) {
    findings.error(failures->key, "`max_failures` needs `for_each`");
  }
  if (const auto rule = tree.find(owner, "trigger_rule"); rule && !tree.find(owner, "needs")) {
    findings.error(rule->key, "`trigger_rule` needs `needs`: a step without it starts at once");
  }
}

std::vector<ErrorRule> read_on_error(const Tree& tree, NodeId list) {
  std::vector<ErrorRule> rules;
  for (const NodeId item : tree.items(list)) rules.push_back(read_rule(tree, item));
  return rules;
}

std::unique_ptr<model::FailureRules> read_failure(const Tree& tree, NodeId step) {
  model::FailureRules rules;
  if (const auto m = tree.find(step, "on_error")) rules.on_error = read_on_error(tree, m->value);
  rules.deadline = duration_of(tree, step, "deadline");
  rules.sla = duration_of(tree, step, "sla");
  if (const auto m = tree.find(step, "max_failures")) {
    std::string_view text = tree.text(m->value);
    rules.max_failures.percent = text.ends_with('%');
    if (rules.max_failures.percent) text.remove_suffix(1);
    std::from_chars(text.data(), text.data() + text.size(), rules.max_failures.value);
  }
  if (const auto m = tree.find(step, "result_schema")) rules.result_schema = tree.to_json(m->value);
  if (const auto m = tree.find(step, "critical")) rules.critical = tree.boolean(m->value);
  if (rules == model::FailureRules{}) return nullptr;
  return std::make_unique<model::FailureRules>(std::move(rules));
}

std::unique_ptr<model::Notes> read_notes(const Tree& tree, NodeId step) {
  model::Notes notes;
  if (const auto m = tree.find(step, "title")) notes.title = tree.text(m->value);
  if (const auto m = tree.find(step, "type")) notes.type = tree.text(m->value);
  if (const auto m = tree.find(step, "tags")) {
    for (const NodeId item : tree.items(m->value)) notes.tags.emplace_back(tree.text(item));
  }
  if (const auto m = tree.find(step, "metadata")) notes.metadata = tree.to_json(m->value);
  if (const auto m = tree.find(step, "secrets")) {
    notes.secrets.emplace();
    for (const NodeId item : tree.items(m->value)) notes.secrets->emplace_back(tree.text(item));
  }
  if (notes == model::Notes{}) return nullptr;
  return std::make_unique<model::Notes>(std::move(notes));
}

model::TriggerRule read_trigger_rule(const Tree& tree, NodeId step) {
  const std::string_view word = text_of(tree, step, "trigger_rule");
  for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(model::TriggerRule::always); ++i) {
    if (word == name(static_cast<model::TriggerRule>(i))) return static_cast<model::TriggerRule>(i);
  }
  return model::TriggerRule::none_failed;
}

json::value to_json(const std::vector<ErrorRule>& rules) {
  json::array out;
  for (const ErrorRule& rule : rules) {
    json::object match;
    if (!rule.exit.empty()) match.emplace("exit", json::array(rule.exit.begin(), rule.exit.end()));
    if (!rule.message.empty()) match.emplace("message", rule.message);
    json::array status;
    for (const auto& [low, high] : rule.status) {
      if (low == high) {
        status.emplace_back(low);
      } else {
        status.emplace_back(std::to_string(low / 100) + "xx");
      }
    }
    if (!status.empty()) match.emplace("status", std::move(status));
    if (!rule.types.empty()) match.emplace("type", json::array(rule.types.begin(), rule.types.end()));
    json::object object;
    if (rule.alert != model::Severity::none) object.emplace("alert", name(rule.alert));
    if (rule.delay) object.emplace("delay", to_string(*rule.delay));
    object.emplace("do", name(rule.action));
    if (!match.empty()) object.emplace("match", std::move(match));
    out.push_back(std::move(object));
  }
  return out;
}

json::value to_json(const model::MaxFailures& value) {
  if (value.percent) return json::value(std::to_string(value.value) + "%");
  return value.value;
}

}  // namespace baton::spec
