// GET /api/v1/runs/{id}/progress: how far a run is, in seed 001's form.
#include <algorithm>

#include "api/handlers.hpp"
#include "api/render.hpp"

namespace baton::api {
namespace {

constexpr std::size_t kMostTasks = 1000;

// Seconds of work that the steps which have not ended are estimated to take, one after the other; nullopt if
// no step says how long it takes. A step that does not say counts as much as the others do on average.
std::optional<Duration> remaining(const model::Workflow& workflow, const model::RunRow& row) {
  std::int64_t total = 0;
  std::int64_t known = 0;
  for (const model::Step& step : workflow.steps) {
    if (!step.estimate) continue;
    total += step.estimate->us / 1000;
    ++known;
  }
  if (known == 0) return std::nullopt;
  const auto steps = static_cast<std::int64_t>(workflow.steps.size());
  total += total / known * (steps - known);
  return Duration::millis(total * (100 - std::min<std::int64_t>(row.progress, 100)) / 100);
}

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

Result<std::string> Queries::progress(const RunId& id) {
  TRY(const store::RunView view, find(id));
  const model::RunRow& row = view.row;
  TRY(const std::shared_ptr<const model::Workflow> workflow, definitions_.get(row.definition));
  const std::size_t steps = workflow->steps.size();
  TRY(const std::vector<store::TaskView> stored,
      store_.list_tasks(row.key, 0, std::min(steps, kMostTasks), 0));
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
  out.key("estimated_remaining")
      .seconds(is_terminal(row.status) ? std::optional<Duration>() : remaining(*workflow, row));
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
  answer(*call, id ? core->queries.progress(*id) : Result<std::string>(fail(id.error())));
}

}  // namespace baton::api
