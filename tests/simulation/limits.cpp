#include "limits.hpp"

#include <fmt/format.h>

namespace baton::simulation {
namespace {

namespace json = boost::json;

constexpr std::uint32_t kGpus = 2;
constexpr std::uint32_t kLicences = 1;

}  // namespace

void add_limits(json::object& step, engine::Random& random) {
  const auto one_in = [&](int n) { return random.up_to(n - 1) == 0; };
  // Drawn whether they are used or not.
  const bool gpu = one_in(5);
  const bool licence = one_in(8);
  const bool lock = one_in(8);
  const bool rate = one_in(8);
  const bool turns = one_in(4);
  const auto gpus = 1 + random.up_to(1);
  json::object uses;
  if (gpu) uses["gpu"] = gpus;
  if (licence) uses["licence"] = 1;
  if (!uses.empty()) step["uses"] = std::move(uses);
  if (lock) step["concurrency"] = {{"key", "lock"}, {"limit", 1}};
  if (rate) step["rate_limit"] = {{"limit", 2}, {"per", "10s"}, {"key", "calls"}};
  if (turns) step["fair_key"] = "${{ run.job_id }}";
}

std::vector<model::SetLimit> limits_that_are_set() {
  return {{"gpu", kGpus, "as many as there are"}, {"licence", kLicences, "as many as there are"}};
}

void LimitsCheck::committed(RunKey run, const model::Workflow& workflow, const model::Fact& fact) {
  const TaskKey task{run, fact.task};
  switch (fact.kind) {
    case model::FactKind::task_added:
      helpers_.insert(task);
      break;
    case model::FactKind::attempt_started:
      if (!helpers_.contains(task)) starts(task, workflow.steps[fact.step], fact);
      break;
    case model::FactKind::attempt_ended:
      for (auto& [name, holders] : held_) holders.erase(task);
      break;
    default:
      break;
  }
}

// A commit's facts stand in the journal run by run: what one run gives back may stand behind what another one
// took of it. So sums are looked at when all of them are known.
void LimitsCheck::look() {
  for (const auto& [name, most] : taken_) {
    std::uint64_t sum = 0;
    for (const auto& [holder, amount] : held_[name]) sum += amount;
    if (sum == most) diary_.hit("limit: all of " + name);
    if (sum > most) diary_.wrong("I8", fmt::format("{} of {} of limit {} are in use", sum, most, name));
  }
  taken_.clear();
}

void LimitsCheck::starts(const TaskKey& task, const model::Step& step, const model::Fact& fact) {
  if (!step.flow) return;
  for (const model::LimitUse& use : step.flow->flow.limits) {
    std::uint64_t most = use.otherwise;
    for (const model::SetLimit& set : limits_that_are_set()) {
      if (set.name == use.name) most = *set.limit;
    }
    held_[use.name][task] = use.amount;
    taken_[use.name] = most;
    diary_.hit("limit: " + use.name);
  }
  const std::string& rate = step.flow->flow.rate;
  if (rate.empty()) return;
  diary_.hit("rate: " + rate);
  const model::RateRule& rule = step.flow->rate;
  auto& last = starts_[rate];
  last.push_back(fact.at);
  // One more than may start in the span: the first of them must be a whole span earlier.
  const std::size_t allowed = rule.limit + rule.burst - 1;
  if (last.size() <= allowed) return;
  if (steady_clock_ && fact.at - last.front() < rule.per) {
    diary_.wrong("I8", fmt::format("{} starts of rate {} in {} s", last.size(), rate,
                                   (fact.at - last.front()).as_seconds()));
  }
  last.pop_front();
}

}  // namespace baton::simulation
