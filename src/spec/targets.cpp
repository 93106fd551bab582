#include "spec/targets.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "spec/check.hpp"

namespace baton::spec {
namespace {

NodeId find(const Tree& tree, NodeId map, std::string_view name) {
  if (map == kNoNode || !tree.is(map, NodeKind::map)) return kNoNode;
  const auto member = tree.find(map, name);
  return member ? member->value : kNoNode;
}

std::string shown(std::string_view text) {
  return printable(utf8_prefix(text, 128));
}

// `name` holds if the map has none.
model::BreakerSettings read_breaker(const Tree& tree, NodeId map, std::string_view name) {
  model::BreakerSettings settings;
  const auto count = [&](std::string_view field, std::uint32_t& value) {
    if (const NodeId node = find(tree, map, field); node != kNoNode)
      value = static_cast<std::uint32_t>(tree.integer(node).value_or(value));
  };
  const auto span = [&](std::string_view field, Duration& value) {
    if (const NodeId node = find(tree, map, field); node != kNoNode)
      value = read_duration(tree, node).value_or(value);
  };
  const NodeId own = find(tree, map, "name");
  settings.name = own != kNoNode ? tree.text(own) : name;
  count("rate", settings.rate_percent);
  if (settings.rate_percent > 0) settings.failures = 0;
  count("failures", settings.failures);
  count("min_calls", settings.min_calls);
  count("probes", settings.probes);
  count("successes", settings.successes);
  span("window", settings.window);
  span("recovery", settings.recovery);
  if (const NodeId types = find(tree, map, "types"); types != kNoNode) {
    for (const NodeId type : tree.items(types)) settings.types.emplace_back(tree.text(type));
    std::ranges::sort(settings.types);
    settings.types.erase(std::ranges::unique(settings.types).begin(), settings.types.end());
  }
  return settings;
}

class Checker {
 public:
  Checker(const Tree& tree, Findings& findings) : tree_(tree), findings_(findings) {
    if (const NodeId targets = find(tree, tree.root(), "targets"); targets != kNoNode) {
      for (const Member m : tree.members(targets)) {
        targets_.emplace(tree.text(m.key), m.value);
        breaker(find(tree, m.value, "breaker"), tree.text(m.key));
        const NodeId health = find(tree, m.value, "health");
        if (health != kNoNode && !tree.is_collection(health) && tree.text(health).starts_with('/') &&
            find(tree, m.value, "url") == kNoNode) {
          findings.error(health,
                         "target \"" + shown(tree.text(m.key)) + "\" has no `url` that this could continue");
        }
      }
    }
  }

  void step(NodeId body) {
    const NodeId named = find(tree_, body, "target");
    const NodeId operation = find(tree_, body, "operation");
    NodeId target = kNoNode;
    if (named != kNoNode && !tree_.is_collection(named)) {
      const auto found = targets_.find(tree_.text(named));
      if (found == targets_.end()) {
        unknown(named, "target", targets_, "declare it under `targets`");
      } else {
        target = found->second;
      }
    }
    if (operation != kNoNode) {
      if (named == kNoNode) {
        findings_.error(operation, "`operation` needs `target`: an operation of what?");
      } else if (target != kNoNode && !tree_.is_collection(operation)) {
        std::map<std::string_view, NodeId> known;
        if (const NodeId operations = find(tree_, target, "operations"); operations != kNoNode) {
          for (const Member m : tree_.members(operations)) known.emplace(tree_.text(m.key), m.value);
        }
        if (!known.contains(tree_.text(operation)))
          unknown(operation, "operation", known, "declare it under the target's `operations`");
      }
    }
    breaker(find(tree_, body, "breaker"), "");
    path(body, named, target);
    preflight(body, named, target);
  }

 private:
  void unknown(NodeId node, std::string_view what, const std::map<std::string_view, NodeId>& known,
               std::string otherwise) {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : known) names.push_back(name);
    const std::string_view meant = nearest(tree_.text(node), names);
    findings_.error(node, "unknown " + std::string(what) + " \"" + shown(tree_.text(node)) + "\"",
                    meant.empty() ? std::move(otherwise) : "did you mean \"" + shown(meant) + "\"?");
  }

  // `otherwise`: the name of one that has none; "" = it needs one.
  void breaker(NodeId node, std::string_view otherwise) {
    if (node == kNoNode || !tree_.is(node, NodeKind::map)) return;
    if (otherwise.empty() && find(tree_, node, "name") == kNoNode) {
      findings_.error(node, "the breaker needs a `name`", "steps with the same name share it");
      return;
    }
    const model::BreakerSettings settings = read_breaker(tree_, node, otherwise);
    if (settings.failures == 0 && settings.rate_percent == 0) {
      findings_.error(node, "this breaker never opens: it needs `failures` or `rate`");
    }
    const auto [known, fresh] = breakers_.emplace(settings.name, settings);
    if (!fresh && known->second != settings) {
      findings_.error(node, "breaker \"" + shown(settings.name) + "\" is declared twice, with other settings",
                      "declare it once and write breaker: " + shown(settings.name) + " elsewhere");
    }
  }

  // `preflight: true` is the target's health check.
  void preflight(NodeId body, NodeId named, NodeId target) {
    const NodeId check = find(tree_, body, "preflight");
    if (check == kNoNode || !tree_.is(check, NodeKind::boolean) || !tree_.boolean(check)) return;
    if (named == kNoNode) {
      findings_.error(check, "`preflight: true` needs a `target` with `health`",
                      "name one, or write what to check: preflight: {exec: [./check.sh]}");
    } else if (target != kNoNode && find(tree_, target, "health") == kNoNode) {
      findings_.error(check, "target \"" + shown(tree_.text(named)) + "\" has no `health` to check",
                      "add it to the target, such as health: /health");
    }
  }

  // A URL that begins with / continues the target's.
  void path(NodeId body, NodeId named, NodeId target) {
    const NodeId url = find(tree_, find(tree_, body, "http"), "url");
    if (url == kNoNode || tree_.is_collection(url) || !tree_.text(url).starts_with('/')) return;
    if (named == kNoNode) {
      findings_.error(url, "a URL that begins with / needs a `target`", "write http://… or name a target");
    } else if (target != kNoNode && find(tree_, target, "url") == kNoNode) {
      findings_.error(url,
                      "target \"" + shown(tree_.text(named)) + "\" has no `url` that this could continue");
    }
  }

  const Tree& tree_;
  Findings& findings_;
  std::map<std::string_view, NodeId> targets_;
  std::map<std::string, model::BreakerSettings> breakers_;
};

}  // namespace

void check_targets(const Tree& tree, const Graph& graph, Findings& findings) {
  Checker checker(tree, findings);
  for (const StepPlace& step : graph.steps) {
    if (findings.full()) return;
    checker.step(step.body);
  }
}

Targets::Targets(const Tree& tree) : tree_(tree) {
  if (const NodeId targets = find(tree, tree.root(), "targets"); targets != kNoNode) {
    for (const Member m : tree.members(targets)) {
      targets_.emplace(tree.text(m.key), m.value);
      declare(find(tree, m.value, "breaker"), tree.text(m.key));
    }
  }
  for (const std::string_view section : {"steps", "finally"}) {
    const NodeId steps = find(tree, tree.root(), section);
    if (steps == kNoNode) continue;
    for (const Member m : tree.members(steps)) declare(find(tree, m.value, "breaker"), "");
  }
}

void Targets::declare(NodeId breaker, std::string_view name) {
  if (breaker == kNoNode || !tree_.is(breaker, NodeKind::map)) return;
  model::BreakerSettings settings = read_breaker(tree_, breaker, name);
  std::string key = settings.name;
  breakers_.emplace(std::move(key), std::make_shared<const model::BreakerSettings>(std::move(settings)));
}

NodeId Targets::field_of(NodeId step, std::string_view name) const {
  const NodeId named = find(tree_, step, "target");
  if (named == kNoNode) return kNoNode;
  const auto target = targets_.find(tree_.text(named));
  if (target == targets_.end()) return kNoNode;
  if (const NodeId operation = find(tree_, step, "operation"); operation != kNoNode) {
    const NodeId one = find(tree_, find(tree_, target->second, "operations"), tree_.text(operation));
    if (const NodeId node = find(tree_, one, name); node != kNoNode) return node;
  }
  return find(tree_, target->second, name);
}

std::shared_ptr<const model::BreakerSettings> Targets::breaker_of(NodeId step) const {
  std::string name;
  if (const NodeId own = find(tree_, step, "breaker"); own != kNoNode) {
    name = tree_.is(own, NodeKind::map) ? read_breaker(tree_, own, "").name : tree_.text(own);
  } else if (const NodeId shared = field_of(step, "breaker"); shared != kNoNode) {
    name = read_breaker(tree_, shared, tree_.text(find(tree_, step, "target"))).name;
  } else {
    return nullptr;
  }
  if (const auto found = breakers_.find(name); found != breakers_.end()) return found->second;
  auto plain = std::make_shared<model::BreakerSettings>();
  plain->name = std::move(name);
  return plain;
}

boost::json::value to_json(const model::BreakerSettings& settings) {
  boost::json::object object;
  object["failures"] = settings.failures;
  if (settings.rate_percent > 0) {
    object["min_calls"] = settings.min_calls;
    object["rate"] = settings.rate_percent;
    object["window"] = to_string(settings.window);
  }
  object["name"] = settings.name;
  object["probes"] = settings.probes;
  object["recovery"] = to_string(settings.recovery);
  object["successes"] = settings.successes;
  if (!settings.types.empty()) {
    boost::json::array types;
    for (const std::string& type : settings.types) types.emplace_back(type);
    object["types"] = std::move(types);
  }
  return object;
}

}  // namespace baton::spec
