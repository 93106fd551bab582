#include "spec/endings.hpp"

#include <vector>

namespace baton::spec {
namespace {

class EndingChecks {
 public:
  EndingChecks(const Tree& tree, const Graph& graph, Findings& findings)
      : tree_(tree), graph_(graph), findings_(findings), names_(names_of(tree, graph)) {}

  void check(Ordinal step) {
    const StepPlace& place = graph_.steps[step];
    if (!tree_.is(place.body, NodeKind::map)) return;
    for (const std::string_view name : {"cleanup", "compensate"}) {
      const auto field = tree_.find(place.body, name);
      if (field && place.finally) {
        findings_.error(field->key,
                        "`" + std::string(name) + "` is not for steps under `finally`: they come last",
                        "put what it does into the step, or into one that needs it");
      }
    }
    const auto cleanup = tree_.find(place.body, "cleanup");
    if (!cleanup || place.finally || !tree_.is(cleanup->value, NodeKind::map)) return;
    const auto after = tree_.find(cleanup->value, "after");
    if (after && tree_.is(after->value, NodeKind::string)) check_after(step, after->value);
  }

 private:
  static std::vector<std::string_view> names_of(const Tree& tree, const Graph& graph) {
    std::vector<std::string_view> names;
    for (const StepPlace& step : graph.steps) names.push_back(tree.text(step.key));
    return names;
  }

  void check_after(Ordinal step, NodeId after) {
    const std::string name(tree_.text(after));
    const auto found = graph_.ordinals.find(name);
    if (found == graph_.ordinals.end()) {
      const std::string_view meant = names_.nearest_to(name);
      findings_.error(after, "there is no step \"" + name + "\"",
                      meant.empty() ? "" : "did you mean \"" + std::string(meant) + "\"?");
    } else if (!graph_.order.empty() && !needs(found->second, step)) {
      const std::string own(tree_.text(graph_.steps[step].key));
      findings_.error(after,
                      "\"" + name + "\" does not need \"" + own + "\": the cleanup could come before it",
                      "name a step that needs \"" + own + "\", directly or by way of others");
    }
  }

  // Whether `from` needs `step`, directly or not. A large definition gets only so many looks.
  bool needs(Ordinal from, Ordinal step) {
    if (from == step) return false;
    std::vector<bool> seen(graph_.steps.size());
    std::vector<Ordinal> open = {from};
    while (!open.empty()) {
      const Ordinal at = open.back();
      open.pop_back();
      for (const Ordinal before : graph_.needs[at]) {
        if (before == step || looks_-- <= 0) return true;
        if (seen[before]) continue;
        seen[before] = true;
        open.push_back(before);
      }
    }
    return false;
  }

  const Tree& tree_;
  const Graph& graph_;
  Findings& findings_;
  Suggester names_;
  std::int64_t looks_ = 20'000'000;
};

}  // namespace

void check_endings(const Tree& tree, const Graph& graph, Findings& findings) {
  EndingChecks checks(tree, graph, findings);
  for (Ordinal step = 0; step < graph.steps.size(); ++step) {
    if (findings.full()) return;
    checks.check(step);
  }
}

}  // namespace baton::spec
