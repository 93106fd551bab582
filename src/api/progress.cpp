// GET /api/v1/runs/{id}/progress: how far a run is, in seed 001's form.
#include <algorithm>

#include "api/handlers.hpp"
#include "api/remaining.hpp"
#include "api/render.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kMostTasks = 1000;
constexpr std::size_t kRunsAsked = 5;  // the newest completed ones, for how long steps take

void write_step(const model::TaskRow& row, const RunId& run, const model::Step& step, JsonText& out) {
  out.begin_object();
  out.key("id").string(TaskId{run, row.key.ordinal}.text());
  out.key("name").string(step.title());
  out.key("step").string(step.name);
  out.key("type").string(step.type());
  out.key("status").string(model::name(row.status));
  out.key("retry_count").integer(row.attempts > 0 ? row.attempts - 1 : 0);
  out.key("error_message").string_or_null(row.error_message);
  out.end_object();
}

}  // namespace

Result<PastDurations> Queries::past_durations(const model::RunRow& row) {
  store::RunFilter filter{.shard = row.key.shard(), .statuses = {model::RunStatus::completed}};
  filter.workflows = {row.workflow};
  TRY(const std::vector<model::RunRow> runs, store_.list_runs(filter, std::nullopt, kRunsAsked));
  DurationStatistics statistics;
  for (const model::RunRow& run : runs) {
    // Of another version, steps with the same name count as the same.
    const auto definition = definitions_.get(run.definition);
    if (!definition || (*definition)->steps.size() > kMostTasks) continue;
    const auto& steps = (*definition)->steps;
    TRY(const std::vector<store::TaskView> tasks, store_.list_tasks(run.key, 0, steps.size(), 0));
    for (const store::TaskView& task : tasks) {
      const model::TaskRow& of = task.row;
      if (of.index >= 0 || of.status != model::TaskStatus::completed || of.started_at.us == 0) continue;
      if (of.step < steps.size()) statistics.add(steps[of.step].name, of.ended_at - of.started_at);
    }
  }
  return std::move(statistics).medians();
}

Result<std::string> Queries::progress(const RunId& id, std::optional<WallTime> now) {
  TRY(const store::RunView view, find(id));
  const model::RunRow& row = view.row;
  TRY(const std::shared_ptr<const model::Workflow> workflow, definitions_.get(row.definition));
  const std::size_t steps = workflow->steps.size();
  TRY(const std::vector<store::TaskView> stored,
      store_.list_tasks(row.key, 0, std::min(steps, kMostTasks), 0));
  std::optional<Duration> left;
  if (!is_terminal(row.status) && steps <= kMostTasks) {
    std::vector<model::TaskRow> rows(steps);
    for (const store::TaskView& task : stored) {
      if (task.row.key.ordinal < steps) rows[task.row.key.ordinal] = task.row;
    }
    TRY(const PastDurations past, past_durations(row));
    left = time_left(*workflow, rows, past, now);
  }
  JsonText out;
  out.begin_object();
  out.key("workflow_id").string(id.text());
  out.key("job_id").string_or_null(row.job_id);
  out.key("status").string(model::name(row.status));
  out.key("progress").integer(row.progress);
  out.key("current_step").integer(static_cast<std::int64_t>(ended_steps(row, workflow.get())));
  out.key("total_steps").integer(static_cast<std::int64_t>(steps));
  out.key("completed_tasks").integer(row.counts.completed);
  out.key("failed_tasks").integer(row.counts.failed);
  out.key("running_tasks").integer(row.counts.running);
  out.key("recovery_attempts").integer(row.recovery_attempts);
  out.key("estimated_remaining").seconds(left);
  out.key("tasks").begin_array();
  auto next = stored.begin();
  for (std::size_t i = 0; i < std::min(steps, kMostTasks); ++i) {
    while (next != stored.end() && next->row.key.ordinal < i) ++next;
    model::TaskRow pending;
    pending.key = {row.key, static_cast<Ordinal>(i)};
    const bool has_row = next != stored.end() && next->row.key.ordinal == i;
    write_step(has_row ? next->row : pending, id, workflow->steps[i], out);
  }
  out.end_array().end_object();
  return out.take();
}

void run_progress(const CorePtr& core, CallPtr call) {
  if (const auto known = call->only({}); !known) return call->fail(known.error());
  const auto id = call->run_id();
  const auto& wall = core->services.wall;
  const std::optional<WallTime> now = wall ? std::optional(wall()) : std::nullopt;
  answer(*call, id ? core->queries.progress(*id, now) : Result<std::string>(fail(id.error())));
}

}  // namespace baton::api
