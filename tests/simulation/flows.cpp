#include "flows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>

#include "limits.hpp"
#include "spec/parse.hpp"

namespace baton::simulation {
namespace {

namespace json = boost::json;

// Draws first and asks then whether it may, so that a switch changes nothing but what it is about.
class Dice {
 public:
  Dice(const Options& options, engine::Random random) : options_(options), random_(random) {}

  bool one_in(int n) { return random_.up_to(n - 1) == 0; }
  bool one_in(int n, Switch which) { return one_in(n) && options_.has(which); }
  int up_to(int n) { return static_cast<int>(random_.up_to(n)); }
  template <std::size_t N>
  const char* one_of(const std::array<const char*, N>& words) {
    return words[static_cast<std::size_t>(up_to(N - 1))];
  }
  std::string seconds(int from, int to) { return fmt::format("{}s", from + up_to(to - from)); }
  engine::Random stream() { return engine::Random(Seed{random_.next(), random_.next()}); }
  Dice another() { return {options_, stream()}; }
  bool has(Switch which) const { return options_.has(which); }

 private:
  const Options& options_;
  engine::Random random_;
};

json::object backoff(Dice dice, int most) {
  json::object retry{{"max_attempts", 1 + dice.up_to(most - 1)}};
  retry["backoff"] = dice.one_of(std::array{"fixed", "linear", "exponential"});
  retry["initial"] = dice.seconds(1, 6);
  retry["jitter"] = dice.one_of(std::array{"none", "full", "equal", "decorrelated"});
  if (dice.one_in(5)) retry["jitter"] = json::object{{"add", dice.seconds(1, 3)}};
  return retry;
}

json::object rule(Dice dice, bool has_fallback) {
  json::object match;
  const char* type =
      dice.one_of(std::array{"exit", "http", "connection", "quota", "lost", "timeout", "interrupted"});
  if (!dice.one_in(4)) match["type"] = type;
  json::object rule;
  if (!match.empty()) rule["match"] = std::move(match);
  static constexpr std::array kActions{"retry", "fail", "hold", "ignore", "fallback"};
  rule["do"] = kActions[static_cast<std::size_t>(dice.up_to(has_fallback ? 4 : 3))];
  if (dice.one_in(2) && rule["do"] == "retry") rule["delay"] = dice.seconds(1, 21);
  if (dice.one_in(4)) rule["alert"] = dice.one_of(std::array{"info", "warning", "critical"});
  return rule;
}

// An action that belongs to a step.
json::object action(Dice dice, const char* chore) {
  json::object action{{"exec", json::array{chore, "now"}}};
  if (dice.one_in(3)) action["retry"] = backoff(dice.another(), 3);
  if (dice.one_in(4)) action["timeout"] = dice.seconds(10, 40);
  if (dice.one_in(6)) action["queue"] = "other";
  return action;
}

// One step, whose place among the `steps` or under `finally` is `number`.
class StepMaker {
 public:
  StepMaker(Dice dice, int number, bool finally) : dice_(dice), number_(number), finally_(finally) {}

  json::object make() {
    needs();
    mapped_ = dice_.one_in(4);
    kind(dice_.another());
    if (mapped_) items(dice_.another());
    if (dice_.one_in(5)) {
      step_["when"] = dice_.one_in(4)    ? "1 > 2"
                      : !before_.empty() ? "steps." + before_ + ".status == 'completed'"
                                         : "2 > 1";
    }
    if (dice_.one_in(6)) step_["continue_on_error"] = true;
    Dice more = dice_.another();
    Dice ends = dice_.another();
    if (attempts_) policies(more);
    if (attempts_ && !finally_) endings(ends);
    engine::Random amounts = dice_.stream();
    if (attempts_ && dice_.has(Switch::limits)) add_limits(step_, amounts);
    if (!needs_.empty()) step_["needs"] = std::move(needs_);
    return std::move(step_);
  }

 private:
  void needs() {
    for (int before = 0; before < number_; ++before) {
      if (dice_.one_in(3)) needs_.emplace_back(fmt::format("{}{}", finally_ ? 'f' : 's', before));
    }
    Dice dice = dice_.another();
    bool early = false;
    if (!needs_.empty() && dice.one_in(3)) {
      const char* rule = dice.one_of(std::array{"none_failed", "all_success", "all_failed", "all_done",
                                                "all_skipped", "one_success", "one_failed", "one_done",
                                                "none_failed_min_one_success", "none_skipped", "always"});
      step_["trigger_rule"] = rule;
      early = std::string_view(rule).starts_with("one_");
    }
    if (!needs_.empty() && !early) before_ = needs_[0].as_string();
  }

  void kind(Dice dice) {
    const std::string item = mapped_ ? "${{ item }}" : "no item";
    const int roll = dice.up_to(9);
    Dice inner = dice.another();
    if (roll == 0) {
      attempts_ = false;
      step_["set"] = {{"n", number_}, {"list", json::array{1, 2}}};
    } else if (roll == 1) {
      step_["exec"] = json::array{"work", item, "--flag"};
    } else if (roll == 2 && !before_.empty()) {
      step_["exec"] = json::array{"work", "${{ steps." + before_ + ".status }}"};
    } else if (roll == 3) {
      http_ = true;
      step_["http"] = {{"url", "http://nowhere/path"}};
    } else if (roll == 4 || roll == 5) {
      wait(inner);
    } else if (roll == 6 && inner.has(Switch::awaited_signals)) {
      // Often enough that several wait for the same.
      step_["wait"] = {{"signal", inner.one_in(3) ? "stop" : "go"}};
      attempts_ = false;
    } else {
      step_["run"] = "work";
    }
  }

  void wait(Dice dice) {
    json::object wait;
    Dice poll = dice.another();
    switch (dice.up_to(4)) {
      case 0:
        if (dice.has(Switch::spans)) wait["for"] = dice.seconds(1, 60);
        break;
      case 1:
        if (dice.has(Switch::spans)) wait["until"] = fmt::format("2030-01-01T00:{:02}:00Z", dice.up_to(9));
        break;
      case 2:
        if (dice.has(Switch::awaited_signals)) wait["signal"] = dice.one_in(2) ? "go" : "stop";
        break;
      case 3:
        if (dice.has(Switch::approvals)) wait["approval"] = dice.one_in(2) ? "Shall it?" : "Really?";
        break;
      default:
        if (!dice.has(Switch::polls)) break;
        wait["poll"] = action(poll, "poll");
        wait["every"] = poll.seconds(1, 15);
        if (poll.one_in(2)) wait["until"] = "self.result.done";
    }
    const bool limited =
        dice.one_in(3) && !wait.contains("for") && (!wait.contains("until") || wait.contains("poll"));
    if (wait.empty()) {
      step_["run"] = "work";
      return;
    }
    if (limited) wait["timeout"] = dice.seconds(5, 90);
    step_["wait"] = std::move(wait);
    attempts_ = false;
  }

  void items(Dice dice) {
    if (dice.one_in(4) && !before_.empty()) {
      step_["for_each"] = "${{ steps." + before_ + ".result.list }}";
    } else {
      json::array items;
      for (int i = dice.up_to(4); i > 0; --i) items.emplace_back(i);
      step_["for_each"] = std::move(items);
    }
    if (dice.one_in(2, Switch::limits)) step_["max_parallel"] = 1 + dice.up_to(1);
    if (dice.one_in(3)) step_["max_failures"] = dice.up_to(2);
    if (dice.one_in(8)) step_["max_failures"] = "50%";
  }

  void policies(Dice dice) {
    Dice retry = dice.another();
    if (dice.one_in(2)) step_["retry"] = backoff(retry, 4);
    if (dice.one_in(3)) step_["timeout"] = dice.seconds(5, 65);
    if (dice.one_in(10, Switch::clocks))
      step_["timeout"] = {{"soft", "20s"}, {"hard", "25s"}, {"start", "40s"}};
    if (dice.one_in(8, Switch::clocks) && !http_) step_["timeout"] = {{"heartbeat", "15s"}};
    if (dice.one_in(10, Switch::clocks)) step_["deadline"] = dice.seconds(20, 120);
    if (dice.one_in(10, Switch::clocks)) step_["sla"] = "15s";
    if (dice.one_in(5, Switch::fallbacks)) {
      step_["fallback"] = action(dice.another(), "instead");
      step_["fallback"].as_object()["exec"] = json::array{"instead", "${{ self.error.type }}"};
    }
    if (dice.one_in(4)) step_["on_error"] = json::array{rule(dice.another(), step_.contains("fallback"))};
    if (dice.one_in(4)) step_["queue"] = "other";
    if (dice.one_in(5)) step_["priority"] = dice.up_to(9);
    if (dice.one_in(8)) step_["critical"] = true;
    Dice rounds = dice.another();
    if (dice.one_in(7, Switch::rounds)) {
      step_["repeat"] = {{"until", "self.result.done"}, {"max", 1 + rounds.up_to(3)}};
      if (rounds.one_in(2)) step_["repeat"].as_object()["delay"] = rounds.seconds(1, 10);
    }
    // Declared alike wherever they are used.
    Dice service = dice.another();
    if (service.one_in(10, Switch::services)) {
      step_["breaker"] = {{"name", "mirror"}, {"failures", 2}, {"recovery", "10s"}};
    } else if (service.one_in(10, Switch::services)) {
      step_["breaker"] = {{"name", "archive"}, {"failures", 3}, {"recovery", "30s"}, {"probes", 2}};
    } else if (service.one_in(6, Switch::services)) {
      step_["target"] = "nlp";
      if (http_) step_["http"] = {{"url", "/ask"}};
    }
    Dice cache = dice.another();
    if (cache.one_in(4, Switch::caches)) {
      step_["cache"] = {{"key", cache.one_of(std::array{"red", "green"})}, {"ttl", cache.seconds(10, 300)}};
      if (cache.one_in(3)) step_["cache"].as_object()["key"] = "${{ run.job_id }}";
    }
    Dice check = dice.another();
    if (dice.one_in(7, Switch::preflights)) {
      step_["preflight"] = action(check, "preflight");
      if (check.one_in(2) && step_.contains("target")) step_["preflight"] = true;
    }
  }

  void endings(Dice dice) {
    if (dice.one_in(4, Switch::cleanups)) {
      json::object cleanup = action(dice.another(), "cleanup");
      if (dice.one_in(4)) cleanup["on_shutdown"] = true;
      step_["cleanup"] = std::move(cleanup);
    }
    if (dice.one_in(5, Switch::compensations)) step_["compensate"] = action(dice.another(), "compensate");
  }

  Dice dice_;
  int number_;
  bool finally_;
  json::object step_;
  json::array needs_;
  std::string before_;  // one that surely has ended when this starts; "" = none
  bool mapped_ = false;
  bool attempts_ = true;
  bool http_ = false;
};

// Makes the step a switch between some of those behind it.
void make_switch(json::object& steps, int number, int count, Dice dice) {
  json::array targets;
  for (int after = number + 1; after < count; ++after) {
    const std::string name = fmt::format("s{}", after);
    const json::object& step = steps[name].as_object();
    const auto* rule = step.if_contains("trigger_rule");
    if (rule != nullptr && std::string_view(rule->as_string()).starts_with("one_")) continue;
    if (dice.one_in(2)) targets.emplace_back(name);
  }
  if (targets.empty()) return;
  json::array branches;
  for (const json::value& target : targets) {
    static constexpr std::array kConditions{"1 > 2", "2 > 1", "run.status == 'running'"};
    branches.push_back({{"when", dice.one_of(kConditions)}, {"goto", target}});
  }
  if (dice.one_in(2)) branches.push_back({{"else", targets[0]}});
  json::object step;
  const json::object& old = steps[fmt::format("s{}", number)].as_object();
  for (const char* kept : {"needs", "when", "trigger_rule"}) {
    if (const auto* value = old.if_contains(kept)) step[kept] = *value;
  }
  step["switch"] = std::move(branches);
  steps[fmt::format("s{}", number)] = std::move(step);
}

// The last step that names the number-th in its needs; "" = none.
std::string successor(const json::object& steps, int number, int count) {
  const std::string name = fmt::format("s{}", number);
  for (int after = count - 1; after > number; --after) {
    const std::string later = fmt::format("s{}", after);
    const json::value* needs = steps.at(later).as_object().if_contains("needs");
    if (needs != nullptr &&
        std::ranges::find(needs->as_array(), json::value(name)) != needs->as_array().end())
      return later;
  }
  return "";
}

json::object make_flow(Dice dice, const std::string& name, int most_steps) {
  json::object flow{{"name", name}};
  if (dice.one_in(6)) flow["fail_fast"] = true;
  if (dice.one_in(3, Switch::limits)) flow["max_parallel"] = 1 + dice.up_to(2);
  if (dice.one_in(10, Switch::limits)) flow["retry_budget"] = dice.up_to(4);
  if (dice.one_in(8, Switch::clocks)) flow["deadline"] = dice.seconds(20, 320);
  if (dice.one_in(8, Switch::clocks)) flow["sla"] = dice.seconds(10, 110);
  if (dice.one_in(4))
    flow["recovery"] = {{"auto", true}, {"max_attempts", 1 + dice.up_to(1)}, {"delay", "20s"}};
  if (dice.one_in(4)) flow["on_error"] = json::array{rule(dice.another(), false)};
  flow["targets"] = {
      {"nlp",
       {{"url", "http://nlp"}, {"health", "/health"}, {"breaker", {{"failures", 2}, {"recovery", "15s"}}}}}};
  const int count = 1 + dice.up_to(most_steps - 1);
  json::object steps;
  std::vector<Dice> later;
  for (int i = 0; i < count; ++i) {
    steps[fmt::format("s{}", i)] = StepMaker(dice.another(), i, false).make();
    later.push_back(dice.another());
  }
  for (int i = 0; i < count; ++i) {
    Dice& own = later[static_cast<std::size_t>(i)];
    if (own.one_in(6, Switch::branches)) make_switch(steps, i, count, own);
    // Moves a cleanup forward, to where a later step has ended.
    auto* cleanup = steps[fmt::format("s{}", i)].as_object().if_contains("cleanup");
    const std::string later_one = successor(steps, i, count);
    if (own.one_in(3) && cleanup != nullptr && !later_one.empty()) cleanup->as_object()["after"] = later_one;
  }
  flow["steps"] = std::move(steps);
  if (dice.one_in(3)) {
    json::object last;
    const int more = 1 + dice.up_to(1);
    for (int i = 0; i < more; ++i) last[fmt::format("f{}", i)] = StepMaker(dice.another(), i, true).make();
    flow["finally"] = std::move(last);
  }
  return flow;
}

}  // namespace

std::shared_ptr<const model::Workflow> random_flow(const Options& options, std::uint64_t number,
                                                   const std::string& name) {
  const Dice dice(options, stream(options.seed, Stream::flows, number));
  const std::string text = json::serialize(make_flow(dice, name, static_cast<int>(options.steps)));
  spec::ParseResult parsed = spec::parse_workflow(text);
  if (parsed.workflow == nullptr) {
    // A mistake of the maker.
    fmt::print(stderr, "a random definition is refused: {}\n{}\n", spec::to_error(parsed.diagnostics).message,
               text);
    std::abort();
  }
  return parsed.workflow;
}

}  // namespace baton::simulation
