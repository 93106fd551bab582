#include "engine/limits.hpp"

#include <algorithm>

#include "base/seeded_bug.hpp"
#include "base/text.hpp"
#include "engine/dispatch.hpp"
#include "engine/edits.hpp"
#include "engine/endings.hpp"
#include "engine/gates.hpp"
#include "engine/run_limits.hpp"

namespace baton::engine {
namespace {

using model::Blocker;
using model::BlockerKind;
using model::LimitUse;

constexpr std::size_t kLetPastAtOnce = 1000;
constexpr std::size_t kReasonLimit = 1000;  // bytes

const model::Flow kNothing{};

// Those that nothing is known of are not kept.
void forget_if_idle(State& state, const std::string& name) {
  const auto found = state.limits.find(name);
  if (found == state.limits.end()) return;
  const Limit& limit = found->second;
  if (!limit.set && limit.holders.empty() && limit.let_past.empty()) state.limits.erase(found);
}

const LimitUse* use_of(const Run& run, const Task& task, const std::string& name) {
  const auto& uses = flow_of(run, task).limits;
  const auto found = std::ranges::find(uses, name, &LimitUse::name);
  return found == uses.end() ? nullptr : &*found;
}

// Somebody stands before the task in its queue's line for this limit.
bool stands_behind(const State& state, const Task& task, const Blocker& blocker) {
  const auto line = state.blocked.find(blocker);
  return line != state.blocked.end() && line->second.tasks.begin()->first < place_of(state, task);
}

std::uint64_t promised(const Limit& limit, const std::string& queue) {
  const auto found = limit.let_past.find(queue);
  return found == limit.let_past.end() ? 0 : found->second;
}

// Whether the first of the line may go to its queue now.
bool may_pass(State& state, const Run& run, const Task& task, const Blocker& line) {
  const LimitUse* use = use_of(run, task, line.name);
  if (use == nullptr) return true;
  const std::uint64_t most = most_of(state, *use);
  // One that can never fit is judged anew where it stood.
  if (use->amount > most) return true;
  const auto limit = state.limits.find(line.name);
  const std::uint64_t taken =
      limit == state.limits.end() ? 0 : limit->second.in_use + promised(limit->second, line.line);
  return taken + use->amount <= most;
}

}  // namespace

const model::Flow& flow_of(const Run& run, const Task& task) {
  if (is_helper(task)) return kNothing;
  const auto& rules = run.program->step(task.row.step).flow;
  if (!rules) return kNothing;
  return rules->is_constant ? rules->flow : *task.row.flow;
}

std::uint32_t most_of(const State& state, const LimitUse& use) {
  const auto found = state.limits.find(use.name);
  return found != state.limits.end() && found->second.set ? found->second.set->limit : use.otherwise;
}

std::optional<Blocker> full_limit(const State& state, const Run& run, const Task& task) {
  for (const LimitUse& use : flow_of(run, task).limits) {
    const std::uint64_t most = most_of(state, use);
    if (use.amount > most) return Blocker::limit_small(use.name);
    const auto limit = state.limits.find(use.name);
    Blocker blocker = Blocker::limit_full(use.name, line_name(run, task));
    if ((limit != state.limits.end() && limit->second.in_use + use.amount > most) ||
        stands_behind(state, task, blocker)) {
      return blocker;
    }
  }
  return std::nullopt;
}

void take_limits(State& state, const Run& run, const Task& task) {
  for (const LimitUse& use : flow_of(run, task).limits) {
    Limit& limit = state.limits[use.name];
    limit.holders.emplace(task.row.key, use.amount);
    limit.in_use += use.amount;
  }
}

void give_limits_back(State& state, const Run& run, const Task& task) {
  if (seeded_bug(Bug::leak_a_semaphore) && task.row.stopping != model::Stopping::none) return;
  for (const LimitUse& use : flow_of(run, task).limits) give_back(state, use.name, task.row.key);
}

void give_back(State& state, const std::string& name, const TaskKey& holder) {
  const auto found = state.limits.find(name);
  if (found == state.limits.end()) return;
  const auto held = found->second.holders.find(holder);
  if (held == found->second.holders.end()) return;
  found->second.in_use -= held->second;
  found->second.holders.erase(held);
  let_past_limit(state, name);
  forget_if_idle(state, name);
}

bool let_past_limit(State& state, const std::string& name, std::size_t at_most) {
  bool some = false;
  auto at = state.blocked.lower_bound(Blocker::limit_full(name, ""));
  while (at != state.blocked.end() && at->first.kind == BlockerKind::limit_full && at->first.name == name) {
    Line& line = at->second;
    while (!line.tasks.empty()) {
      const TaskKey key = line.tasks.begin()->second;
      Run& run = *state.find(key.run);
      Task& task = run.tasks[key.ordinal];
      if (!may_pass(state, run, task, at->first)) break;
      if (at_most == 0) {
        if (some) want_dispatch(state);
        return true;
      }
      --at_most;
      some = true;
      line.tasks.erase(line.tasks.begin());
      task.line = nullptr;
      const LimitUse* use = use_of(run, task, name);
      if (use != nullptr && use->amount <= most_of(state, *use)) {
        state.limits[name].let_past[at->first.line] += use->amount;
        state.let_past[key] = {at->first, use->amount};
        task.let_past = true;
      }
      stand_again(state, run, task);
    }
    at = line.tasks.empty() ? state.blocked.erase(at) : std::next(at);
  }
  if (some) want_dispatch(state);
  return false;
}

void let_past_limit(State& state, const std::string& name) {
  want_entries(state, name);
  if (!let_past_limit(state, name, kLetPastAtOnce)) return;
  state.releasing.push_back(Blocker::limit_full(name, ""));
  state.work.push_back({WorkKind::release, {}, 0});
}

void break_limit_promise(State& state, const LetPast& promise) {
  Limit& limit = state.limits[promise.line.name];
  const auto open = limit.let_past.find(promise.line.line);
  open->second -= promise.amount;
  if (open->second == 0) limit.let_past.erase(open);
  let_past_limit(state, promise.line.name);
  forget_if_idle(state, promise.line.name);
}

Status set_limit(State& state, const model::SetLimit& command, const Moment& moment, Effects& effects) {
  const std::string& name = command.name;
  TRY_VOID(check_unchanged(state, model::limit_key(name), command.expected));
  const auto found = state.limits.find(name);
  if (!command.limit) {
    if (found == state.limits.end() || !found->second.set) {
      return fail(ErrorCode::not_found, "nobody has set a limit \"" + printable(name) + "\"");
    }
    found->second.set.reset();
    effects.erase(model::limit_key(name));
  } else {
    if (name.empty() || name.size() > model::kMaxFlowName || !is_utf8(name)) {
      return fail(ErrorCode::invalid_request,
                  "the name of a limit has 1 to " + std::to_string(model::kMaxFlowName) + " bytes of UTF-8");
    }
    Limit& limit = state.limits[name];
    limit.set = model::LimitRow{.name = name,
                                .limit = *command.limit,
                                .by = effects.actor(),
                                .why = std::string(utf8_prefix(command.reason, kReasonLimit)),
                                .at = moment.wall};
    effects.put(to_record(*limit.set));
  }
  release(state, Blocker::limit_small(name));
  let_past_limit(state, name);
  forget_if_idle(state, name);
  return {};
}

void load_limits(State& state) {
  for (const auto& [key, known] : state.records) {
    if (key.kind != model::RecordKind::limit || !known.record) continue;
    auto row = model::limit_of(*known.record);
    state.limits[key.key].set = row ? std::move(*row) : model::LimitRow{.name = key.key};
  }
}

}  // namespace baton::engine
