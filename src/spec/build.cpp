#include "spec/build.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <set>

#include "spec/canonical.hpp"
#include "spec/check.hpp"
#include "spec/failure.hpp"
#include "spec/flow.hpp"
#include "spec/inputs.hpp"
#include "spec/kinds.hpp"
#include "spec/policies.hpp"
#include "spec/targets.hpp"

namespace baton::spec {
namespace {

namespace json = boost::json;

bool is_process(model::StepKind kind) {
  return kind == model::StepKind::run || kind == model::StepKind::exec;
}

class Builder {
 public:
  explicit Builder(const Tree& tree) : tree_(tree), targets_(tree) {
    if (const auto defaults = tree_.find(tree_.root(), "defaults")) defaults_ = defaults->value;
  }

  std::shared_ptr<model::Workflow> build(Graph& graph, Reads reads) {
    auto workflow = std::make_shared<model::Workflow>();
    const NodeId root = tree_.root();
    workflow->name = text(root, "name");
    workflow->title = text(root, "title");
    workflow->description = text(root, "description");
    if (const auto labels = tree_.find(root, "labels")) workflow->labels = texts(labels->value);
    workflow->inputs = read_inputs(tree_);
    workflow->max_parallel = count(root, "max_parallel", 0);
    workflow->fail_fast = flag(root, "fail_fast");
    if (const NodeId rules = field(root, "on_error"); rules != kNoNode) {
      workflow->on_error = read_on_error(tree_, rules);
    }
    if (const NodeId node = field(root, "deadline"); node != kNoNode) {
      workflow->deadline = read_duration(tree_, node);
    }
    if (const NodeId node = field(root, "sla"); node != kNoNode) workflow->sla = read_duration(tree_, node);
    if (field(root, "retry_budget") != kNoNode) workflow->retry_budget = count(root, "retry_budget", 0);
    const NodeId recovery = field(root, "recovery");
    workflow->max_recovery_attempts =
        count(root, "max_recovery_attempts", recovery == kNoNode ? 3 : count(recovery, "max_attempts", 3));
    if (recovery != kNoNode) {
      workflow->auto_recovery = flag(recovery, "auto");
      if (const NodeId delay = field(recovery, "delay"); delay != kNoNode) {
        workflow->recovery_delay = read_duration(tree_, delay).value_or(workflow->recovery_delay);
      }
    }
    workflow->concurrency = read_run_limit(tree_);
    workflow->retention = retention_of(field(root, "retention"));
    workflow->priority = static_cast<std::int8_t>(count(defaults_, "priority", 5));

    for (const NodeId env : {field(defaults_, "env"), field(root, "env")}) {
      merge_env(shared_env_, env);
      if (env == kNoNode) continue;
      for (const Member m : tree_.members(env)) unused_[tree_.text(m.key)] = m.value;
    }
    if (const NodeId retry = field(defaults_, "retry"); retry != kNoNode) default_retry_ = retry_of(retry);
    if (const NodeId timeout = field(defaults_, "timeout"); timeout != kNoNode)
      default_timeout_ = timeout_of(timeout);

    if (const NodeId targets = field(tree_.root(), "targets"); targets != kNoNode) {
      for (const Member m : tree_.members(targets)) {
        const NodeId health = field(m.value, "health");
        if (health == kNoNode) continue;
        workflow->health.push_back(
            {std::string(tree_.text(m.key)), health_url(health, field(m.value, "url"))});
      }
      std::ranges::sort(workflow->health, {}, &model::HealthCheck::target);
    }
    workflow->steps.reserve(graph.steps.size());
    for (Ordinal i = 0; i < graph.steps.size(); ++i) {
      workflow->steps.push_back(step(graph.steps[i], graph));
      workflow->steps.back().needs = std::move(graph.needs[i]);
    }
    for (auto& [node, name] : reads.of_shared) {
      if (used_.contains(node)) reads.of_steps.insert(std::move(name));
    }
    workflow->reads_env.assign(reads.of_steps.begin(), reads.of_steps.end());
    workflow->reads_secrets.assign(reads.secrets.begin(), reads.secrets.end());
    return workflow;
  }

 private:
  NodeId field(NodeId map, std::string_view name) const {
    if (map == kNoNode) return kNoNode;
    const auto member = tree_.find(map, name);
    return member ? member->value : kNoNode;
  }
  // A step's own field, else the default.
  NodeId own_or_default(NodeId body, std::string_view name) const {
    const NodeId own = field(body, name);
    return own != kNoNode ? own : field(defaults_, name);
  }
  std::string text(NodeId map, std::string_view name) const {
    const NodeId node = field(map, name);
    return node == kNoNode ? std::string() : std::string(tree_.text(node));
  }
  std::uint32_t count(NodeId map, std::string_view name, std::uint32_t otherwise) const {
    const NodeId node = field(map, name);
    return node == kNoNode ? otherwise : static_cast<std::uint32_t>(tree_.integer(node).value_or(otherwise));
  }
  // `forever` is zero.
  std::optional<Duration> span_or_forever(NodeId node) const {
    if (node == kNoNode) return std::nullopt;
    return read_duration(tree_, node).value_or(Duration{});
  }
  model::Retention retention_of(NodeId node) const {
    if (node == kNoNode) return {};
    if (tree_.is(node, NodeKind::map))
      return {span_or_forever(field(node, "completed")), span_or_forever(field(node, "failed"))};
    return {span_or_forever(node), span_or_forever(node)};
  }
  bool flag(NodeId map, std::string_view name) const {
    const NodeId node = field(map, name);
    return node != kNoNode && tree_.boolean(node);
  }

  // Numbers and booleans stand for their own text: PORT: 8080 is "8080".
  json::value text_value(NodeId scalar) const {
    const std::string_view content = tree_.text(scalar);
    return json::value(json::string_view(content.data(), content.size()));
  }
  json::object texts(NodeId map) const {
    json::object object;
    object.reserve(tree_.count(map));
    for (const Member m : tree_.members(map)) object.emplace(tree_.text(m.key), text_value(m.value));
    return object;
  }
  void merge_env(json::object& env, NodeId map) const {
    if (map == kNoNode) return;
    for (const Member m : tree_.members(map)) env[tree_.text(m.key)] = text_value(m.value);
  }

  // Equal policies are one object: 100,000 steps often have the same.
  std::shared_ptr<const model::Retry> retry_of(NodeId node) {
    return shared(retries_, read_retry(tree_, node));
  }
  std::shared_ptr<const model::Timeout> timeout_of(NodeId node) {
    return shared(timeouts_, read_timeout(tree_, node));
  }
  template <typename T>
  static std::shared_ptr<const T> shared(std::vector<std::shared_ptr<const T>>& known, T value) {
    constexpr std::size_t kCompared = 16;
    for (const auto& k : known) {
      if (*k == value) return k;
    }
    auto made = std::make_shared<const T>(std::move(value));
    if (known.size() < kCompared) known.push_back(made);
    return made;
  }

  model::Step step(const StepPlace& place, const Graph& graph) {
    const NodeId body = place.body;
    model::Step step;
    step.name = tree_.text(place.key);
    step.finally = place.finally;
    action(step, body);
    step.when = text(body, "when");
    if (const NodeId node = field(body, "for_each"); node != kNoNode) step.for_each = tree_.to_json(node);
    step.max_parallel = count(body, "max_parallel", 0);
    step.continue_on_error = flag(body, "continue_on_error");
    if (const NodeId node = field(body, "estimate"); node != kNoNode)
      step.estimate = read_duration(tree_, node);
    if (const NodeId node = own_or_default(body, "queue"); node != kNoNode) step.queue = tree_.text(node);
    if (const NodeId node = field(body, "priority"); node != kNoNode) {
      step.priority = static_cast<std::int8_t>(tree_.integer(node).value_or(5));
    }
    if (is_process(step.kind)) of_process(step, body);
    switch (step.kind) {
      case model::StepKind::set:
        break;
      case model::StepKind::wait:
        wait(step, field(body, "wait"));
        break;
      case model::StepKind::switch_:
        branches(step, field(body, "switch"), graph);
        break;
      case model::StepKind::workflow:
        child(step, body);
        break;
      default:
        attempts(step, body);
        if (const NodeId node = field(body, "repeat"); node != kNoNode) step.repeat = repeat_of(node);
        if (const NodeId node = field(body, "cache"); node != kNoNode)
          step.cache = shared(caches_, read_cache(tree_, node));
        if (auto rules = read_flow(tree_, body, text(tree_.root(), "name"), step.name))
          step.flow = shared(flow_rules_, std::move(*rules));
    }
    step.trigger_rule = read_trigger_rule(tree_, body);
    if (auto rules = read_failure(tree_, body)) step.failure = shared(failure_rules_, std::move(*rules));
    if (auto notes = read_notes(tree_, body)) step.notes = shared(notes_, std::move(*notes));
    if (const NodeId node = field(body, "fallback"); node != kNoNode) step.fallback = action_of(step, node);
    if (const NodeId node = field(body, "preflight"); node != kNoNode) {
      if (tree_.is(node, NodeKind::map)) {
        step.preflight = action_of(step, node);
      } else if (tree_.boolean(node)) {
        step.preflight = health_check_of(step, body);
      }
    }
    endings(step, body, graph);
    return step;
  }

  // An action that belongs to a step: in its queue unless it says otherwise, once and without a limit in time
  // unless it says otherwise; requests have a limit always.
  std::shared_ptr<model::Step> action_of(const model::Step& step, NodeId body) {
    auto made = std::make_shared<model::Step>();
    made->name = step.name;
    made->finally = step.finally;
    action(*made, body);
    made->queue = step.queue;
    if (const NodeId node = field(body, "queue"); node != kNoNode) made->queue = tree_.text(node);
    if (is_process(made->kind)) of_process(*made, body);
    if (const NodeId node = field(body, "retry"); node != kNoNode) made->retry = retry_of(node);
    if (const NodeId node = field(body, "timeout"); node != kNoNode) made->timeout = timeout_of(node);
    if (made->kind == model::StepKind::http) limit_attempts(*made);
    return made;
  }

  // What runs at the end has a limit and is tried again, unless it says otherwise.
  std::shared_ptr<const model::Step> ending_of(const model::Step& step, NodeId body) {
    auto made = action_of(step, body);
    if (!made->retry) made->retry = shared(retries_, model::ending_retry());
    if (!made->timeout) made->timeout = shared(timeouts_, model::ending_timeout());
    return made;
  }

  void endings(model::Step& step, NodeId body, const Graph& graph) {
    const NodeId cleanup = field(body, "cleanup");
    const NodeId compensate = field(body, "compensate");
    if (cleanup == kNoNode && compensate == kNoNode) return;
    auto endings = std::make_shared<model::Endings>();
    if (compensate != kNoNode) endings->compensate = ending_of(step, compensate);
    if (cleanup != kNoNode) {
      endings->cleanup = ending_of(step, cleanup);
      endings->cleanup_on_shutdown = flag(cleanup, "on_shutdown");
      if (const NodeId after = field(cleanup, "after"); after != kNoNode) {
        endings->cleanup_after = graph.ordinals.at(tree_.text(after));
      }
    }
    step.endings = std::move(endings);
  }

  void action(model::Step& step, NodeId body) const {
    if (const NodeId script = field(body, "run"); script != kNoNode) {
      step.kind = model::StepKind::run;
      step.action = text_value(script);
    } else if (const NodeId program = field(body, "exec"); program != kNoNode) {
      step.kind = model::StepKind::exec;
      json::array arguments;
      arguments.reserve(tree_.count(program));
      for (const NodeId item : tree_.items(program)) arguments.push_back(text_value(item));
      step.action = std::move(arguments);
    } else if (const NodeId function = field(body, "task"); function != kNoNode) {
      step.kind = model::StepKind::task;
      step.action = text_value(function);
      if (const NodeId with = field(body, "with"); with != kNoNode) step.with = tree_.to_json(with);
    } else if (const NodeId request = field(body, "http"); request != kNoNode) {
      step.kind = model::StepKind::http;
      step.action = tree_.to_json(request);
      if (const NodeId schema = field(body, "response_schema"); schema != kNoNode)
        step.response_schema = std::make_shared<const json::value>(tree_.to_json(schema));
    } else if (field(body, "wait") != kNoNode) {
      step.kind = model::StepKind::wait;
    } else if (field(body, "switch") != kNoNode) {
      step.kind = model::StepKind::switch_;
    } else if (field(body, "workflow") != kNoNode) {
      step.kind = model::StepKind::workflow;
    } else {
      step.kind = model::StepKind::set;
      step.action = tree_.to_json(field(body, "set"));
    }
  }

  void wait(model::Step& step, NodeId node) {
    model::Wait wait;
    if (!tree_.is(node, NodeKind::map)) {
      step.action = text_value(node);
      step.wait = std::make_shared<const model::Wait>(std::move(wait));
      return;
    }
    const auto text_of = [&](NodeId value) {
      if (!tree_.is(value, NodeKind::boolean)) step.action = text_value(value);
    };
    if (const NodeId poll = field(node, "poll"); poll != kNoNode) {
      wait.what = model::Wait::For::poll;
      wait.poll = action_of(step, poll);
      wait.until = text(node, "until");
      if (const NodeId every = field(node, "every"); every != kNoNode)
        wait.every = read_duration(tree_, every).value_or(wait.every);
    } else if (const NodeId span = field(node, "for"); span != kNoNode) {
      text_of(span);
    } else if (const NodeId instant = field(node, "until"); instant != kNoNode) {
      wait.what = model::Wait::For::instant;
      text_of(instant);
    } else if (const NodeId signal = field(node, "signal"); signal != kNoNode) {
      wait.what = model::Wait::For::signal;
      text_of(signal);
    } else {
      wait.what = model::Wait::For::approval;
      text_of(field(node, "approval"));
    }
    if (const NodeId timeout = field(node, "timeout"); timeout != kNoNode) {
      wait.timeout = read_duration(tree_, timeout);
    } else if (step.finally && wait.what >= model::Wait::For::signal) {
      wait.timeout = model::ending_timeout().soft;
    }
    step.wait = std::make_shared<const model::Wait>(std::move(wait));
  }

  void child(model::Step& step, NodeId body) {
    const NodeId node = field(body, "workflow");
    model::Child child;
    if (tree_.is(node, NodeKind::map)) {
      child.workflow = text(node, "name");
      child.version = count(node, "version", 0);
      child.detach = flag(node, "detach");
    } else {
      child.workflow = tree_.text(node);
    }
    step.child = std::make_shared<const model::Child>(std::move(child));
    step.wait = waits_for_run_;
    if (const NodeId with = field(body, "with"); with != kNoNode) step.with = tree_.to_json(with);
    // The defaults are for what an executor does.
    if (const NodeId retry = field(body, "retry"); retry != kNoNode) step.retry = retry_of(retry);
  }

  void branches(model::Step& step, NodeId list, const Graph& graph) const {
    std::vector<model::Branch> branches;
    branches.reserve(tree_.count(list));
    for (const NodeId entry : tree_.items(list)) {
      model::Branch branch{text(entry, "when"), {}};
      for (const NodeId target : targets_of(tree_, entry))
        branch.go_to.push_back(graph.ordinals.at(tree_.text(target)));
      std::ranges::sort(branch.go_to);
      branches.push_back(std::move(branch));
    }
    step.branches = std::make_shared<const std::vector<model::Branch>>(std::move(branches));
  }

  std::shared_ptr<const model::Repeat> repeat_of(NodeId node) {
    model::Repeat repeat;
    repeat.until = text(node, "until");
    repeat.max = count(node, "max", repeat.max);
    if (const NodeId delay = field(node, "delay"); delay != kNoNode)
      repeat.delay = read_duration(tree_, delay).value_or(Duration{});
    return shared(repeats_, std::move(repeat));
  }

  // What only steps with a process have.
  void of_process(model::Step& step, NodeId body) {
    if (const NodeId node = field(body, "with"); node != kNoNode) step.with = tree_.to_json(node);
    const NodeId env = field(body, "env");
    if (!shared_env_.empty() || (env != kNoNode && tree_.count(env) > 0)) {
      json::object merged = shared_env_;
      merge_env(merged, env);
      step.env = std::move(merged);
    }
    std::erase_if(unused_, [&](const auto& variable) {
      const bool replaced = env != kNoNode && tree_.find(env, variable.first);
      if (!replaced) used_.insert(variable.second);
      return !replaced;
    });
    model::Process process;
    if (const NodeId node = own_or_default(body, "workdir"); node != kNoNode) {
      process.workdir = tree_.text(node);
      if (field(body, "workdir") == kNoNode) used_.insert(node);
    }
    if (const NodeId node = own_or_default(body, "shell");
        node != kNoNode && step.kind == model::StepKind::run) {
      for (const NodeId item : tree_.items(node)) process.shell.emplace_back(tree_.text(item));
    }
    process.parse_json = field(body, "parse") != kNoNode;
    if (process != model::Process{}) step.process = shared(processes_, std::move(process));
  }

  // A step's own field, else what its target says.
  NodeId own_or_targets(NodeId body, std::string_view name) const {
    const NodeId own = field(body, name);
    return own != kNoNode ? own : targets_.field_of(body, name);
  }

  // A URL that begins with / continues that of the step's target.
  void join_url(model::Step& step, NodeId body) {
    json::object* request = step.action.if_object();
    json::value* url = request == nullptr ? nullptr : request->if_contains("url");
    if (url == nullptr || !url->is_string() || !url->get_string().starts_with('/')) return;
    const NodeId base = targets_.field_of(body, "url");
    if (base == kNoNode) return;
    used_.insert(base);
    std::string_view start = tree_.text(base);
    while (start.ends_with('/')) start.remove_suffix(1);
    *url = std::string(start) + std::string(url->get_string());
  }

  // `health` of a target, with its URL before it if it is a path.
  std::string health_url(NodeId health, NodeId base) {
    std::string url(tree_.text(health));
    if (!url.starts_with('/') || base == kNoNode) return url;
    std::string_view start = tree_.text(base);
    while (start.ends_with('/')) start.remove_suffix(1);
    return std::string(start) + url;
  }

  std::shared_ptr<const model::Step> health_check_of(const model::Step& step, NodeId body) {
    const NodeId health = targets_.field_of(body, "health");
    const NodeId base = targets_.field_of(body, "url");
    if (health == kNoNode) return nullptr;  // the check has said so
    used_.insert(health);
    if (base != kNoNode) used_.insert(base);
    auto made = std::make_shared<model::Step>();
    made->name = step.name;
    made->finally = step.finally;
    made->kind = model::StepKind::http;
    made->action = json::object{{"url", health_url(health, base)}};
    made->queue = step.queue;
    made->timeout = shared(timeouts_, model::Timeout{.soft = model::kHealthTimeout,
                                                     .hard = model::kHealthTimeout + Duration::seconds(10),
                                                     .start = {},
                                                     .heartbeat = {}});
    return made;
  }

  // What all steps have that an executor does.
  void attempts(model::Step& step, NodeId body) {
    step.target = text(body, "target");
    step.breaker = targets_.breaker_of(body);
    const NodeId retry = own_or_targets(body, "retry");
    step.retry = retry != kNoNode ? retry_of(retry) : default_retry_;
    const NodeId timeout = own_or_targets(body, "timeout");
    step.timeout = timeout != kNoNode ? timeout_of(timeout) : default_timeout_;
    if (step.kind == model::StepKind::http) join_url(step, body);
    if (step.finally && !step.retry) step.retry = shared(retries_, model::ending_retry());
    // A server that answers never, or a byte a minute, would hold the step up for ever.
    const bool limited = step.finally || step.kind == model::StepKind::http;
    if (limited) limit_attempts(step);
    if (step.kind == model::StepKind::http && step.timeout->heartbeat.us > 0) {
      model::Timeout silent = *step.timeout;  // a request says nothing while it is under way
      silent.heartbeat = {};
      step.timeout = shared(timeouts_, silent);
    }
  }

  // An attempt that has no limit in time gets the usual one.
  void limit_attempts(model::Step& step) {
    if (step.timeout && step.timeout->soft.us > 0) return;
    model::Timeout usual = model::ending_timeout();
    if (step.timeout) {
      usual.start = step.timeout->start;
      usual.heartbeat = step.timeout->heartbeat;
    }
    step.timeout = shared(timeouts_, usual);
  }

  const Tree& tree_;
  const Targets targets_;
  const std::shared_ptr<const model::Wait> waits_for_run_ = std::make_shared<const model::Wait>(
      model::Wait{.what = model::Wait::For::run, .timeout = {}, .poll = {}, .every = {}, .until = {}});
  NodeId defaults_ = kNoNode;
  json::object shared_env_;
  std::map<std::string_view, NodeId> unused_;  // variables of shared_env_ that no step has got so far
  std::set<NodeId> used_;                      // shared values that a step has got
  std::shared_ptr<const model::Retry> default_retry_;
  std::shared_ptr<const model::Timeout> default_timeout_;
  std::vector<std::shared_ptr<const model::Retry>> retries_;
  std::vector<std::shared_ptr<const model::Timeout>> timeouts_;
  std::vector<std::shared_ptr<const model::FailureRules>> failure_rules_;
  std::vector<std::shared_ptr<const model::FlowRules>> flow_rules_;
  std::vector<std::shared_ptr<const model::Cache>> caches_;
  std::vector<std::shared_ptr<const model::Notes>> notes_;
  std::vector<std::shared_ptr<const model::Process>> processes_;
  std::vector<std::shared_ptr<const model::Repeat>> repeats_;
};

}  // namespace

std::shared_ptr<model::Workflow> build_workflow(const Tree& tree, Graph& graph, Reads reads) {
  auto workflow = Builder(tree).build(graph, std::move(reads));
  workflow->canonical = canonical_text(*workflow);
  workflow->hash = Hash256::of(workflow->canonical);
  return workflow;
}

}  // namespace baton::spec
