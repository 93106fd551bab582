#include "engine/explain_limits.hpp"

#include <algorithm>
#include <map>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "engine/limits.hpp"
#include "engine/rates.hpp"

namespace baton::engine {
namespace {

using model::Blocker;
using model::BlockerKind;
using model::Reason;

constexpr std::size_t kHoldersTold = 3;
constexpr std::size_t kHoldersNamed = 100;

std::string task_name(const Run& run, const Task& task) {
  std::string name = run.program->step(task.row.step).name;
  if (task.row.index >= 0) name += "[" + std::to_string(task.row.index) + "]";
  return name;
}

Reason limit_reason(const State& state, const Run& run, const Task& task, const Blocker& blocker) {
  const std::string shown = printable(blocker.name);
  Reason reason{.code = std::string(name(blocker.kind)), .subject = blocker.name};
  const auto& uses = flow_of(run, task).limits;
  const auto use = std::ranges::find(uses, blocker.name, &model::LimitUse::name);
  if (use == uses.end()) {
    reason.message = "waits for limit " + shown;
    return reason;
  }
  const std::uint32_t most = most_of(state, *use);
  const auto found = state.limits.find(blocker.name);
  const bool set = found != state.limits.end() && found->second.set;
  if (use->amount > most && !set) {
    reason.message = "it uses " + shown + ", and nobody has said how much of it there is (baton limits set " +
                     shown + " N)";
    return reason;
  }
  if (use->amount > most) {
    reason.message = "it wants " + std::to_string(use->amount) + " of " + shown +
                     ", and there is never more than " + std::to_string(most);
    return reason;
  }
  const std::uint64_t in_use = found == state.limits.end() ? 0 : found->second.in_use;
  reason.count = static_cast<std::uint32_t>(in_use);
  reason.message =
      std::to_string(in_use) + " of " + std::to_string(most) + " of limit " + shown + " are in use";
  if (use->amount > 1) reason.message += ", and it wants " + std::to_string(use->amount);
  if (found != state.limits.end() && in_use > 0) reason.message += held_by(state, found->second);
  if (in_use + use->amount <= most) reason.message += "; tasks that stand before it wait for the rest";
  return reason;
}

Reason rate_reason(const State& state, const Run& run, const Task& task, const Blocker& blocker,
                   const Moment& moment) {
  const auto& rules = run.program->step(task.row.step).flow;
  Reason reason{.code = std::string(name(blocker.kind)), .subject = blocker.name};
  reason.message = "rate " + printable(blocker.name);
  if (rules) {
    reason.message += " allows " + std::to_string(rules->rate.limit) +
                      (rules->rate.limit == 1 ? " start" : " starts") + " in " + to_string(rules->rate.per);
  }
  if (const auto rate = state.rates.find(blocker.name); rate != state.rates.end()) {
    if (rate->second.open) {
      reason.message += "; tasks that stand before it start first";
    } else {
      reason.until = moment.wall + (std::max(next_start(rate->second), moment.now) - moment.now);
    }
  }
  return reason;
}

}  // namespace

std::string held_by(const State& state, const Limit& limit) {
  std::string text;
  std::size_t told = 0;
  for (const auto& [key, amount] : limit.holders) {
    const Run* run = state.find(key.run);
    if (told >= kHoldersTold || run == nullptr) break;
    const std::string task =
        key.ordinal == kWholeRun ? "" : task_name(*run, run->tasks[key.ordinal]) + " of ";
    text += (told++ == 0 ? ", by " : ", ") + task + "run " + run->row.id.text();
  }
  if (const std::size_t others = limit.holders.size() - told; others > 0) {
    text += " and " + std::to_string(others) + (others == 1 ? " other" : " others");
  }
  return text;
}

bool is_of_flow(const Blocker& blocker) {
  return blocker.kind == BlockerKind::limit_full || blocker.kind == BlockerKind::limit_small ||
         blocker.kind == BlockerKind::rate_reached;
}

Reason flow_reason(const State& state, const Run& run, const Task& task, const Blocker& blocker,
                   const Moment& moment) {
  return blocker.kind == BlockerKind::rate_reached ? rate_reason(state, run, task, blocker, moment)
                                                   : limit_reason(state, run, task, blocker);
}

std::vector<model::LimitView> survey_limits(const State& state) {
  std::map<std::string, model::LimitView> views;
  for (const auto& [name, limit] : state.limits) {
    model::LimitView& view = views[name];
    if (limit.set) {
      view.limit = limit.set->limit;
      view.by = limit.set->by;
      view.why = limit.set->why;
      view.at = limit.set->at;
    }
    view.in_use = limit.in_use;
    for (const auto& [key, amount] : limit.holders) {
      const Run* run = state.find(key.run);
      if (view.holders.size() >= kHoldersNamed || run == nullptr) break;
      const bool whole = key.ordinal == kWholeRun;
      view.holders.push_back(
          {{run->row.id, key.ordinal}, whole ? "" : task_name(*run, run->tasks[key.ordinal]), amount});
    }
  }
  for (const auto& [blocker, line] : state.blocked) {
    if (blocker.kind == BlockerKind::limit_full || blocker.kind == BlockerKind::limit_small) {
      views[blocker.name].waiting += line.tasks.size();
    }
  }
  for (const auto& [name, runs] : state.waiting_runs) views[name].waiting += runs.size();
  std::vector<model::LimitView> answer;
  for (auto& [name, view] : views) {
    view.name = name;
    answer.push_back(std::move(view));
  }
  return answer;
}

}  // namespace baton::engine
