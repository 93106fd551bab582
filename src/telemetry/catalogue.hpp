// Every metric that Baton has: the one table from which the registry is made and which the reference page
// (docs/reference/metrics.md), the alert rules and the dashboard (packaging/) are held against.
//
// Labels are bounded: never an id. Those that people choose (workflow, step, queue …) are *open*: beyond
// kMostSeries combinations of one metric, further ones are counted under "other", and
// gauges of further ones are left out.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace baton::telemetry {

enum class Metric : std::uint8_t {
  runs_submitted,
  runs_ended,
  run_duration,
  runs,
  runs_set_aside,
  recoveries,
  recovered_runs_ended,
  sla_missed,
  alerts,
  tasks,
  tasks_held,
  tasks_queued,
  tasks_ended,
  task_attempts,
  task_fallbacks,
  tasks_cached,
  attempts_started,
  attempts_ended,
  attempt_duration,
  attempt_errors,
  retries,
  target_duration,
  dead_letters_made,
  dead_letters,
  resources_leaked,
  queue_tasks,
  queue_oldest,
  queue_paused,
  schedule_to_start,
  workers,
  worker_attempts,
  worker_slots,
  worker_cpu,
  worker_memory,
  breaker_state,
  breaker_opened,
  limit_used,
  limit,
  commands,
  mailbox,
  commit_duration,
  commit_rows,
  commits_refused,
  loop_lag,
  loop_turn,
  read_only,
  takes_runs,
  database_bytes,
  disk_free,
  disk_size,
  http_requests,
  http_duration,
  http_connections,
  http_refused,
  metrics_at_limit,
  build_info,
  process_cpu,
  process_start,
  process_resident,
  process_virtual,
  process_threads,
  process_open_fds,
  process_max_fds,
};
inline constexpr std::size_t kMetrics = static_cast<std::size_t>(Metric::process_max_fds) + 1;

enum class MetricKind : std::uint8_t { counter, gauge, histogram };
std::string_view name(MetricKind kind);  // as Prometheus calls it

inline constexpr std::size_t kMostLabels = 3;
inline constexpr std::size_t kMostSeries = 500;    // of one metric
inline constexpr std::size_t kLongestLabel = 128;  // bytes of a label's value; more is cut off

struct MetricInfo {
  Metric id;
  std::string_view name;
  MetricKind kind;
  std::array<std::string_view, kMostLabels> labels;  // "" behind the last one
  std::string_view help;
  std::span<const double> buckets;  // of a histogram: upper bounds, ascending, without +Inf

  std::size_t label_count() const;
};

std::span<const MetricInfo> catalogue();  // in the order of Metric
const MetricInfo& info(Metric metric);
// Whether there is one for the whole process; all others are each namespace's own.
constexpr bool is_of_process(Metric metric) {
  return metric == Metric::loop_lag || metric == Metric::loop_turn || metric >= Metric::takes_runs;
}
// Whether people choose the values of a label with this name.
bool is_open(std::string_view label);

}  // namespace baton::telemetry
