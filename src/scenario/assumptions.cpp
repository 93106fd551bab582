#include "scenario/assumptions.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "base/text.hpp"
#include "scenario/reader.hpp"
#include "spec/read.hpp"

namespace baton::scenario {
namespace {

using simulate::Assumption;
using simulate::Spread;
using spec::Member;
using spec::NodeId;
using spec::NodeKind;

void read_takes(Reader& reader, NodeId node, Spread& spread) {
  if (reader.tree.is(node, NodeKind::map)) {
    constexpr Word kWords[] = {{"median", ""}, {"p95", ""}};
    reader.check_words(node, kWords, "`takes`");
    const auto median = reader.member(node, "median");
    const auto p95 = reader.member(node, "p95");
    if (!median || !p95) return reader.wrong(node, "takes", "{median: 20s, p95: 1m}");
    const auto low = reader.duration(*median, "median");
    const auto high = reader.duration(*p95, "p95");
    if (!low || !high) return;
    if (*high < *low) return reader.findings.error(*p95, "`p95` must not be less than `median`");
    spread = {Spread::Kind::skewed, *low, *high};
    return;
  }
  const auto text = reader.text(node, "takes");
  if (!text) return;
  const auto range = read_range(*text);
  if (!range)
    return reader.wrong(node, "takes", "a duration (30s), a range (30s..2m) or {median: 20s, p95: 1m}");
  spread = {range->from == range->to ? Spread::Kind::fixed : Spread::Kind::even, range->from, range->to};
}

// "5%", "0.1%"; parts of a million.
void read_fails(Reader& reader, NodeId node, Assumption& assumption) {
  const std::string text = reader.tree.is_collection(node) ? "" : std::string(reader.tree.text(node));
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc{} || std::string_view(end) != "%" || !(percent >= 0 && percent <= 100)) {
    return reader.wrong(node, "fails", "a share of the attempts like 5% or 0.1%");
  }
  assumption.failures_ppm = static_cast<std::uint32_t>(percent * 10'000);
}

void read_step(Reader& reader, NodeId node, Assumption& assumption) {
  if (!reader.check_words(node, assumption_words(), "what is assumed of a step")) return;
  if (const auto at = reader.member(node, "takes")) read_takes(reader, *at, assumption.takes);
  if (const auto at = reader.member(node, "fails")) read_fails(reader, *at, assumption);
  if (const auto at = reader.member(node, "error"))
    assumption.error = reader.text(*at, "error").value_or("exit");
  if (const auto at = reader.member(node, "result")) {
    assumption.result = boost::json::serialize(reader.tree.to_json(*at));
  }
}

}  // namespace

Assumptions assumptions_of(const model::Workflow& workflow) {
  Assumptions assumptions;
  for (const model::Step& step : workflow.steps) {
    assumptions.steps[step.name].takes.low = step.estimate.value_or(Duration{});
  }
  return assumptions;
}

Assumptions read_assumptions(std::string_view text, const std::string& file_name,
                             const model::Workflow& workflow, Assumptions otherwise) {
  Assumptions assumptions = std::move(otherwise);
  const auto tree = spec::read_tree(file_name, text, {});
  if (!tree) {
    spec::Diagnostic d;
    d.file = file_name;
    d.message = tree.error().message;
    d.suggestion = tree.error().suggestion;
    spec::set_place(d, text, tree.error().span);
    assumptions.diagnostics.push_back(std::move(d));
    return assumptions;
  }
  if (tree->root() == spec::kNoNode) return assumptions;
  Reader reader(*tree, file_name);
  constexpr Word kWords[] = {{"workers", ""}, {"steps", ""}};
  if (reader.check_words(tree->root(), kWords, "a file of assumptions")) {
    if (const auto at = reader.member(tree->root(), "workers")) {
      if (const auto n = reader.integer(*at, "workers", 1, 1'000'000)) {
        assumptions.workers = static_cast<std::uint32_t>(*n);
      }
    }
    const auto steps = reader.member(tree->root(), "steps");
    if (steps && !tree->is(*steps, NodeKind::map)) reader.wrong(*steps, "steps", "a map of steps");
    std::vector<std::string_view> names;
    for (const model::Step& step : workflow.steps) names.push_back(step.name);
    for (const Member m : tree->members(steps.value_or(tree->root()))) {
      if (!steps) break;
      const std::string_view key = tree->text(m.key);
      const auto found = assumptions.steps.find(std::string(key));
      if (found != assumptions.steps.end()) {
        read_step(reader, m.value, found->second);
        continue;
      }
      const std::string_view near = nearest(key, names);
      reader.findings.error(m.key, "the workflow has no step " + reader.shown(m.key),
                            near.empty() ? "" : "did you mean `" + std::string(near) + "`?");
    }
  }
  assumptions.diagnostics = reader.findings.take(file_name);
  return assumptions;
}

}  // namespace baton::scenario
