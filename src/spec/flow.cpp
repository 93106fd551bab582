#include "spec/flow.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "spec/check.hpp"

namespace baton::spec {
namespace {

namespace json = boost::json;

bool has_template(std::string_view text) {
  return text.find("${{") != std::string_view::npos;
}

NodeId find(const Tree& tree, NodeId map, std::string_view name) {
  if (map == kNoNode || !tree.is(map, NodeKind::map)) return kNoNode;
  const auto member = tree.find(map, name);
  return member ? member->value : kNoNode;
}

// `concurrency` is one map or a list of them.
std::vector<NodeId> entries(const Tree& tree, NodeId step) {
  const NodeId node = find(tree, step, "concurrency");
  if (node == kNoNode) return {};
  if (tree.is(node, NodeKind::map)) return {node};
  std::vector<NodeId> list;
  for (const NodeId item : tree.items(node)) {
    if (tree.is(item, NodeKind::map)) list.push_back(item);
  }
  return list;
}

std::uint32_t count(const Tree& tree, NodeId map, std::string_view name, std::uint32_t otherwise) {
  const NodeId node = find(tree, map, name);
  return node == kNoNode ? otherwise : static_cast<std::uint32_t>(tree.integer(node).value_or(otherwise));
}

void check_key(const Tree& tree, NodeId key, Findings& findings) {
  if (tree.is_collection(key)) return;
  const std::string_view text = tree.text(key);
  if (text.empty()) findings.error(key, "`key` must not be empty");
  if (text.size() > model::kMaxFlowName && !has_template(text)) {
    findings.error(key, "`key` has more than " + std::to_string(model::kMaxFlowName) + " bytes");
  }
}

}  // namespace

void check_flow(const Tree& tree, NodeId step, Findings& findings) {
  std::set<std::string_view> names;
  std::size_t count = 0;
  const auto name = [&](NodeId node, std::string_view text) {
    ++count;
    if (!names.insert(text).second) {
      findings.error(node, "the limit \"" + printable(utf8_prefix(text, 60)) + "\" is named twice",
                     "say how much of it the step uses in one place");
    }
  };
  bool own = false;
  for (const NodeId entry : entries(tree, step)) {
    const NodeId key = find(tree, entry, "key");
    if (key == kNoNode) {
      if (std::exchange(own, true)) {
        findings.error(entry, "two limits without a `key` are the same one");
      }
      ++count;
    } else if (!tree.is_collection(key)) {
      check_key(tree, key, findings);
      name(key, tree.text(key));
    }
  }
  if (const NodeId uses = find(tree, step, "uses"); uses != kNoNode && tree.is(uses, NodeKind::map)) {
    for (const Member m : tree.members(uses)) name(m.key, tree.text(m.key));
  }
  if (count > model::kMaxLimitsOfATask) {
    findings.error(step, "a step uses at most " + std::to_string(model::kMaxLimitsOfATask) + " limits, not " +
                             std::to_string(count));
  }
  const NodeId rate = find(tree, step, "rate_limit");
  if (const NodeId key = find(tree, rate, "key"); key != kNoNode) check_key(tree, key, findings);
  if (const NodeId per = find(tree, rate, "per"); per != kNoNode) {
    const auto span = read_duration(tree, per);
    if (span && (span->us <= 0 || *span > Duration::hours(24 * 366))) {
      findings.error(per, "`per` must be more than 0 and at most a year");
    }
  }
  if (const NodeId key = find(tree, step, "fair_key"); key != kNoNode) check_key(tree, key, findings);
}

std::unique_ptr<model::FlowRules> read_flow(const Tree& tree, NodeId step, std::string_view workflow,
                                            std::string_view name) {
  model::FlowRules rules;
  model::Flow& flow = rules.flow;
  const std::string own = std::string(workflow) + "." + std::string(name);
  const auto text = [&](NodeId node, const std::string& otherwise) {
    if (node == kNoNode) return otherwise;
    rules.is_constant &= !has_template(tree.text(node));
    return std::string(tree.text(node));
  };
  for (const NodeId entry : entries(tree, step)) {
    flow.limits.push_back({text(find(tree, entry, "key"), own), 1, count(tree, entry, "limit", 1)});
  }
  if (const NodeId uses = find(tree, step, "uses"); uses != kNoNode) {
    for (const Member m : tree.members(uses)) {
      flow.limits.push_back(
          {std::string(tree.text(m.key)), static_cast<std::uint32_t>(tree.integer(m.value).value_or(1)), 0});
    }
  }
  std::ranges::sort(flow.limits, {}, &model::LimitUse::name);
  if (const NodeId rate = find(tree, step, "rate_limit"); rate != kNoNode) {
    flow.rate = text(find(tree, rate, "key"), own);
    rules.rate.limit = count(tree, rate, "limit", 1);
    rules.rate.burst = count(tree, rate, "burst", 1);
    if (const NodeId per = find(tree, rate, "per"); per != kNoNode)
      rules.rate.per = read_duration(tree, per).value_or(rules.rate.per);
  }
  flow.fair_key = text(find(tree, step, "fair_key"), "");
  if (rules == model::FlowRules{}) return nullptr;
  return std::make_unique<model::FlowRules>(std::move(rules));
}

void check_run_limit(const Tree& tree, Findings& findings) {
  const NodeId key = find(tree, find(tree, tree.root(), "concurrency"), "key");
  if (key != kNoNode) check_key(tree, key, findings);
}

std::optional<model::RunLimit> read_run_limit(const Tree& tree) {
  const NodeId node = find(tree, tree.root(), "concurrency");
  if (node == kNoNode) return std::nullopt;
  const NodeId key = find(tree, node, "key");
  const NodeId name = key != kNoNode ? key : find(tree, tree.root(), "name");
  return model::RunLimit{std::string(tree.text(name)), count(tree, node, "limit", 1)};
}

json::value concurrency_json(const model::FlowRules& rules) {
  json::array list;
  for (const model::LimitUse& use : rules.flow.limits) {
    if (use.otherwise > 0) list.push_back(json::object{{"key", use.name}, {"limit", use.otherwise}});
  }
  return list.empty() ? json::value() : json::value(std::move(list));
}

json::value uses_json(const model::FlowRules& rules) {
  json::object uses;
  for (const model::LimitUse& use : rules.flow.limits) {
    if (use.otherwise == 0) uses[use.name] = use.amount;
  }
  return uses.empty() ? json::value() : json::value(std::move(uses));
}

json::value rate_json(const model::FlowRules& rules) {
  if (rules.flow.rate.empty()) return nullptr;
  return json::object{{"burst", rules.rate.burst},
                      {"key", rules.flow.rate},
                      {"limit", rules.rate.limit},
                      {"per", to_string(rules.rate.per)}};
}

}  // namespace baton::spec
