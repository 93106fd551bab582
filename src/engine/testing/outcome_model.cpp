#include "engine/testing/outcome_model.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>

#include "engine/testing/flow_builder.hpp"

namespace baton::engine::testing {
namespace {

using model::RunStatus;
using model::SkipReason;
using model::TaskStatus;
using Kind = PlannedStep::Kind;
using When = PlannedStep::When;
using Items = PlannedStep::Items;

constexpr std::uint32_t kLossesToQuarantine = 3;

bool one_in(Random& random, int n) {
  return random.up_to(n - 1) == 0;
}

Fate random_fate(Random& random) {
  Fate fate;
  if (one_in(random, 4)) fate.failures = static_cast<std::uint32_t>(random.up_to(3));
  if (one_in(random, 6)) fate.losses = static_cast<std::uint32_t>(random.up_to(3));
  fate.fallback_fails = one_in(random, 3);
  fate.rounds = 1 + static_cast<std::uint32_t>(random.up_to(3));
  return fate;
}

bool starts_early(model::TriggerRule rule) {
  return rule == model::TriggerRule::one_success || rule == model::TriggerRule::one_failed ||
         rule == model::TriggerRule::one_done;
}

PlannedStep random_step(Random& random, Ordinal first, Ordinal ordinal) {
  PlannedStep step;
  for (Ordinal before = first; before < ordinal; ++before) {
    if (one_in(random, 3)) step.needs.push_back(before);
  }
  if (!step.needs.empty() && one_in(random, 3)) {
    step.trigger_rule = static_cast<model::TriggerRule>(random.up_to(10));
  }
  // What has not ended yet cannot be read: how that goes is a matter of time.
  const bool reads = !step.needs.empty() && !starts_early(step.trigger_rule);
  switch (random.up_to(8)) {
    case 0:
      step.kind = Kind::set;
      break;
    case 1:
    case 2:
      step.kind = Kind::mapped;
      step.items = static_cast<Items>(random.up_to(1));
      if (one_in(random, 8)) step.items = Items::null;
      if (reads && one_in(random, 3)) step.items = Items::from_before;
      step.count = static_cast<std::uint32_t>(random.up_to(kMostItems));
      break;
    case 3:
      step.kind = Kind::choose;
      break;
    case 4: {
      constexpr std::array kWaits = {Kind::span, Kind::signal, Kind::approval, Kind::poll};
      step.kind = kWaits[static_cast<std::size_t>(random.up_to(3))];
      break;
    }
    default:
      break;
  }
  if (one_in(random, 4)) step.when = static_cast<When>(random.up_to(5));
  if (step.when == When::reads_before && !reads) step.when = When::yes;
  if (step.when == When::not_item_2 && step.kind != Kind::mapped) step.when = When::no;
  const bool works = step.kind == Kind::run || step.kind == Kind::mapped;
  step.broken_body = (works || step.kind == Kind::set) && one_in(random, 20);
  if (works && one_in(random, 5)) step.max_rounds = 1 + static_cast<std::uint32_t>(random.up_to(2));
  step.continue_on_error = one_in(random, 5);
  step.ignores_errors = one_in(random, 8);
  step.fallback = works && one_in(random, 4);
  if (step.kind == Kind::mapped && one_in(random, 3))
    step.max_failures = static_cast<std::uint32_t>(random.up_to(3));
  if (works) {
    step.cleanup = one_in(random, 3);
    step.compensate = one_in(random, 4);
  }
  if (one_in(random, 4)) step.ending_failures = static_cast<std::uint32_t>(random.up_to(kEndingAttempts));
  step.max_attempts = 1 + static_cast<std::uint32_t>(random.up_to(2));
  for (std::uint32_t i = 0; i < kMostItems; ++i) step.fates.push_back(random_fate(random));
  return step;
}

// Lets a switch go to some of the steps behind it, which need it from then on.
void add_branches(Random& random, std::vector<PlannedStep>& steps, Ordinal ordinal) {
  PlannedStep& choosing = steps[ordinal];
  const auto count = 1 + random.up_to(2);
  for (std::int64_t i = 0; i < count; ++i) {
    PlannedBranch branch;
    branch.when =
        one_in(random, 12) ? PlannedBranch::When::broken : static_cast<PlannedBranch::When>(random.up_to(1));
    if (i + 1 == count && one_in(random, 2)) branch.when = PlannedBranch::When::otherwise;
    for (Ordinal behind = ordinal + 1; behind < steps.size(); ++behind) {
      if (steps[behind].finally != choosing.finally || !one_in(random, 2)) continue;
      // It would start before the switch has chosen: definitions may not say so.
      if (starts_early(steps[behind].trigger_rule)) continue;
      branch.go_to.push_back(behind);
      std::vector<Ordinal>& needs = steps[behind].needs;
      needs.push_back(ordinal);
      std::ranges::sort(needs);
      needs.erase(std::ranges::unique(needs).begin(), needs.end());
    }
    choosing.branches.push_back(std::move(branch));
  }
}

std::string step_name(std::size_t i) {
  return "s" + std::to_string(i);
}

class Judge {
 public:
  explicit Judge(const Plan& plan) : plan_(plan) {}

  Expected judge() {
    bool finally_failed = false;
    for (const PlannedStep& step : plan_.steps) {
      out_.steps.push_back(end_of(step, static_cast<Ordinal>(out_.steps.size())));
      const ExpectedStep& end = out_.steps.back();
      if (end.status != TaskStatus::failed || step.continue_on_error || end.ignored) continue;
      (step.finally ? finally_failed : out_.main_failed) = true;
    }
    if (out_.main_failed || finally_failed) out_.status = RunStatus::failed;
    return std::move(out_);
  }

 private:
  bool is_bad(Ordinal ordinal) const {
    const ExpectedStep& end = out_.steps[ordinal];
    return (end.status == TaskStatus::failed && !plan_.steps[ordinal].continue_on_error && !end.ignored) ||
           end.skip_reason == SkipReason::upstream_failed;
  }
  // Why the step's trigger rule skips it; none: it starts.
  SkipReason skipped_by_rule(const PlannedStep& step) const {
    bool any_bad = false;
    bool any_skipped = false;
    bool any_good = false;
    for (const Ordinal before : step.needs) {
      const bool bad = is_bad(before);
      const bool skipped = !bad && out_.steps[before].status == TaskStatus::skipped;
      any_bad |= bad;
      any_skipped |= skipped;
      any_good |= !bad && !skipped;
    }
    if (step.needs.empty()) return SkipReason::none;
    using Rule = model::TriggerRule;
    const SkipReason blame = any_bad ? SkipReason::upstream_failed : SkipReason::upstream_skipped;
    const auto unless = [](bool holds, SkipReason reason) { return holds ? SkipReason::none : reason; };
    switch (step.trigger_rule) {
      case Rule::none_failed:
        return unless(!any_bad, blame);
      case Rule::all_success:
        return unless(!any_bad && !any_skipped, blame);
      case Rule::one_success:
        return unless(any_good, blame);
      case Rule::none_failed_min_one_success:
        return unless(!any_bad && any_good, blame);
      case Rule::one_done:
        return unless(any_good || any_bad, SkipReason::upstream_skipped);
      case Rule::none_skipped:
        return unless(!any_skipped, SkipReason::upstream_skipped);
      case Rule::all_failed:
        return unless(!any_good && !any_skipped, SkipReason::trigger_rule);
      case Rule::all_skipped:
        return unless(!any_good && !any_bad, SkipReason::trigger_rule);
      case Rule::one_failed:
        return unless(any_bad, SkipReason::trigger_rule);
      case Rule::all_done:
      case Rule::always:
        return SkipReason::none;
    }
    return SkipReason::none;
  }
  // Whether the first step before this one has the planned result: a mapped one has a list, others null.
  bool can_read_before(const PlannedStep& step) const {
    const Kind kind = plan_.steps[step.needs[0]].kind;
    return (kind == Kind::run || kind == Kind::set || kind == Kind::poll) &&
           out_.steps[step.needs[0]].status == TaskStatus::completed;
  }

  // The number of the branch that is taken; none: an error, or no branch.
  static std::optional<std::size_t> choice(const PlannedStep& step) {
    for (std::size_t i = 0; i < step.branches.size(); ++i) {
      if (step.branches[i].when == PlannedBranch::When::broken) return {};
      if (step.branches[i].when != PlannedBranch::When::no) return i;
    }
    return {};
  }
  static bool is_broken(const PlannedStep& choosing) {
    const auto first = std::ranges::find_if(choosing.branches, [](const PlannedBranch& branch) {
      return branch.when != PlannedBranch::When::no;
    });
    return first != choosing.branches.end() && first->when == PlannedBranch::When::broken;
  }
  static bool goes_to(const PlannedBranch& branch, Ordinal step) {
    return std::ranges::find(branch.go_to, step) != branch.go_to.end();
  }
  bool is_off_branch(const PlannedStep& step, Ordinal ordinal) const {
    std::size_t switches = 0;
    for (const Ordinal before : step.needs) {
      const PlannedStep& choosing = plan_.steps[before];
      if (std::ranges::none_of(choosing.branches, [&](const auto& b) { return goes_to(b, ordinal); }))
        continue;
      ++switches;
      if (is_bad(before)) return false;
      const auto chosen = choice(choosing);
      const bool completed = out_.steps[before].status == TaskStatus::completed;
      if (completed && chosen && goes_to(choosing.branches[*chosen], ordinal)) return false;
    }
    if (switches > 0) return true;
    using Rule = model::TriggerRule;
    if (step.trigger_rule == Rule::always || step.trigger_rule == Rule::all_done ||
        step.trigger_rule == Rule::all_skipped)
      return false;
    return !step.needs.empty() && std::ranges::all_of(step.needs, [&](Ordinal before) {
      return out_.steps[before].skip_reason == SkipReason::branch;
    });
  }

  ExpectedStep end_of(const PlannedStep& step, Ordinal ordinal) const {
    const ExpectedStep broken = broken_end(step);
    if (is_off_branch(step, ordinal))
      return {.status = TaskStatus::skipped, .skip_reason = SkipReason::branch};
    if (const SkipReason reason = skipped_by_rule(step); reason != SkipReason::none) {
      return {.status = TaskStatus::skipped, .skip_reason = reason};
    }
    if (step.when == When::broken) return broken;
    if (step.when == When::reads_before && !can_read_before(step)) return broken;
    if (step.when == When::no) return {.status = TaskStatus::skipped, .skip_reason = SkipReason::when};
    if (step.kind == Kind::mapped) return end_of_items(step);
    if (step.broken_body) return broken;
    if (step.kind == Kind::set || step.kind == Kind::span || step.kind == Kind::signal)
      return {.status = TaskStatus::completed};
    if (step.kind == Kind::choose)
      return is_broken(step) ? broken : ExpectedStep{.status = TaskStatus::completed};
    if (step.kind == Kind::approval && step.fates[0].failures == 0) return {.status = TaskStatus::completed};
    if (step.kind == Kind::approval)
      return {.status = TaskStatus::failed, .error_type = "rejected", .ignored = step.ignores_errors};
    return end_of_attempts(step, step.fates[0]);
  }

  static ExpectedStep broken_end(const PlannedStep& step) {
    return {.status = TaskStatus::failed, .error_type = "expression", .ignored = step.ignores_errors};
  }

  static ExpectedStep end_of_attempts(const PlannedStep& step, const Fate& fate) {
    ExpectedStep end{.status = TaskStatus::completed};
    if (fate.losses >= kLossesToQuarantine) {
      end = {.status = TaskStatus::failed, .error_type = "quarantined"};
    } else if (step.kind != Kind::poll && fate.failures >= (step.ignores_errors ? 1 : step.max_attempts)) {
      end = {.status = TaskStatus::failed, .error_type = "exit"};
    } else if (step.max_rounds > 0 && fate.rounds > step.max_rounds) {
      end = {.status = TaskStatus::failed, .error_type = "unsatisfied"};
    } else {
      return end;
    }
    end.ignored = step.ignores_errors;
    if (step.fallback && !step.ignores_errors && !fate.fallback_fails)
      return {.status = TaskStatus::completed};
    return end;
  }

  ExpectedStep end_of_items(const PlannedStep& step) const {
    const ExpectedStep broken = broken_end(step);
    if (step.items == Items::null || (step.items == Items::from_before && !can_read_before(step)))
      return broken;
    ExpectedStep end{.status = TaskStatus::completed};
    const std::uint32_t count = step.items == Items::from_before ? 3 : step.count;
    std::uint32_t failures = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (step.when == When::not_item_2 && step.items == Items::list && i == 2) {
        end.items.push_back(TaskStatus::skipped);
        continue;
      }
      const ExpectedStep item = step.broken_body ? broken : end_of_attempts(step, step.fates[i]);
      end.items.push_back(item.status);
      failures += item.status == TaskStatus::failed && !item.ignored;
    }
    if (failures > step.max_failures) end.status = TaskStatus::failed;
    return end;
  }

  const Plan& plan_;
  Expected out_;
};

}  // namespace

Plan Plan::random(Random& random) {
  Plan plan;
  plan.fail_fast = one_in(random, 8);
  if (one_in(random, 3)) plan.max_parallel = 1 + static_cast<std::uint32_t>(random.up_to(2));
  const auto main = static_cast<Ordinal>(1 + random.up_to(6));
  const auto all = main + static_cast<Ordinal>(one_in(random, 3) ? 1 + random.up_to(1) : 0);
  for (Ordinal i = 0; i < all; ++i) {
    plan.steps.push_back(random_step(random, i < main ? 0 : main, i));
    plan.steps.back().finally = i >= main;
    plan.step_parallel.push_back(one_in(random, 2) ? 1 + static_cast<std::uint32_t>(random.up_to(1)) : 0);
  }
  for (Ordinal i = 0; i < all; ++i) {
    if (plan.steps[i].kind == Kind::choose) add_branches(random, plan.steps, i);
  }
  return plan;
}

std::shared_ptr<const model::Workflow> Plan::workflow(const std::string& name) const {
  FlowBuilder flow(name);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const PlannedStep& step = steps[i];
    const std::string before = step.needs.empty() ? "" : step_name(step.needs[0]);
    if (step.kind == Kind::choose) {
      std::vector<std::pair<std::string, std::vector<Ordinal>>> branches;
      constexpr std::array kConditions = {"1 < 2", "1 > 2", "inputs.missing", ""};
      for (const PlannedBranch& branch : step.branches)
        branches.emplace_back(kConditions[static_cast<std::size_t>(branch.when)], branch.go_to);
      flow.choose(step_name(i), std::move(branches));
    } else if (step.kind == Kind::span) {
      flow.wait(step_name(i), {.what = model::Wait::For::span}, "2s");
    } else if (step.kind == Kind::signal) {
      flow.wait(step_name(i), {.what = model::Wait::For::signal}, boost::json::string(kSignal));
    } else if (step.kind == Kind::approval) {
      flow.wait(step_name(i), {.what = model::Wait::For::approval}, "Go on?");
    } else if (step.kind == Kind::poll) {
      flow.poll(step_name(i), Duration::seconds(1));
    } else if (step.kind == Kind::set) {
      boost::json::value values = boost::json::parse(kPlannedResult);
      if (step.broken_body) values.as_object()["x"] = "${{ 1 / 0 }}";
      flow.set(step_name(i), std::move(values));
    } else {
      flow.run(step_name(i));
      if (step.broken_body) flow.with("${{ 1 / 0 }}");
    }
    flow.needs(step.needs).attempts(step.max_attempts).queue(i % 2 == 0 ? "default" : "other");
    if (step.max_rounds > 0)
      flow.repeat("self.result.done", step.max_rounds, Duration::millis(i % 2 == 0 ? 0 : 500));
    if (step.continue_on_error) flow.continue_on_error();
    if (step.ignores_errors) flow.on_error({.action = model::ErrorAction::ignore});
    if (step.fallback) flow.fallback(i % 2 == 0 ? "" : "${{ self.error.type }}");
    if (step.max_failures > 0) flow.max_failures({.value = step.max_failures});
    flow.trigger_rule(step.trigger_rule);
    if (step.finally) flow.finally();
    if (step.cleanup && !step.finally) flow.cleanup("clean", "${{ self.result }}");
    if (step.compensate && !step.finally) flow.compensate("undo", "${{ self.status }}");
    switch (step.when) {
      case When::none:
        break;
      case When::yes:
        flow.when("1 < 2");
        break;
      case When::no:
        flow.when("run.id == ''");
        break;
      case When::broken:
        flow.when("inputs.missing");
        break;
      case When::reads_before:
        flow.when("steps." + before + ".result.n == 1");
        break;
      case When::not_item_2:
        flow.when("item != 2");
        break;
    }
    if (step.kind != Kind::mapped) continue;
    if (!step.broken_body) flow.with("${{ item }}");
    boost::json::array list;
    boost::json::object map;
    for (std::uint32_t n = 0; n < step.count; ++n) {
      list.emplace_back(n);
      map.emplace("k" + std::to_string(n), n);
    }
    switch (step.items) {
      case Items::list:
        flow.for_each(std::move(list), step_parallel[i]);
        break;
      case Items::map:
        flow.for_each(std::move(map), step_parallel[i]);
        break;
      case Items::null:
        flow.for_each("${{ null }}", step_parallel[i]);
        break;
      case Items::from_before:
        flow.for_each(boost::json::string("${{ steps." + before + ".result.list }}"), step_parallel[i]);
        break;
    }
  }
  if (fail_fast) flow.fail_fast();
  return flow.max_parallel(max_parallel).done();
}

Expected expect(const Plan& plan) {
  return Judge(plan).judge();
}

}  // namespace baton::engine::testing
