#include "spec/outline.hpp"

#include "spec/fields.hpp"
#include "spec/kinds.hpp"

namespace baton::spec {
namespace {

std::string text_of(const Tree& tree, NodeId map, std::string_view field) {
  const auto member = tree.find(map, field);
  return member ? std::string(tree.text(member->value)) : std::string();
}

void read_branches(const Tree& tree, const Graph& graph, NodeId body, Outline::Step& step) {
  const auto branches = tree.find(body, "switch");
  if (!branches) return;
  for (const NodeId branch : tree.items(branches->value)) {
    for (const NodeId name : targets_of(tree, branch)) {
      const auto found = graph.ordinals.find(tree.text(name));
      if (found != graph.ordinals.end())
        step.branches.push_back({found->second, text_of(tree, branch, "when")});
    }
  }
}

Outline::Step read_step(const Tree& tree, const Graph& graph, Ordinal ordinal) {
  const StepPlace& place = graph.steps[ordinal];
  Outline::Step step;
  step.name = tree.text(place.key);
  step.finally = place.finally;
  step.needs = graph.needs[ordinal];
  for (const Member m : tree.members(place.body)) {
    const std::string_view key = tree.text(m.key);
    if (key == "title") {
      step.title = tree.text(m.value);
    } else if (key == "when") {
      step.when = tree.text(m.value);
    } else if (key == "for_each") {
      const std::size_t items = tree.count(m.value);
      step.for_each = tree.is_collection(m.value) ? std::to_string(items) + (items == 1 ? " item" : " items")
                                                  : std::string(tree.text(m.value));
    } else if (const Field* field = find_field(Shape::step, key); field != nullptr && field->is_kind) {
      step.kind = key;
    }
  }
  read_branches(tree, graph, place.body, step);
  return step;
}

}  // namespace

Outline read_outline(const Tree& tree, const Graph& graph) {
  Outline outline;
  outline.name = text_of(tree, tree.root(), "name");
  outline.title = text_of(tree, tree.root(), "title");
  outline.steps.reserve(graph.steps.size());
  for (Ordinal i = 0; i < graph.steps.size(); ++i) outline.steps.push_back(read_step(tree, graph, i));
  return outline;
}

}  // namespace baton::spec
