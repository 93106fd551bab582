// GET /metrics: everything of all namespaces in Prometheus' text format. GET /api/v1/metrics: the figures of
// one namespace that people ask for first, as JSON.
#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include "api/handlers.hpp"

namespace baton::api {
namespace {

using telemetry::Metric;
using telemetry::Sample;
using Samples = std::vector<Sample>;

// Sums by one label, or by two.
using Sums = std::map<std::string, double>;

Sums sums(const Samples& samples, Metric metric, std::size_t label) {
  Sums sums;
  for (const Sample& sample : samples) {
    if (sample.metric == metric) sums[sample.labels[label]] += sample.value;
  }
  return sums;
}

double total(const Samples& samples, Metric metric) {
  double sum = 0;
  for (const Sample& sample : samples) sum += sample.metric == metric ? sample.value : 0;
  return sum;
}

double of(const Sums& sums, const std::string& name) {
  const auto found = sums.find(name);
  return found == sums.end() ? 0 : found->second;
}

void write_count(double count, JsonText& out) {
  out.integer(static_cast<std::int64_t>(count));
}

// Null while there is nothing to say.
void write_ratio(double part, double whole, JsonText& out) {
  if (whole > 0) {
    out.number(part / whole);
  } else {
    out.null();
  }
}

struct Timing {
  std::uint64_t count = 0;
  double seconds = 0;

  void add(const Sample& sample) {
    count += sample.count;
    seconds += sample.value;
  }
  void write(JsonText& out) const {
    out.key("count").integer(static_cast<std::int64_t>(count));
    out.key("average_duration");
    write_ratio(seconds, static_cast<double>(count), out);
  }
};

void write_open(const Samples& samples, Metric metric, JsonText& out) {
  out.key("open").begin_object();
  for (const auto& [status, count] : sums(samples, metric, 0)) {
    out.key(status);
    write_count(count, out);
  }
  out.end_object();
}

void write_runs(const Samples& samples, JsonText& out) {
  const Sums ended = sums(samples, Metric::runs_ended, 1);
  Timing timing;
  for (const Sample& sample : samples) {
    if (sample.metric == Metric::run_duration) timing.add(sample);
  }
  out.key("runs").begin_object();
  out.key("submitted");
  write_count(total(samples, Metric::runs_submitted), out);
  for (const char* status : {"completed", "failed", "cancelled"}) {
    out.key(status);
    write_count(of(ended, status), out);
  }
  out.key("success_rate");
  write_ratio(of(ended, "completed"), of(ended, "completed") + of(ended, "failed"), out);
  timing.write(out);
  out.key("set_aside");
  write_count(total(samples, Metric::runs_set_aside), out);
  write_open(samples, Metric::runs, out);
  out.end_object();
}

// How many tasks took how many attempts: at most so many, and more than the one before.
void write_attempts(const Samples& samples, JsonText& out) {
  const auto bounds = info(Metric::task_attempts).buckets;
  std::vector<std::uint64_t> up_to(bounds.size());
  std::uint64_t all = 0;
  for (const Sample& sample : samples) {
    if (sample.metric != Metric::task_attempts) continue;
    for (std::size_t i = 0; i < up_to.size(); ++i) up_to[i] += sample.buckets[i];
    all += sample.count;
  }
  out.key("attempts").begin_array();
  for (std::size_t i = 0; i <= up_to.size(); ++i) {
    out.begin_object().key("up_to");
    if (i < up_to.size()) {
      write_count(bounds[i], out);
    } else {
      out.null();
    }
    const std::uint64_t here = (i < up_to.size() ? up_to[i] : all) - (i > 0 ? up_to[i - 1] : 0);
    out.key("tasks").integer(static_cast<std::int64_t>(here)).end_object();
  }
  out.end_array();
}

void write_tasks(const Samples& samples, JsonText& out) {
  const Sums ended = sums(samples, Metric::tasks_ended, 2);
  out.key("tasks").begin_object();
  for (const char* status : {"completed", "failed", "skipped", "cancelled"}) {
    out.key(status);
    write_count(of(ended, status), out);
  }
  out.key("success_rate");
  write_ratio(of(ended, "completed"), of(ended, "completed") + of(ended, "failed"), out);
  out.key("retries");
  write_count(total(samples, Metric::retries), out);
  write_attempts(samples, out);
  out.key("held");
  write_count(total(samples, Metric::tasks_held), out);
  out.key("dead_letters");
  write_count(total(samples, Metric::dead_letters), out);
  write_open(samples, Metric::tasks, out);
  out.end_object();
}

void write_recoveries(const Samples& samples, JsonText& out) {
  const Sums ended = sums(samples, Metric::recovered_runs_ended, 1);
  out.key("recoveries").begin_object();
  out.key("begun");
  write_count(total(samples, Metric::recoveries), out);
  for (const char* status : {"completed", "failed", "cancelled"}) {
    out.key(status);
    write_count(of(ended, status), out);
  }
  out.key("success_rate");
  write_ratio(of(ended, "completed"), of(ended, "completed") + of(ended, "failed"), out);
  out.end_object();
}

void write_steps(const Samples& samples, JsonText& out) {
  struct Step {
    Sums ended;
    Timing timing;
  };
  std::map<std::pair<std::string, std::string>, Step> steps;
  for (const Sample& sample : samples) {
    if (sample.metric == Metric::tasks_ended) {
      steps[{sample.labels[0], sample.labels[1]}].ended[sample.labels[2]] += sample.value;
    } else if (sample.metric == Metric::attempt_duration) {
      steps[{sample.labels[0], sample.labels[1]}].timing.add(sample);
    }
  }
  out.key("steps").begin_array();
  for (const auto& [name, step] : steps) {
    out.begin_object();
    out.key("workflow").string(name.first);
    out.key("step").string(name.second);
    for (const char* status : {"completed", "failed", "skipped", "cancelled"}) {
      out.key(status);
      write_count(of(step.ended, status), out);
    }
    out.key("success_rate");
    write_ratio(of(step.ended, "completed"), of(step.ended, "completed") + of(step.ended, "failed"), out);
    step.timing.write(out);
    out.end_object();
  }
  out.end_array();
}

void write_targets(const Samples& samples, JsonText& out) {
  std::map<std::string, Timing> targets;
  for (const Sample& sample : samples) {
    if (sample.metric == Metric::target_duration) targets[sample.labels[0]].add(sample);
  }
  out.key("targets").begin_array();
  for (const auto& [name, timing] : targets) {
    out.begin_object().key("target").string(name);
    timing.write(out);
    out.end_object();
  }
  out.end_array();
}

void write_breakers(const Samples& samples, JsonText& out) {
  constexpr std::array kStates = {"closed", "half_open", "open"};
  const Sums opened = sums(samples, Metric::breaker_opened, 0);
  out.key("breakers").begin_array();
  for (const auto& [name, state] : sums(samples, Metric::breaker_state, 0)) {
    out.begin_object().key("breaker").string(name);
    out.key("state").string(kStates.at(static_cast<std::size_t>(state)));
    out.key("times_opened");
    write_count(of(opened, name), out);
    out.end_object();
  }
  out.end_array();
}

void write_queues(const Samples& samples, JsonText& out) {
  std::map<std::string, Sums> queues;
  for (const Sample& sample : samples) {
    if (sample.metric == Metric::queue_tasks) queues[sample.labels[0]][sample.labels[1]] = sample.value;
  }
  const Sums oldest = sums(samples, Metric::queue_oldest, 0);
  out.key("queues").begin_array();
  for (const auto& [name, tasks] : queues) {
    out.begin_object().key("queue").string(name);
    for (const auto& [state, count] : tasks) {
      out.key(state);
      write_count(count, out);
    }
    out.key("oldest").number(of(oldest, name));
    out.end_object();
  }
  out.end_array();
}

// As seed 003 §5.2 names them; durations in milliseconds there. Steps of one name in several workflows count
// together.
std::string seed_summary(const Samples& samples) {
  const Sums ended = sums(samples, Metric::runs_ended, 1);
  std::map<std::string, Timing> steps;
  for (const Sample& sample : samples) {
    if (sample.metric == Metric::attempt_duration) steps[sample.labels[1]].add(sample);
  }
  JsonText out;
  out.begin_object();
  out.key("total_workflows");
  write_count(of(ended, "completed") + of(ended, "failed") + of(ended, "cancelled"), out);
  out.key("successful_workflows");
  write_count(of(ended, "completed"), out);
  out.key("failed_workflows");
  write_count(of(ended, "failed"), out);
  out.key("step_metrics").begin_object();
  for (const auto& [name, timing] : steps) {
    out.key(name).begin_object();
    out.key("count").integer(static_cast<std::int64_t>(timing.count));
    out.key("avg_duration")
        .number(timing.count == 0 ? 0 : timing.seconds * 1000 / static_cast<double>(timing.count));
    out.end_object();
  }
  out.end_object().end_object();
  return out.take();
}

std::string summary(const Samples& samples) {
  JsonText out;
  out.begin_object();
  out.key("since").instant(WallTime{static_cast<std::int64_t>(total(samples, Metric::process_start) * 1e6)});
  write_runs(samples, out);
  write_tasks(samples, out);
  write_recoveries(samples, out);
  write_steps(samples, out);
  write_targets(samples, out);
  write_breakers(samples, out);
  write_queues(samples, out);
  out.end_object();
  return out.take();
}

using Metrics = std::function<Samples()>;

Samples worker_samples(const Core& core) {
  std::vector<Samples> lists;
  for (const CorePtr& space : core.common->spaces.all())
    lists.push_back(space->known_workers.samples(wall_now(core), space->name));
  return telemetry::merged(std::move(lists));
}

Result<Samples> ask(const Metrics& metrics, const Call& call) {
  TRY_VOID(call.only({}));
  if (!metrics) return fail(ErrorCode::not_found, "this owner keeps no metrics");
  return metrics();
}

}  // namespace

void get_metrics(const CorePtr& core, CallPtr call) {
  auto samples = ask(core->services.metrics, *call);
  if (!samples) return call->fail(samples.error());
  samples = telemetry::merged({std::move(*samples), worker_samples(*core)});
  call->respond({200,
                 {{"Content-Type", std::string(telemetry::kTextType)}, {"Cache-Control", "no-store"}},
                 telemetry::to_text(*samples)});
}

void get_metrics_summary(const CorePtr& core, CallPtr call) {
  const auto samples = ask(core->metrics, *call);
  if (!samples) return call->fail(samples.error());
  call->json(200, summary(*samples));
}

void seed_workflow_metrics(const CorePtr& core, CallPtr call) {
  const auto samples = ask(core->metrics, *call);
  if (!samples) return call->fail(samples.error());
  call->json(200, seed_summary(*samples));
}

}  // namespace baton::api
