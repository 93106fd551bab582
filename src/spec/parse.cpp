#include "spec/parse.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <expected>
#include <set>

#include "base/text.hpp"
#include "spec/build.hpp"
#include "spec/check.hpp"
#include "spec/endings.hpp"
#include "spec/findings.hpp"
#include "spec/graph.hpp"
#include "spec/inputs.hpp"
#include "spec/read.hpp"
#include "spec/references.hpp"
#include "spec/schedules.hpp"
#include "spec/targets.hpp"

namespace baton::spec {
namespace {

// What `env` and `defaults` give to every step is copied into every step: a small text must not become a
// large workflow.
void check_shared_size(const Tree& tree, const Graph& graph, Findings& findings) {
  constexpr std::size_t kMost = std::size_t{256} << 20;
  constexpr std::size_t kPerValue = 64;  // bytes that a value takes beside its text
  const auto size_of = [&](NodeId node) {
    std::size_t bytes = kPerValue + tree.text(node).size();
    for (const NodeId item : tree.items(node)) bytes += kPerValue + tree.text(item).size();
    for (const Member m : tree.members(node))
      bytes += kPerValue + tree.text(m.key).size() + tree.text(m.value).size();
    return bytes;
  };
  std::size_t bytes = 0;
  if (const auto env = tree.find(tree.root(), "env")) bytes += size_of(env->value);
  if (const auto defaults = tree.find(tree.root(), "defaults")) {
    for (const Member m : tree.members(defaults->value)) bytes += size_of(m.value);
  }
  if (bytes * graph.steps.size() > kMost) {
    findings.error(tree.root(), "`env` and `defaults` give " + std::to_string(bytes) + " bytes to each of " +
                                    std::to_string(graph.steps.size()) +
                                    " steps; at most 256 MiB together are possible");
  }
}

// What all passes over a tree found out; `make` makes the result of it if there are no errors.
template <typename Make>
std::vector<Diagnostic> check_tree(const Tree& tree, const ParseOptions& options, Later later, Make make) {
  Findings findings(tree, later);
  check_fields(tree, findings);
  check_inputs(tree, findings);
  check_schedules(tree, options.zones, findings);
  check_rollout(tree, findings);
  Graph graph = read_graph(tree, findings);
  check_targets(tree, graph, findings);
  check_endings(tree, graph, findings);
  Reads reads = check_references(tree, graph, findings);
  check_shared_size(tree, graph, findings);
  if (!findings.has_errors()) {
    if (graph.steps.empty())
      findings.warning(tree.root(), "the workflow has no steps yet: it cannot be started");
    make(graph, std::move(reads));
  }
  return findings.take(options.file_name);
}

// The tree of a text with one map; else what is wrong with it.
std::expected<Tree, std::vector<Diagnostic>> read_map(std::string_view text, const std::string& file_name,
                                                      const TreeLimits& limits) {
  const auto failed = [&](const SyntaxError& error) {
    Diagnostic d;
    d.file = file_name;
    d.message = error.message;
    d.suggestion = error.suggestion;
    set_place(d, text, error.span);
    // What is wrong with the whole text cannot be shown at its first line.
    if (error.span.offset == 0 && error.span.length == 0) d.source_line.clear();
    return std::unexpected(std::vector{std::move(d)});
  };
  auto tree = read_tree(file_name, text, limits);
  if (!tree) return failed(tree.error());
  if (tree->root() == kNoNode) return failed({{}, "the definition is empty", "see `baton schema`"});
  if (!tree->is(tree->root(), NodeKind::map)) {
    return failed({(*tree)[tree->root()].span,
                   "a definition must be a map, not " + std::string(describe((*tree)[tree->root()].kind)),
                   {}});
  }
  return std::move(*tree);
}

ParseResult parse(std::string_view text, const ParseOptions& options, const TreeLimits& limits) {
  const auto tree = read_map(text, options.file_name, limits);
  if (!tree) return {nullptr, tree.error()};
  return parse_workflow(*tree, options);
}

}  // namespace

ParseResult parse_workflow(std::string_view text, const ParseOptions& options) {
  return parse(text, options, {});
}

ParseResult parse_workflow(const Tree& tree, const ParseOptions& options) {
  ParseResult result;
  result.diagnostics = check_tree(tree, options, Later::refuse, [&](Graph& graph, Reads reads) {
    result.workflow = build_workflow(tree, graph, std::move(reads));
  });
  return result;
}

CheckResult check_workflow(std::string_view text, const ParseOptions& options) {
  const auto tree = read_map(text, options.file_name, {});
  if (!tree) return {std::nullopt, tree.error()};
  CheckResult result;
  result.diagnostics = check_tree(*tree, options, Later::warn, [&](const Graph& graph, const Reads& reads) {
    result.outline = read_outline(*tree, graph);
    result.outline->secrets.assign(reads.secrets.begin(), reads.secrets.end());
  });
  return result;
}

namespace {

// Whether it is what can be added at all.
void check_addition(const Tree& tree, Findings& findings) {
  constexpr std::array<std::string_view, 4> kFields = {"steps", "defaults", "env", "targets"};
  for (const Member m : tree.members(tree.root())) {
    const std::string_view name = tree.text(m.key);
    if (std::ranges::find(kFields, name) != kFields.end()) continue;
    const std::string_view meant = nearest(name, kFields);
    findings.error(
        m.key,
        "\"" + printable(utf8_prefix(name, 128)) +
            "\" cannot be added to a run: only `steps`, with `defaults`, `env` and `targets` of their "
            "own",
        meant.empty() ? "" : "did you mean `" + std::string(meant) + "`?");
  }
  const auto steps = tree.find(tree.root(), "steps");
  if (!steps) {
    findings.error(tree.root(), "there are no `steps` to be added", "write steps: {NAME: {run: …}}");
  } else if (!tree.is(steps->value, NodeKind::map) || tree.count(steps->value) == 0) {
    findings.error(steps->value, "`steps` must be a map of at least one step");
  }
}

// The names that the steps need and that are none of theirs: those that there are, in their order; all that
// there are, if one is not among them, for the nearest to be named.
std::vector<std::string> needed_outside(const Tree& tree, NodeId steps, const AdditionScope& scope) {
  constexpr std::size_t kMostKnown = 10'000;
  const std::set<std::string_view> known(scope.names.begin(), scope.names.end());
  std::set<std::string_view> own;
  for (const Member step : tree.members(steps)) own.insert(tree.text(step.key));
  std::set<std::string_view> seen;
  std::vector<std::string> outside;
  bool all_known = true;
  for (const Member step : tree.members(steps)) {
    const auto needs = tree.is(step.value, NodeKind::map) ? tree.find(step.value, "needs") : std::nullopt;
    if (!needs) continue;
    for (const NodeId item : tree.items(needs->value)) {
      const std::string_view name = tree.text(item);
      if (own.contains(name) || !seen.insert(name).second) continue;
      if (known.contains(name)) {
        outside.emplace_back(name);
      } else {
        all_known = false;
      }
    }
  }
  if (all_known) return outside;
  outside.clear();
  for (const std::string_view name : known) {
    if (!own.contains(name) && outside.size() < kMostKnown) outside.emplace_back(name);
  }
  return outside;
}

// What the steps stand on is put before them: they are checked as a definition of their own.
void complete_addition(Tree& tree, const AdditionScope& scope, const std::vector<std::string>& outside) {
  namespace json = boost::json;
  const NodeId steps = tree.find(tree.root(), "steps")->value;
  for (auto name = outside.rbegin(); name != outside.rend(); ++name) {
    tree.put_first(steps, *name, json::object{{"set", json::object()}});
  }
  if (scope.queue != "default") {
    const auto defaults = tree.find(tree.root(), "defaults");
    if (!defaults) {
      tree.put_first(tree.root(), "defaults", json::object{{"queue", scope.queue}});
    } else if (tree.is(defaults->value, NodeKind::map) && !tree.find(defaults->value, "queue")) {
      tree.put_first(defaults->value, "queue", json::value(scope.queue));
    }
  }
  // A text that does not speak of inputs need not keep their declarations.
  if (tree.source().find("inputs") != std::string_view::npos && !scope.definition.inputs.empty()) {
    json::object inputs;
    for (const model::Input& input : scope.definition.inputs) {
      json::value declaration = input.schema;
      if (!input.required && !input.default_value) declaration.get_object()["optional"] = true;
      inputs[input.name] = std::move(declaration);
    }
    tree.put_first(tree.root(), "inputs", inputs);
  }
  tree.put_first(tree.root(), "name", json::value(scope.definition.name));
}

}  // namespace

AdditionResult parse_addition(std::string_view text, const AdditionScope& scope,
                              const ParseOptions& options) {
  AdditionResult result;
  auto tree = read_map(text, options.file_name, {});
  if (!tree) {
    result.diagnostics = tree.error();
    return result;
  }
  Findings findings(*tree);
  check_addition(*tree, findings);
  if (findings.has_errors()) {
    result.diagnostics = findings.take(options.file_name);
    return result;
  }
  result.outside = needed_outside(*tree, tree->find(tree->root(), "steps")->value, scope);
  complete_addition(*tree, scope, result.outside);
  ParseResult parsed = parse_workflow(*tree, options);
  result.workflow = std::move(parsed.workflow);
  result.diagnostics = std::move(parsed.diagnostics);
  return result;
}

ParseResult parse_canonical(std::string_view text) {
  // Defaults are written out for every step, so the text may have grown; offsets have 32 bits.
  constexpr TreeLimits kStored{
      .bytes = std::size_t{1} << 30, .depth = 80, .nodes = 100'000'000, .alias_nodes = 0};
  return parse(text, {.file_name = "stored.json"}, kStored);
}

}  // namespace baton::spec
