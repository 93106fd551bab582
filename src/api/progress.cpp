// GET /api/v1/runs/{id}/progress: how far a run is, in seed 001's form.
#include <algorithm>

#include "api/handlers.hpp"
#include "api/remaining.hpp"
#include "api/render.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kMostTasks = 1000;
constexpr std::size_t kRunsAsked = 5;  // the newest completed ones, for how long steps take

void write_step(const model::TaskRow& row, const RunId& run, const RunSteps& steps, JsonText& out) {
  const model::Step& step = *steps.find(row.step);
  out.begin_object();
  out.key("id").string(TaskId{run, row.key.ordinal}.text());
  out.key("name").string(step.title());
  out.key("step").string(steps.name(row.step));
  out.key("type").string(step.type());
  out.key("status").string(model::name(row.status));
  out.key("retry_count").integer(row.attempts > 0 ? row.attempts - 1 : 0);
  out.key("error_message").string_or_null(row.error_message);
  out.end_object();
}

}  // namespace

Result<PastDurations> Queries::past_durations(const model::RunRow& row) {
  store::RunFilter filter{.statuses = {model::RunStatus::completed}};
  filter.workflows = {row.workflow};
  // Of those that are found quickly: they are for an estimate.
  TRY(const store::RunPage runs, store_.list_runs(filter, std::nullopt, kRunsAsked));
  DurationStatistics statistics;
  for (const model::RunRow& run : runs.rows) {
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
  TRY(const std::shared_ptr<const RunSteps> steps, steps_of(row));
  const model::Workflow& workflow = steps->definition();
  const std::size_t declared = workflow.steps.size();
  std::optional<Duration> left;
  if (!is_terminal(row.status) && declared <= kMostTasks && row.additions == 0) {
    TRY(const std::vector<store::TaskView> stored, store_.list_tasks(row.key, 0, declared, 0));
    std::vector<model::TaskRow> rows(declared);
    for (const store::TaskView& task : stored) {
      if (task.row.key.ordinal < declared) rows[task.row.key.ordinal] = task.row;
    }
    TRY(const PastDurations past, past_durations(row));
    left = time_left(workflow, rows, past, now);
  }
  JsonText out;
  out.begin_object();
  out.key("workflow_id").string(id.text());
  out.key("job_id").string_or_null(row.job_id);
  out.key("status").string(model::name(row.status));
  out.key("progress").integer(row.progress);
  out.key("current_step").integer(static_cast<std::int64_t>(ended_steps(row, steps.get())));
  out.key("total_steps").integer(static_cast<std::int64_t>(steps->size()));
  out.key("completed_tasks").integer(row.counts.completed);
  out.key("failed_tasks").integer(row.counts.failed);
  out.key("running_tasks").integer(row.counts.running);
  out.key("recovery_attempts").integer(row.recovery_attempts);
  out.key("estimated_remaining").seconds(left);
  out.key("tasks").begin_array();
  const std::size_t shown = std::min(steps->size(), kMostTasks);
  for (std::size_t place = 0; place < shown;) {
    const RunSteps::Stretch stretch = steps->from(place);
    const std::size_t count = std::min(stretch.count, shown - place);
    TRY(const std::vector<store::TaskView> stored, store_.list_tasks(row.key, stretch.first, count, 0));
    auto next = stored.begin();
    for (std::size_t i = 0; i < count; ++i) {
      model::TaskRow pending;
      pending.step = stretch.first + static_cast<Ordinal>(i);
      pending.key = {row.key, pending.step};
      const bool has_row = next != stored.end() && next->row.key.ordinal == pending.step;
      write_step(has_row ? next->row : pending, id, *steps, out);
      if (has_row) ++next;
    }
    place += count;
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
