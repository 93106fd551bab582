#include "api/remaining.hpp"

#include <algorithm>
#include <vector>

namespace baton::api {
namespace {

// What each step takes from its start to its end; empty: nothing is known.
std::vector<Duration> durations_of(const model::Workflow& workflow, const PastDurations& past) {
  std::vector<std::optional<Duration>> known;
  std::int64_t sum = 0;
  std::int64_t count = 0;
  for (const model::Step& step : workflow.steps) {
    std::optional<Duration> takes = step.estimate;
    if (const auto found = past.find(step.name); found != past.end()) takes = found->second;
    if (takes) {
      sum += takes->us / 1000;
      ++count;
    } else if (step.kind == model::StepKind::set || step.kind == model::StepKind::switch_) {
      takes = Duration{};
    }
    known.push_back(takes);
  }
  if (count == 0) return {};
  std::vector<Duration> all;
  all.reserve(known.size());
  for (const auto& takes : known) all.push_back(takes.value_or(Duration::millis(sum / count)));
  return all;
}

Duration left_of(const model::TaskRow& row, Duration takes, std::optional<WallTime> now) {
  if (model::is_terminal(row.status)) return {};
  const bool runs = row.status == model::TaskStatus::running || row.expanded;
  if (!runs || !now || row.started_at.us == 0) return takes;
  return std::max(takes - (*now - row.started_at), Duration{});
}

}  // namespace

PastDurations DurationStatistics::medians() && {
  PastDurations medians;
  for (auto& [step, took] : took_) {
    std::ranges::sort(took, {}, &Duration::us);
    medians.emplace(step, took[took.size() / 2]);
  }
  return medians;
}

std::optional<Duration> time_left(const model::Workflow& workflow, std::span<const model::TaskRow> rows,
                                  const PastDurations& past, std::optional<WallTime> now) {
  const std::vector<Duration> takes = durations_of(workflow, past);
  const std::size_t steps = workflow.steps.size();
  if (takes.empty() || rows.size() < steps) return std::nullopt;
  // In the order of the graph (Kahn): when each of them will have ended.
  std::vector<std::vector<Ordinal>> after(steps);
  std::vector<std::size_t> waits_for(steps);
  std::vector<Ordinal> ready;
  for (Ordinal i = 0; i < steps; ++i) {
    waits_for[i] = workflow.steps[i].needs.size();
    for (const Ordinal before : workflow.steps[i].needs) after[before].push_back(i);
    if (waits_for[i] == 0) ready.push_back(i);
  }
  std::vector<Duration> ends(steps);
  Duration main;
  Duration finally;
  Duration work;
  while (!ready.empty()) {
    const Ordinal i = ready.back();
    ready.pop_back();
    const Duration left = left_of(rows[i], takes[i], now);
    ends[i] = ends[i] + left;
    work = work + left;
    Duration& phase = workflow.steps[i].finally ? finally : main;
    phase = std::max(phase, ends[i]);
    for (const Ordinal next : after[i]) {
      ends[next] = std::max(ends[next], ends[i]);
      if (--waits_for[next] == 0) ready.push_back(next);
    }
  }
  Duration left = main + finally;
  if (workflow.max_parallel > 0) left = std::max(left, Duration{work.us / workflow.max_parallel});
  return left;
}

}  // namespace baton::api
