#include "engine/rates.hpp"

#include <algorithm>

#include "base/seeded_bug.hpp"
#include "engine/dispatch.hpp"
#include "engine/gates.hpp"
#include "engine/limits.hpp"

namespace baton::engine {
namespace {

using model::Blocker;
using model::BlockerKind;

constexpr std::int64_t kNanos = 1000;  // of a microsecond
constexpr std::size_t kLookedAt = 2;   // rates looked at for each use, whether they are used up still

void disarm(State& state, Rate& rate) {
  if (!rate.timer) return;
  state.timers.erase({*rate.timer, TimerKind::rate, {}, rate.row.name});
  rate.timer.reset();
}

void arm(State& state, Rate& rate, ShardTime at) {
  disarm(state, rate);
  rate.timer = at;
  state.timers.insert({at, TimerKind::rate, {}, rate.row.name});
}

// How many starts are possible at once.
std::uint64_t starts_now(const model::RateRow& row, ShardTime now) {
  const std::int64_t ahead = std::max<std::int64_t>(row.used_until - now.us * kNanos, 0);
  const std::int64_t allowed = (std::int64_t{row.burst} - 1) * row.interval - ahead;
  return allowed < 0 ? 0 : static_cast<std::uint64_t>(allowed / row.interval) + 1;
}

bool has_line(const State& state, const std::string& name) {
  const auto at = state.blocked.lower_bound(Blocker::rate_reached(name, ""));
  return at != state.blocked.end() && at->first.kind == BlockerKind::rate_reached && at->first.name == name;
}

// Open, with the first ones of each line on their way; or closed, with a timer for its opening.
void follow(State& state, Rate& rate, ShardTime now) {
  const std::uint64_t starts = starts_now(rate.row, now);
  rate.open = starts > 0;
  disarm(state, rate);
  if (!rate.open) return arm(state, rate, next_start(rate));
  const std::string& name = rate.row.name;
  bool some = false;
  auto at = state.blocked.lower_bound(Blocker::rate_reached(name, ""));
  while (at != state.blocked.end() && at->first.kind == BlockerKind::rate_reached && at->first.name == name) {
    Line& line = at->second;
    while (!line.tasks.empty()) {
      std::uint64_t& promised = rate.let_past[at->first.line];
      if (promised >= starts) break;
      ++promised;
      some = true;
      const TaskKey key = line.tasks.begin()->second;
      Run& run = *state.find(key.run);
      Task& task = run.tasks[key.ordinal];
      line.tasks.erase(line.tasks.begin());
      task.line = nullptr;
      state.let_past[key] = {at->first, 1};
      task.let_past = true;
      stand_again(state, run, task);
    }
    at = line.tasks.empty() ? state.blocked.erase(at) : std::next(at);
  }
  if (some) want_dispatch(state);
}

// Takes away some of those that are as good as unknown, so that there are never many of them.
void tidy(State& state, ShardTime now, Effects& effects) {
  for (std::size_t i = 0; i < kLookedAt && !state.rates.empty(); ++i) {
    auto at = state.rates.upper_bound(state.rates_seen);
    if (at == state.rates.end()) at = state.rates.begin();
    state.rates_seen = at->first;
    const Rate& rate = at->second;
    if (rate.row.used_until > now.us * kNanos || rate.timer || !rate.let_past.empty() ||
        has_line(state, at->first)) {
      continue;
    }
    effects.erase(model::rate_key(at->first));
    state.rates.erase(at);
  }
}

}  // namespace

std::optional<Blocker> reached_rate(const State& state, const Run& run, const Task& task) {
  const std::string& name = flow_of(run, task).rate;
  if (name.empty()) return std::nullopt;
  const auto rate = state.rates.find(name);
  if (rate == state.rates.end()) return std::nullopt;
  Blocker blocker = Blocker::rate_reached(name, line_name(run, task));
  if (!rate->second.open) return blocker;
  const auto line = state.blocked.find(blocker);
  if (line == state.blocked.end() || place_of(state, task) <= line->second.tasks.begin()->first)
    return std::nullopt;
  return blocker;
}

ShardTime next_start(const Rate& rate) {
  const std::int64_t at = rate.row.used_until - (std::int64_t{rate.row.burst} - 1) * rate.row.interval;
  return {at <= 0 ? 0 : (at + kNanos - 1) / kNanos};
}

void use_rate(State& state, const Run& run, const Task& task, const Moment& moment, Effects& effects) {
  const std::string& name = flow_of(run, task).rate;
  if (name.empty()) return;
  const model::RateRule& rule = run.program->step(task.row.step).flow->rate;
  Rate& rate = state.rates[name];
  model::RateRow& row = rate.row;
  row.name = name;
  row.burst = rule.burst;
  // Rounded up, so that there is never one too many.
  row.interval = (rule.per.us * kNanos + rule.limit - 1) / rule.limit;
  row.used_until = std::max(row.used_until, moment.now.us * kNanos) + row.interval;
  effects.put(to_record(row));
  follow(state, rate, moment.now);
  tidy(state, moment.now, effects);
}

void rate_due(State& state, const std::string& name, const Moment& moment) {
  const auto found = state.rates.find(name);
  if (found == state.rates.end()) return;
  found->second.timer.reset();
  follow(state, found->second, moment.now);
}

void break_rate_promise(State& state, const Blocker& line) {
  Rate& rate = state.rates[line.name];
  const auto open = rate.let_past.find(line.line);
  if (--open->second == 0) rate.let_past.erase(open);
  // The next one may have its turn, at once.
  if (rate.open && !rate.timer && has_line(state, line.name)) arm(state, rate, {});
}

void load_rates(State& state, const Moment& moment) {
  if (seeded_bug(Bug::forget_rate_on_reload)) return;
  for (const auto& [key, known] : state.records) {
    if (key.kind != model::RecordKind::rate || !known.record) continue;
    auto row = model::rate_of(*known.record);
    if (!row) continue;
    Rate& rate = state.rates[key.key];
    rate.row = std::move(*row);
    follow(state, rate, moment.now);
  }
}

}  // namespace baton::engine
