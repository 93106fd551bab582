#include "spec/graph.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.hpp"
#include "spec/kinds.hpp"

namespace baton::spec {
namespace {

std::string shown(std::string_view text) {
  return printable(utf8_prefix(text, 128));
}

class GraphReader {
 public:
  GraphReader(const Tree& tree, Findings& findings) : tree_(tree), findings_(findings) {}

  Graph read() {
    collect("steps", false);
    collect("finally", true);
    if (graph_.steps.size() > kMaxSteps) {
      findings_.error(tree_.root(), "the workflow has " + std::to_string(graph_.steps.size()) +
                                        " steps; at most 100000 are possible");
      return {};
    }
    std::vector<std::string_view> names;
    for (const StepPlace& step : graph_.steps) names.push_back(tree_.text(step.key));
    suggester_ = Suggester(std::move(names));
    graph_.needs.resize(graph_.steps.size());
    for (Ordinal i = 0; i < graph_.steps.size(); ++i) resolve(i);
    for (Ordinal i = 0; i < graph_.steps.size(); ++i) branch(i);
    std::ranges::sort(targets_);
    targets_.erase(std::ranges::unique(targets_).begin(), targets_.end());
    for (const Ordinal target : targets_) {
      std::vector<Ordinal>& needs = graph_.needs[target];
      std::ranges::sort(needs);
      needs.erase(std::ranges::unique(needs).begin(), needs.end());
      check_rule(target);
    }
    sort();
    return std::move(graph_);
  }

 private:
  void collect(std::string_view field, bool finally) {
    const auto member = tree_.find(tree_.root(), field);
    if (!member) return;
    graph_.steps.reserve(graph_.steps.size() + tree_.count(member->value));
    for (const Member step : tree_.members(member->value)) {
      const auto ordinal = static_cast<Ordinal>(graph_.steps.size());
      // A name that stands twice in one map never gets here.
      if (!graph_.ordinals.emplace(tree_.text(step.key), ordinal).second) {
        findings_.error(step.key,
                        "the name \"" + shown(tree_.text(step.key)) + "\" is taken by a step under `steps`");
      }
      graph_.steps.push_back({step.key, step.value, finally});
    }
  }

  void resolve(Ordinal step) {
    const StepPlace place = graph_.steps[step];
    if (!tree_.is(place.body, NodeKind::map)) return;
    const auto needs = tree_.find(place.body, "needs");
    if (!needs) return;
    std::vector<Ordinal>& resolved = graph_.needs[step];
    resolved.reserve(tree_.count(needs->value));
    for (const NodeId item : tree_.items(needs->value)) {
      if (tree_.is_collection(item) || tree_.is(item, NodeKind::null)) continue;
      const std::string_view name = tree_.text(item);
      const auto found = graph_.ordinals.find(name);
      if (found == graph_.ordinals.end()) {
        unknown(item, name);
      } else if (found->second == step) {
        findings_.error(item, "a step cannot need itself");
      } else if (graph_.steps[found->second].finally != place.finally) {
        findings_.error(item,
                        place.finally
                            ? "a step under `finally` can only need other steps under `finally`: it starts "
                              "when all others are over"
                            : "\"" + shown(name) +
                                  "\" stands under `finally`: it starts when all steps "
                                  "are over");
      } else {
        resolved.push_back(found->second);
      }
    }
    std::vector<Ordinal> sorted = resolved;
    std::ranges::sort(sorted);
    if (std::ranges::adjacent_find(sorted) != sorted.end()) doubled(needs->value);
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    resolved = std::move(sorted);
  }

  // The steps that a switch goes to need it.
  void branch(Ordinal step) {
    const StepPlace place = graph_.steps[step];
    if (!tree_.is(place.body, NodeKind::map)) return;
    const auto branches = tree_.find(place.body, "switch");
    if (!branches) return;
    for (const NodeId entry : tree_.items(branches->value)) {
      std::set<Ordinal> seen;
      for (const NodeId item : targets_of(tree_, entry)) {
        const std::string_view name = tree_.text(item);
        // Whoever reads expressions reports them; `$${{` is none.
        if (name.find("${{") != std::string_view::npos && name.find("$${{") == std::string_view::npos)
          continue;
        const auto found = graph_.ordinals.find(name);
        if (found == graph_.ordinals.end()) {
          unknown(item, name);
        } else if (found->second == step) {
          findings_.error(item, "a switch cannot go to itself", "`repeat` does a step again");
        } else if (graph_.steps[found->second].finally != place.finally) {
          findings_.error(item, "a switch goes to steps that stand beside it under `" +
                                    std::string(place.finally ? "finally" : "steps") + "`");
        } else if (!seen.insert(found->second).second) {
          findings_.error(item, "\"" + shown(name) + "\" stands twice in one branch");
        } else {
          graph_.needs[found->second].push_back(step);
          targets_.push_back(found->second);
        }
      }
    }
  }

  // A rule that starts a step at the first match would start it before the switch has chosen.
  void check_rule(Ordinal target) {
    const NodeId body = graph_.steps[target].body;
    if (!tree_.is(body, NodeKind::map)) return;
    const auto rule = tree_.find(body, "trigger_rule");
    if (!rule || tree_.is_collection(rule->value)) return;
    const std::string_view word = tree_.text(rule->value);
    if (word != "one_success" && word != "one_failed" && word != "one_done") return;
    const bool needs_more = std::ranges::any_of(graph_.needs[target], [&](Ordinal before) {
      const NodeId other = graph_.steps[before].body;
      return !tree_.is(other, NodeKind::map) || !tree_.find(other, "switch");
    });
    if (!needs_more) return;
    findings_.error(rule->value,
                    "a switch goes to this step: `" + std::string(word) +
                        "` could start it before "
                        "the switch has chosen",
                    "give the rule to a step behind it");
  }

  void unknown(NodeId item, std::string_view name) {
    if (findings_.full()) return findings_.error(item, "unknown step");
    if (name.find("${{") != std::string_view::npos) {
      return findings_.error(item, "`${{ }}` is not allowed in `needs`: the graph is fixed before the run");
    }
    const std::string_view meant = suggester_.nearest_to(name);
    findings_.error(item, "unknown step \"" + shown(name) + "\"",
                    meant.empty() ? "" : "did you mean \"" + shown(meant) + "\"?");
  }

  void doubled(NodeId list) {
    std::vector<std::pair<std::string_view, NodeId>> items;
    for (const NodeId item : tree_.items(list)) items.emplace_back(tree_.text(item), item);
    std::ranges::sort(items);
    for (std::size_t i = 1; i < items.size(); ++i) {
      if (items[i].first == items[i - 1].first && graph_.ordinals.contains(items[i].first)) {
        findings_.error(items[i].second, "\"" + shown(items[i].first) + "\" stands twice in `needs`");
      }
    }
  }

  // Kahn's algorithm; what remains contains the cycles.
  void sort() {
    const std::size_t count = graph_.steps.size();
    std::vector<std::uint32_t> missing(count);
    std::vector<std::uint32_t> start(count + 1);
    for (Ordinal i = 0; i < count; ++i) {
      missing[i] = static_cast<std::uint32_t>(graph_.needs[i].size());
      for (const Ordinal n : graph_.needs[i]) ++start[n + 1];
    }
    for (std::size_t i = 0; i < count; ++i) start[i + 1] += start[i];
    std::vector<Ordinal> successors(start[count]);
    std::vector<std::uint32_t> fill(start.begin(), start.end());
    for (Ordinal i = 0; i < count; ++i) {
      for (const Ordinal n : graph_.needs[i]) successors[fill[n]++] = i;
    }
    std::vector<Ordinal>& order = graph_.order;
    order.reserve(count);
    for (Ordinal i = 0; i < count; ++i) {
      if (missing[i] == 0) order.push_back(i);
    }
    for (std::size_t at = 0; at < order.size(); ++at) {
      for (std::uint32_t s = start[order[at]]; s < start[order[at] + 1]; ++s) {
        if (--missing[successors[s]] == 0) order.push_back(successors[s]);
      }
    }
    if (order.size() == count) return;
    cycles(missing);
    order.clear();
  }

  // Every remaining step needs a remaining step: following one of them leads into a cycle.
  void cycles(const std::vector<std::uint32_t>& missing) {
    const auto next = [&](Ordinal step) {
      for (const Ordinal n : graph_.needs[step]) {
        if (missing[n] > 0) return n;
      }
      return step;
    };
    std::vector<Ordinal> walk_of(graph_.steps.size(), 0);  // 0 = not visited, else the number of the walk
    for (Ordinal from = 0; from < graph_.steps.size(); ++from) {
      if (missing[from] == 0 || walk_of[from] != 0) continue;
      const Ordinal walk = from + 1;
      Ordinal at = from;
      while (walk_of[at] == 0) {
        walk_of[at] = walk;
        at = next(at);
      }
      if (walk_of[at] != walk) continue;
      std::vector<Ordinal> cycle{at};
      for (Ordinal step = next(at); step != at; step = next(step)) cycle.push_back(step);
      std::ranges::rotate(cycle, std::ranges::min_element(cycle));
      report(cycle);
    }
  }

  void report(const std::vector<Ordinal>& cycle) {
    constexpr std::size_t kShown = 12;
    const auto name = [&](Ordinal step) { return shown(tree_.text(graph_.steps[step].key)); };
    std::string path;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      if (i == kShown && cycle.size() > kShown + 1) {
        path += "… (" + std::to_string(cycle.size() - kShown) + " more) → ";
        break;
      }
      path += name(cycle[i]) + " → ";
    }
    path += name(cycle[0]) + " (each needs the next)";
    NodeId place = graph_.steps[cycle[0]].key;
    const Ordinal needed = cycle[1];
    if (const auto needs = tree_.find(graph_.steps[cycle[0]].body, "needs")) {
      for (const NodeId item : tree_.items(needs->value)) {
        if (tree_.text(item) == tree_.text(graph_.steps[needed].key)) place = item;
      }
    }
    findings_.error(place, "these steps need each other in a circle: " + path,
                    targets_.empty() ? "remove one of these `needs`"
                                     : "remove one of these `needs`; a step that a switch goes to needs it");
  }

  const Tree& tree_;
  Findings& findings_;
  Graph graph_;
  Suggester suggester_{{}};
  std::vector<Ordinal> targets_;  // of switches
};

constexpr std::size_t kBatch = 512;
using Bits = std::array<std::uint64_t, kBatch / 64>;

}  // namespace

std::string_view Suggester::nearest_to(std::string_view word) {
  if (names_.size() > budget_) return {};
  budget_ -= names_.size();
  return nearest(word, names_);
}

bool Graph::needs_directly(Ordinal step, Ordinal other) const {
  return std::ranges::binary_search(needs[step], other);
}

Graph read_graph(const Tree& tree, Findings& findings) {
  return GraphReader(tree, findings).read();
}

std::vector<bool> are_ancestors(const Graph& graph, std::span<const AncestorQuery> queries) {
  const std::vector<Ordinal>& order = graph.order;
  std::vector<std::uint32_t> place(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) place[order[i]] = i;

  // Queries by the place of their ancestor.
  std::vector<std::uint32_t> sorted(queries.size());
  for (std::uint32_t i = 0; i < sorted.size(); ++i) sorted[i] = i;
  std::ranges::sort(sorted, {}, [&](std::uint32_t q) { return std::pair(place[queries[q].ancestor], q); });

  std::vector<bool> answers(queries.size(), false);
  std::vector<Bits> reached(order.size());
  for (std::size_t begin = 0; begin < sorted.size();) {
    const std::uint32_t low = place[queries[sorted[begin]].ancestor];
    std::uint32_t high = low;
    std::vector<std::uint32_t> ancestors;  // distinct places, ascending
    std::size_t end = begin;
    for (; end < sorted.size(); ++end) {
      const std::uint32_t at = place[queries[sorted[end]].ancestor];
      if (ancestors.empty() || ancestors.back() != at) {
        if (ancestors.size() == kBatch) break;
        ancestors.push_back(at);
      }
      high = std::max(high, place[queries[sorted[end]].step]);
    }
    std::size_t next = 0;
    for (std::uint32_t at = low; at <= high; ++at) {
      Bits bits{};
      for (const Ordinal needed : graph.needs[order[at]]) {
        const std::uint32_t from = place[needed];
        if (from < low) continue;
        for (std::size_t w = 0; w < bits.size(); ++w) bits[w] |= reached[from][w];
      }
      // A step's bits say which ancestors its successors have: itself included.
      if (next < ancestors.size() && ancestors[next] == at) {
        bits[next / 64] |= std::uint64_t{1} << (next % 64);
        ++next;
      }
      reached[at] = bits;
    }
    std::size_t bit = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const AncestorQuery& query = queries[sorted[i]];
      while (ancestors[bit] != place[query.ancestor]) ++bit;
      const bool known = query.step != query.ancestor && place[query.step] >= low;
      answers[sorted[i]] = known && (reached[place[query.step]][bit / 64] >> (bit % 64) & 1) != 0;
    }
    begin = end;
  }
  return answers;
}

}  // namespace baton::spec
