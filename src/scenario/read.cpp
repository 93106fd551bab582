#include "scenario/read.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "scenario/reader.hpp"
#include "spec/parse.hpp"
#include "spec/read.hpp"

namespace baton::scenario {
namespace {

using spec::Member;
using spec::NodeId;
using spec::NodeKind;

constexpr spec::TreeLimits kLimits{};

// "flows/18-retry.test.yaml" → "18-retry"
std::string name_of(const std::string& file) {
  std::string_view name = file;
  if (const std::size_t slash = name.rfind('/'); slash != std::string_view::npos)
    name.remove_prefix(slash + 1);
  for (const std::string_view ending : {".yaml", ".yml", ".json", ".test"}) {
    if (name.size() > ending.size() && name.ends_with(ending)) name.remove_suffix(ending.size());
  }
  return std::string(name);
}

class FileReader {
 public:
  FileReader(const spec::Tree& tree, const std::string& file, const ReadFile& read_file)
      : tree_(tree), reader_(tree, file), read_file_(read_file) {}

  ReadResult read() {
    ReadResult result;
    const NodeId root = tree_.root();
    if (reader_.member(root, "steps") && !reader_.member(root, "workflow") &&
        !reader_.member(root, "scenarios")) {
      reader_.findings.error(root, "this is no scenario: it has no `workflow`",
                             "if it is a workflow, write a scenario with workflow: PATH");
    } else if (const auto scenarios = reader_.member(root, "scenarios")) {
      read_several(root, *scenarios, result);
    } else if (reader_.check_words(root, scenario_words(), "a scenario")) {
      result.scenarios.push_back(read_scenario(root, root, name_of(reader_.file)));
    }
    const bool wrong = reader_.findings.has_errors() || broken_workflow_;
    result.diagnostics = reader_.findings.take(reader_.file);
    std::ranges::move(foreign_, std::back_inserter(result.diagnostics));
    if (wrong) result.scenarios.clear();
    return result;
  }

 private:
  void read_several(NodeId root, NodeId scenarios, ReadResult& result) {
    std::vector<Word> words(scenario_words().begin(), scenario_words().end());
    words.insert(words.end(), file_words().begin(), file_words().end());
    reader_.check_words(root, words, "a file of scenarios");
    for (const std::string_view own : {"scenario", "at", "expect"}) {
      if (const auto found = tree_.find(root, own)) {
        reader_.findings.error(found->key, "`" + std::string(own) + "` belongs into one of the scenarios");
      }
    }
    if (!tree_.is(scenarios, NodeKind::map) || tree_.count(scenarios) == 0) {
      return reader_.wrong(scenarios, "scenarios", "a map of names to scenarios");
    }
    for (const Member m : tree_.members(scenarios)) {
      if (reader_.check_words(m.value, scenario_words(), "a scenario")) {
        result.scenarios.push_back(read_scenario(root, m.value, std::string(tree_.text(m.key))));
      }
    }
  }

  // `own` is the scenario, `shared` the file around it (or the same).
  Scenario read_scenario(NodeId shared, NodeId own, std::string name) {
    Scenario scenario;
    scenario.name = std::move(name);
    scenario.place = reader_.place(own);
    const auto find = [&](std::string_view word) {
      const auto found = reader_.member(own, word);
      return found || own == shared ? found : reader_.member(shared, word);
    };
    if (const auto at = reader_.member(own, "scenario")) {
      scenario.name = reader_.text(*at, "scenario").value_or(scenario.name);
    }
    if (const auto at = find("covers")) read_covers(*at, scenario);
    if (const auto at = find("seed")) {
      scenario.seed = static_cast<std::uint64_t>(reader_.integer(*at, "seed", 0, INT64_MAX).value_or(1));
    }
    if (const auto at = find("until")) scenario.until = reader_.duration(*at, "until");
    if (const auto at = find("now")) read_now(*at, scenario);
    if (const auto at = find("workers")) read_workers(*at, scenario);
    if (const auto at = find("limits")) read_limits(*at, scenario);
    if (const auto at = find("queues")) read_queue_settings(*at, scenario);
    if (const auto at = find("routes")) read_routes(*at, scenario);
    std::vector<std::shared_ptr<const model::Workflow>> applied;
    if (const auto at = find("workflows")) applied = read_workflows(*at, scenario);
    if (shared != own) read_steps(shared, scenario);
    read_steps(own, scenario);

    Action start{.verb = "start", .argument = kMainRun, .run = kMainRun, .place = scenario.place};
    if (const auto at = find("workflow")) {
      start.workflow = workflow(*at);
    } else {
      reader_.findings.error(own, "the scenario has no `workflow`",
                             "add workflow: PATH, or the definition itself");
    }
    if (const auto at = find("start")) read_start(*at, start);
    if (const auto at = find("input")) start.options["input"] = tree_.to_json(*at);
    applied.push_back(start.workflow);
    check_steps(own, shared, applied);
    const auto main_workflow = start.workflow;
    scenario.actions.push_back(std::move(start));
    if (const auto at = reader_.member(own, "at")) read_timeline(*at, scenario);
    for (Action& action : scenario.actions) {
      if (action.verb == "start" && !action.workflow) action.workflow = main_workflow;
    }
    if (const auto at = reader_.member(own, "expect")) {
      scenario.expect = read_expectations(reader_, *at);
    } else if (std::ranges::none_of(scenario.actions, [](const Action& a) { return a.verb == "expect"; })) {
      reader_.findings.error(own, "the scenario expects nothing", "add expect: completed, for a start");
    }
    return scenario;
  }

  void read_covers(NodeId node, Scenario& scenario) {
    if (!tree_.is(node, NodeKind::list)) return reader_.wrong(node, "covers", "a list of numbers");
    for (const NodeId item : tree_.items(node)) {
      if (const auto line = reader_.integer(item, "covers", 1, 1'000'000)) scenario.covers.push_back(*line);
    }
  }

  void read_now(NodeId node, Scenario& scenario) {
    const auto text = reader_.text(node, "now");
    if (!text) return;
    const auto instant = parse_rfc3339(*text);
    if (instant) {
      scenario.begin = *instant;
    } else {
      reader_.wrong(node, "now", "a date and time like 2030-01-01T00:00:00Z");
    }
  }

  void read_workers(NodeId node, Scenario& scenario) {
    if (!tree_.is(node, NodeKind::map) || tree_.count(node) == 0) {
      return reader_.wrong(node, "workers", "a map of names to workers");
    }
    for (const Member m : tree_.members(node)) {
      simulate::WorkerOptions worker;
      worker.name = tree_.text(m.key);
      worker.queues.clear();
      if (!is_name(worker.name)) reader_.findings.error(m.key, reader_.shown(m.key) + " is not a name");
      if (!tree_.is(m.value, NodeKind::null) && reader_.check_words(m.value, worker_words(), "a worker")) {
        if (const auto at = reader_.member(m.value, "remote")) {
          worker.in_process = !reader_.boolean(*at, "remote").value_or(false);
        }
        if (const auto at = reader_.member(m.value, "concurrency")) {
          worker.concurrency =
              static_cast<std::uint32_t>(reader_.integer(*at, "concurrency", 1, 100'000).value_or(1));
        }
        if (const auto at = reader_.member(m.value, "queues")) read_queues(*at, worker);
      }
      scenario.workers.push_back(std::move(worker));
    }
  }

  std::vector<std::shared_ptr<const model::Workflow>> read_workflows(NodeId node, Scenario& scenario) {
    std::vector<std::shared_ptr<const model::Workflow>> applied;
    if (!tree_.is(node, NodeKind::list)) {
      reader_.wrong(node, "workflows", "a list of definitions");
      return applied;
    }
    for (const NodeId item : tree_.items(node)) {
      Action apply{.verb = "apply", .place = reader_.place(item)};
      apply.workflow = workflow(item);
      applied.push_back(apply.workflow);
      scenario.actions.push_back(std::move(apply));
    }
    return applied;
  }

  void read_limits(NodeId node, Scenario& scenario) {
    if (!tree_.is(node, NodeKind::map)) return reader_.wrong(node, "limits", "a map of limits to numbers");
    for (const Member m : tree_.members(node)) {
      Action set{.verb = "limit", .argument = tree_.to_json(m.key), .place = reader_.place(m.key)};
      if (const auto limit = reader_.integer(m.value, "limits", 0, 1'000'000)) set.options["to"] = *limit;
      scenario.actions.push_back(std::move(set));
    }
  }

  void read_queue_settings(NodeId node, Scenario& scenario) {
    if (!tree_.is(node, NodeKind::map)) return reader_.wrong(node, "queues", "a map of queues to settings");
    for (const Member m : tree_.members(node)) {
      Action set{.verb = "set queue", .argument = tree_.to_json(m.key), .place = reader_.place(m.key)};
      static constexpr std::array kSettings{Word{"max_waiting", ""}, Word{"weights", ""}};
      if (!reader_.check_words(m.value, kSettings, "a queue")) continue;
      for (const Word& word : kSettings) {
        if (const auto at = reader_.member(m.value, word.name)) set.options[word.name] = tree_.to_json(*at);
      }
      scenario.actions.push_back(std::move(set));
    }
  }

  void read_routes(NodeId node, Scenario& scenario) {
    if (!tree_.is(node, NodeKind::map)) return reader_.wrong(node, "routes", "a map of patterns to queues");
    for (const Member m : tree_.members(node)) {
      Action set{.verb = "set route", .argument = tree_.to_json(m.key), .place = reader_.place(m.key)};
      if (const auto queue = reader_.text(m.value, "routes")) set.options["to"] = *queue;
      scenario.actions.push_back(std::move(set));
    }
  }

  void read_queues(NodeId node, simulate::WorkerOptions& worker) {
    if (!tree_.is(node, NodeKind::list)) return reader_.wrong(node, "queues", "a list of queues");
    for (const NodeId item : tree_.items(node)) {
      if (const auto name = reader_.text(item, "queues")) worker.queues.push_back(*name);
    }
  }

  void read_steps(NodeId from, Scenario& scenario) {
    const auto steps = reader_.member(from, "steps");
    if (!steps) return;
    if (!tree_.is(*steps, NodeKind::map)) {
      return reader_.wrong(*steps, "steps", "a map of steps to what they do");
    }
    for (const Member m : tree_.members(*steps)) {
      scenario.steps[std::string(tree_.text(m.key))] = read_mocks(reader_, m.value);
    }
  }

  // Mocks of steps that no workflow has are mistakes.
  void check_steps(NodeId own, NodeId shared,
                   const std::vector<std::shared_ptr<const model::Workflow>>& workflows) {
    if (std::ranges::find(workflows, nullptr) != workflows.end()) return;
    bool several = false;  // other workflows may have the step
    if (const auto timeline = reader_.member(own, "at")) several = has_other_workflows(*timeline);
    std::vector<std::string_view> names;
    std::map<std::string_view, model::StepKind> kinds;
    for (const auto& workflow : workflows) {
      for (const model::Step& step : workflow->steps) {
        names.push_back(step.name);
        kinds[step.name] = step.kind;
      }
    }
    for (const NodeId from : std::set{shared, own}) {
      const auto steps = reader_.member(from, "steps");
      if (!steps || several) continue;
      for (const Member m : tree_.members(*steps)) {
        const std::string_view key = tree_.text(m.key);
        const auto [step, part] = step_of(key, names);
        if (!step.empty()) {
          check_part(m.key, part);
          if (kinds[step] == model::StepKind::set) {
            reader_.findings.error(m.key, "step " + reader_.shown(m.key) +
                                              " is computed by Baton (`set`): there is nothing to pretend");
          }
          continue;
        }
        const std::string_view near = nearest(key, names);
        reader_.findings.error(m.key, "the workflow has no step " + reader_.shown(m.key),
                               near.empty() ? "" : "did you mean `" + std::string(near) + "`?");
      }
    }
  }

  // "deploy.fallback[2]" → "deploy", ".fallback": the longest name of a step that it begins with.
  // What is added while it runs is not known beforehand: "split/part".
  static std::pair<std::string_view, std::string_view> step_of(std::string_view key,
                                                               const std::vector<std::string_view>& names) {
    std::string_view step;
    for (const std::string_view name : names) {
      const bool begins = key.starts_with(name) && (key.size() == name.size() || key[name.size()] == '[' ||
                                                    key[name.size()] == '.' || key[name.size()] == '/');
      if (begins && name.size() > step.size()) step = name;
    }
    const std::string_view rest = key.substr(step.size());
    return {step, rest.substr(0, rest.find('['))};
  }

  void check_part(NodeId key, std::string_view part) {
    constexpr std::string_view kParts[] = {"fallback", "preflight",  "poll",
                                           "cleanup",  "compensate", "resource"};
    if (part.empty() || part.starts_with('/') ||
        std::ranges::find(kParts, part.substr(1)) != std::end(kParts)) {
      return;
    }
    const std::string_view near = nearest(part.substr(1), kParts);
    reader_.findings.error(key, "a step has no part " + reader_.shown(key),
                           near.empty() ? "" : "did you mean `." + std::string(near) + "`?");
  }

  bool has_other_workflows(NodeId timeline) const {
    const auto has = [&](NodeId action) { return reader_.member(action, "workflow").has_value(); };
    for (const Member m : tree_.members(timeline)) {
      if (has(m.value)) return true;
      for (const NodeId item : tree_.items(m.value)) {
        if (has(item)) return true;
      }
    }
    return false;
  }

  // ---- Workflows

  std::shared_ptr<const model::Workflow> workflow(NodeId node) {
    if (const auto known = workflows_.find(node); known != workflows_.end()) return known->second;
    auto& parsed = workflows_[node];
    if (tree_.is(node, NodeKind::map)) {
      take(spec::parse_workflow(tree_.rooted_at(node), {.file_name = reader_.file}), parsed);
    } else if (const auto path = reader_.text(node, "workflow")) {
      const auto text = read_file_(*path);
      if (text) {
        take(spec::parse_workflow(*text, {.file_name = *path}), parsed);
        if (!parsed) reader_.findings.error(node, "the workflow has errors");
      } else {
        reader_.findings.error(node, text.error().message);
      }
    }
    return parsed;
  }

  void take(spec::ParseResult result, std::shared_ptr<const model::Workflow>& workflow) {
    workflow = std::move(result.workflow);
    broken_workflow_ |= workflow == nullptr;
    std::ranges::move(result.diagnostics, std::back_inserter(foreign_));
  }

  // ---- Timeline

  void read_timeline(NodeId node, Scenario& scenario) {
    if (!tree_.is(node, NodeKind::map)) {
      return reader_.wrong(node, "at", "a map of times to what is done then, like 5s: cancel");
    }
    for (const Member m : tree_.members(node)) {
      const auto when = reader_.duration(m.key, "at");
      if (!when) continue;
      if (tree_.is(m.value, NodeKind::list)) {
        for (const NodeId item : tree_.items(m.value)) read_action(item, *when, scenario);
      } else {
        read_action(m.value, *when, scenario);
      }
    }
  }

  static std::string spaced(std::string_view word) {
    std::string text(word);
    std::ranges::replace(text, '_', ' ');
    return text;
  }

  // The verb among the members of a map; kNoNode if there is none.
  Member verb_of(NodeId map) const {
    for (const Member m : tree_.members(map)) {
      if (find_verb(spaced(tree_.text(m.key))) != nullptr) return m;
    }
    return {};
  }

  void unknown_verb(NodeId node, std::string_view word) {
    std::vector<std::string_view> names;
    for (const Verb& verb : verbs()) names.push_back(verb.name);
    const std::string_view near = nearest(word, names);
    std::string all;
    for (const std::string_view name : names) all += (all.empty() ? "`" : ", `") + std::string(name) + "`";
    reader_.findings.error(
        node, "unknown action " + reader_.shown(node),
        near.empty() ? "the actions are " + all : "did you mean `" + std::string(near) + "`?");
  }

  void read_action(NodeId node, Duration at, Scenario& scenario) {
    Action action{.at = at, .run = kMainRun, .place = reader_.place(node)};
    if (!tree_.is(node, NodeKind::map)) {
      const auto word = reader_.text(node, "an action");
      if (!word) return;
      const Verb* verb = find_verb(spaced(*word));
      if (verb == nullptr) return unknown_verb(node, *word);
      if (verb->required) {
        reader_.findings.error(node, "`" + *word + "` needs " + std::string(verb->argument),
                               "write {" + *word + ": …}");
      }
      action.verb = verb->name;
      scenario.actions.push_back(std::move(action));
      return;
    }
    const Member chosen = verb_of(node);
    if (chosen.key == spec::kNoNode) {
      if (tree_.count(node) == 0) return reader_.wrong(node, "an action", "a word or a map");
      const NodeId first = (*tree_.members(node).begin()).key;
      return unknown_verb(first, tree_.text(first));
    }
    const Verb& verb = *find_verb(spaced(tree_.text(chosen.key)));
    action.verb = verb.name;
    if (verb.name == "expect") {
      action.expect = read_expectations(reader_, chosen.value);
    } else {
      action.argument = tree_.to_json(chosen.value);
      if (verb.argument.empty() && !action.argument.is_null() && !action.argument.is_bool()) {
        reader_.findings.error(chosen.value, "`" + std::string(verb.name) + "` takes no value here");
      }
    }
    if (verb.name == "start") action.run = tree_.is_collection(chosen.value) ? "" : tree_.text(chosen.value);
    read_options(node, chosen.key, verb, action);
    scenario.actions.push_back(std::move(action));
  }

  void read_options(NodeId node, NodeId verb_key, const Verb& verb, Action& action) {
    std::vector<Word> allowed{{"run", ""}, {"refused", ""}};
    for (std::string_view rest = verb.options; !rest.empty();) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      allowed.push_back({word, ""});
    }
    for (const Member m : tree_.members(node)) {
      if (m.key == verb_key) continue;
      const std::string_view key = tree_.text(m.key);
      if (std::ranges::find(allowed, key, &Word::name) == allowed.end()) {
        const std::string_view near = meant(key, allowed);
        reader_.findings.error(
            m.key, "unknown word " + reader_.shown(m.key) + " beside `" + std::string(verb.name) + "`",
            near.empty() ? "" : "did you mean `" + std::string(near) + "`?");
      } else if (key == "run") {
        action.run = reader_.text(m.value, "run").value_or(kMainRun);
      } else if (key == "refused") {
        action.refused = error_code(m.value);
      } else if (key == "workflow") {
        action.workflow = workflow(m.value);
      } else {
        action.options[key] = tree_.to_json(m.value);
      }
    }
  }

  void read_start(NodeId node, Action& start) {
    constexpr Word kWords[] = {
        {"job_id", ""}, {"priority", ""}, {"key", ""}, {"metadata", ""}, {"refused", ""}};
    if (!reader_.check_words(node, kWords, "`start`")) return;
    for (const Member m : tree_.members(node)) {
      if (tree_.text(m.key) == "refused") {
        start.refused = error_code(m.value);
      } else {
        start.options[tree_.text(m.key)] = tree_.to_json(m.value);
      }
    }
  }

  std::optional<std::string> error_code(NodeId node) {
    const auto word = reader_.text(node, "refused");
    if (!word) return std::nullopt;
    if (!error_code_from_name(*word)) {
      std::vector<std::string_view> names;
      for (const ErrorCodeInfo& code : all_error_codes()) names.push_back(code.name);
      const std::string_view near = nearest(*word, names);
      reader_.findings.error(node, "there is no error code " + reader_.shown(node),
                             near.empty() ? "" : "did you mean `" + std::string(near) + "`?");
    }
    return word;
  }

  const spec::Tree& tree_;
  Reader reader_;
  const ReadFile& read_file_;
  std::map<NodeId, std::shared_ptr<const model::Workflow>> workflows_;
  std::vector<spec::Diagnostic> foreign_;  // of workflows
  bool broken_workflow_ = false;
};

}  // namespace

ReadResult read_scenarios(std::string_view text, const std::string& file_name, const ReadFile& read_file) {
  const auto syntax_error = [&](const spec::SyntaxError& error) {
    spec::Diagnostic d;
    d.file = file_name;
    d.message = error.message;
    d.suggestion = error.suggestion;
    spec::set_place(d, text, error.span);
    return ReadResult{{}, {std::move(d)}};
  };
  const auto tree = spec::read_tree(file_name, text, kLimits);
  if (!tree) return syntax_error(tree.error());
  if (tree->root() == spec::kNoNode) return syntax_error({{}, "the file is empty", {}});
  return FileReader(*tree, file_name, read_file).read();
}

}  // namespace baton::scenario
