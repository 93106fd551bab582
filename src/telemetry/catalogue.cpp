#include "telemetry/catalogue.hpp"

#include <algorithm>

namespace baton::telemetry {
namespace {

constexpr auto counter = MetricKind::counter;
constexpr auto gauge = MetricKind::gauge;
constexpr auto histogram = MetricKind::histogram;

// Seconds that work takes: from a quick request to half a working day.
constexpr std::array kWork = {0.01, 0.05, 0.1,   0.5,   1.0,    5.0,    10.0,
                              30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0};
// Seconds that somebody waits for an answer.
constexpr std::array kAnswer = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0};
// Seconds of what the loop does: a commit takes about 0.0001.
constexpr std::array kQuick = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                               0.01,   0.025,   0.05,   0.1,   0.25,   1.0};
constexpr std::array kRows = {1.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 2500.0, 5000.0};
constexpr std::array kAttempts = {1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0};

// clang-format off
constexpr std::array kCatalogue = {
    MetricInfo{Metric::runs_submitted, "baton_runs_submitted_total", counter, {"workflow"}, "Runs that were accepted", {}},
    MetricInfo{Metric::runs_ended, "baton_runs_ended_total", counter, {"workflow", "status"}, "Runs that ended: completed, failed or cancelled", {}},
    MetricInfo{Metric::run_duration, "baton_run_duration_seconds", histogram, {"workflow", "status"}, "From a run's submission to its end", kWork},
    MetricInfo{Metric::runs, "baton_runs", gauge, {"status"}, "Runs that have not ended", {}},
    MetricInfo{Metric::runs_set_aside, "baton_runs_set_aside", gauge, {}, "Runs that cannot be read and are left as they are: damage", {}},
    MetricInfo{Metric::recoveries, "baton_recoveries_total", counter, {"workflow"}, "Recoveries of failed or cancelled runs that began", {}},
    MetricInfo{Metric::recovered_runs_ended, "baton_recovered_runs_ended_total", counter, {"workflow", "status"}, "Ends of runs that had been recovered: the recovery rate is completed / all", {}},
    MetricInfo{Metric::sla_missed, "baton_sla_missed_total", counter, {"workflow", "of"}, "Runs and tasks that took longer than their sla; of: run or task", {}},
    MetricInfo{Metric::alerts, "baton_alerts_total", counter, {"workflow", "severity"}, "Alerts that rules of on_error have raised", {}},
    MetricInfo{Metric::tasks, "baton_tasks", gauge, {"status"}, "Tasks of runs that have not ended; of a run that only waits in a queue, that one task may be all that counts", {}},
    MetricInfo{Metric::tasks_held, "baton_tasks_held", gauge, {}, "Tasks that wait for a person's decision", {}},
    MetricInfo{Metric::tasks_queued, "baton_tasks_queued_total", counter, {"queue"}, "Times that a task became ready for a worker, retries included", {}},
    MetricInfo{Metric::tasks_ended, "baton_tasks_ended_total", counter, {"workflow", "step", "status"}, "Tasks that ended: completed, failed, skipped or cancelled; the success rate of a step is completed / (completed + failed)", {}},
    MetricInfo{Metric::task_attempts, "baton_task_attempts", histogram, {"workflow", "status"}, "Attempts that tasks took until they completed or failed: the distribution of retries", kAttempts},
    MetricInfo{Metric::task_fallbacks, "baton_task_fallbacks_total", counter, {"workflow", "step"}, "Tasks that went on to their fallback", {}},
    MetricInfo{Metric::tasks_cached, "baton_tasks_cached_total", counter, {"workflow", "step"}, "Tasks that took the result of an earlier one", {}},
    MetricInfo{Metric::attempts_started, "baton_attempts_started_total", counter, {"queue"}, "Attempts that workers began", {}},
    MetricInfo{Metric::attempts_ended, "baton_attempts_ended_total", counter, {"workflow", "step", "outcome"}, "Attempts that ended: completed, failed, lost, interrupted, released or cancelled", {}},
    MetricInfo{Metric::attempt_duration, "baton_attempt_duration_seconds", histogram, {"workflow", "step"}, "How long attempts took", kWork},
    MetricInfo{Metric::attempt_errors, "baton_attempt_errors_total", counter, {"workflow", "step", "type"}, "Attempts that did not complete, by type of error", {}},
    MetricInfo{Metric::retries, "baton_retries_total", counter, {"workflow", "step"}, "Attempts that are tried again", {}},
    MetricInfo{Metric::target_duration, "baton_target_duration_seconds", histogram, {"target", "outcome"}, "How long attempts that use a target took", kWork},
    MetricInfo{Metric::dead_letters_made, "baton_dead_letters_made_total", counter, {"workflow"}, "Tasks that failed for good", {}},
    MetricInfo{Metric::dead_letters, "baton_dead_letters", gauge, {}, "Dead letters that are kept", {}},
    MetricInfo{Metric::resources_leaked, "baton_resources_leaked_total", counter, {"workflow"}, "Resources that could not be given back", {}},
    MetricInfo{Metric::queue_tasks, "baton_queue_tasks", gauge, {"queue", "state"}, "Tasks of a queue: waiting for a worker, held back by something else, pending because it is full, running", {}},
    MetricInfo{Metric::queue_oldest, "baton_queue_oldest_seconds", gauge, {"queue"}, "How long the task that has waited longest waits, of those that are next at each priority", {}},
    MetricInfo{Metric::queue_paused, "baton_queue_paused", gauge, {"queue"}, "1 while the queue is paused", {}},
    MetricInfo{Metric::schedule_to_start, "baton_schedule_to_start_seconds", histogram, {"queue"}, "From a task's readiness to the start of its first attempt", kWork},
    MetricInfo{Metric::workers, "baton_workers", gauge, {"status"}, "Workers that are known: idle, busy or away", {}},
    MetricInfo{Metric::worker_attempts, "baton_worker_attempts", gauge, {"worker"}, "Attempts that a worker carries out", {}},
    MetricInfo{Metric::worker_slots, "baton_worker_slots", gauge, {"worker"}, "Attempts that a worker carries out at most, if it says so: its utilization is attempts / slots", {}},
    MetricInfo{Metric::worker_cpu, "baton_worker_cpu_cores", gauge, {"worker"}, "Cores that a worker and the processes it has started keep busy, if it says so", {}},
    MetricInfo{Metric::worker_memory, "baton_worker_memory_bytes", gauge, {"worker"}, "Memory of a worker and the processes it has started, if it says so", {}},
    MetricInfo{Metric::breaker_state, "baton_breaker_state", gauge, {"breaker"}, "0 closed, 1 half-open, 2 open", {}},
    MetricInfo{Metric::breaker_opened, "baton_breaker_opened_total", counter, {"breaker"}, "How often a breaker has opened, ever", {}},
    MetricInfo{Metric::limit_used, "baton_limit_used", gauge, {"limit"}, "How much of a limit is in use", {}},
    MetricInfo{Metric::limit, "baton_limit", gauge, {"limit"}, "How much there is of it, where a person has said so", {}},
    MetricInfo{Metric::commands, "baton_commands_total", counter, {"command"}, "Commands that were decided", {}},
    MetricInfo{Metric::mailbox, "baton_mailbox_commands", gauge, {}, "Commands that wait to be decided", {}},
    MetricInfo{Metric::commit_duration, "baton_commit_duration_seconds", histogram, {}, "From a batch's decision to its commit", kQuick},
    MetricInfo{Metric::commit_rows, "baton_commit_rows", histogram, {}, "Rows of a commit", kRows},
    MetricInfo{Metric::commits_refused, "baton_commits_refused_total", counter, {}, "Commits that the store did not take: a full disk", {}},
    MetricInfo{Metric::loop_lag, "baton_loop_lag_seconds", histogram, {}, "From the moment at which there is something to decide to that decision's beginning", kQuick},
    MetricInfo{Metric::loop_turn, "baton_loop_turn_seconds", histogram, {}, "How long one turn of the loop takes", kQuick},
    MetricInfo{Metric::read_only, "baton_read_only", gauge, {}, "1 while nothing can be changed, because the store takes no writes", {}},
    MetricInfo{Metric::takes_runs, "baton_takes_runs", gauge, {}, "1 while new runs are taken, 0 while the disk is nearly full", {}},
    MetricInfo{Metric::database_bytes, "baton_database_bytes", gauge, {"file"}, "Size of the database and of its log; file: database or log", {}},
    MetricInfo{Metric::disk_free, "baton_disk_free_bytes", gauge, {}, "What is free for Baton on the data directory's file system", {}},
    MetricInfo{Metric::disk_size, "baton_disk_size_bytes", gauge, {}, "The size of that file system", {}},
    MetricInfo{Metric::http_requests, "baton_http_requests_total", counter, {"method", "route", "code"}, "Requests of the API that were answered", {}},
    MetricInfo{Metric::http_duration, "baton_http_request_duration_seconds", histogram, {"method", "route"}, "Until they were answered, streams and long polls left out", kAnswer},
    MetricInfo{Metric::http_connections, "baton_http_connections", gauge, {}, "Open connections of the API", {}},
    MetricInfo{Metric::http_refused, "baton_http_refused_total", counter, {}, "Requests that were refused before they reached a route: malformed, too large, too slow", {}},
    MetricInfo{Metric::metrics_at_limit, "baton_metrics_at_limit", gauge, {}, "Metrics that have as many combinations of labels as they may: further ones count under \"other\", or, of gauges, not at all", {}},
    MetricInfo{Metric::build_info, "baton_build_info", gauge, {"version"}, "Always 1", {}},
    MetricInfo{Metric::process_cpu, "process_cpu_seconds_total", counter, {}, "CPU time of this process, without those of tasks", {}},
    MetricInfo{Metric::process_start, "process_start_time_seconds", gauge, {}, "When this process began, in seconds since 1970", {}},
    MetricInfo{Metric::process_resident, "process_resident_memory_bytes", gauge, {}, "Memory of this process", {}},
    MetricInfo{Metric::process_virtual, "process_virtual_memory_bytes", gauge, {}, "Address space of this process", {}},
    MetricInfo{Metric::process_threads, "process_threads", gauge, {}, "Threads of this process", {}},
    MetricInfo{Metric::process_open_fds, "process_open_fds", gauge, {}, "Open file descriptors of this process", {}},
    MetricInfo{Metric::process_max_fds, "process_max_fds", gauge, {}, "How many it may have", {}},
};
// clang-format on

static_assert(kCatalogue.size() == kMetrics);
static_assert([] {
  for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
    if (static_cast<std::size_t>(kCatalogue[i].id) != i) return false;
    if ((kCatalogue[i].kind == histogram) == kCatalogue[i].buckets.empty()) return false;
  }
  return true;
}());

constexpr std::array<std::string_view, 8> kOpenLabels = {"workflow", "step",  "queue",  "target",
                                                         "breaker",  "limit", "worker", "type"};

}  // namespace

std::string_view name(MetricKind kind) {
  constexpr std::array<std::string_view, 3> kNames = {"counter", "gauge", "histogram"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::size_t MetricInfo::label_count() const {
  return static_cast<std::size_t>(std::ranges::find(labels, "") - labels.begin());
}

std::span<const MetricInfo> catalogue() {
  return kCatalogue;
}

const MetricInfo& info(Metric metric) {
  return kCatalogue[static_cast<std::size_t>(metric)];
}

bool is_open(std::string_view label) {
  return std::ranges::find(kOpenLabels, label) != kOpenLabels.end();
}

}  // namespace baton::telemetry
