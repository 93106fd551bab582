// The API by the names of what Baton takes the place of: thin, each is one of the other handlers with another
// name or another rendering (docs/reference/api.md, "Other names").
#include <boost/json/serialize.hpp>

#include "api/edits.hpp"
#include "api/handlers.hpp"
#include "base/json.hpp"
#include "base/json_depth.hpp"
#include "base/text.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;
using model::RunStatus;
using model::TaskStatus;

constexpr std::size_t kPage = 1000;  // tasks

std::string_view celery_state(RunStatus status) {
  switch (status) {
    case RunStatus::pending:
      return "PENDING";
    case RunStatus::running:
    case RunStatus::paused:
    case RunStatus::cancelling:
    case RunStatus::recovering:
      return "STARTED";
    case RunStatus::completed:
      return "SUCCESS";
    case RunStatus::failed:
      return "FAILURE";
    case RunStatus::cancelled:
      return "REVOKED";
  }
  return "PENDING";
}

std::string_view celery_state(TaskStatus status) {
  switch (status) {
    case TaskStatus::pending:
    case TaskStatus::queued:
      return "PENDING";
    case TaskStatus::running:
      return "STARTED";
    case TaskStatus::retrying:
      return "RETRY";
    case TaskStatus::completed:
    case TaskStatus::skipped:
      return "SUCCESS";
    case TaskStatus::failed:
      return "FAILURE";
    case TaskStatus::cancelled:
      return "REVOKED";
  }
  return "PENDING";
}

struct Answer {
  std::string id;
  std::string_view state;
  std::string result = "null";
  std::string error;
};

std::string render(const Answer& answer) {
  JsonText out;
  out.begin_object().key("task_id").string(answer.id).key("status").string(answer.state);
  const bool done = answer.state == "SUCCESS" || answer.state == "FAILURE" || answer.state == "REVOKED";
  if (done) out.key("result").raw(answer.state == "SUCCESS" ? std::string_view(answer.result) : "null");
  if (answer.state == "FAILURE") out.key("error").string(answer.error);
  out.end_object();
  return out.take();
}

std::string error_text(const std::string& type, const std::string& message) {
  return message.empty() ? type : type + ": " + message;
}

// What another handler has rendered.
Result<json::value> parse(const std::string& text) {
  json::parse_options options;
  options.max_depth = kReadJsonDepth;
  boost::system::error_code failure;
  json::value value = parse_json(text, failure, {}, options);
  if (failure) return fail(ErrorCode::internal, "what was rendered is no JSON: " + failure.message());
  return value;
}

// The result of its only step, or those of its steps by name.
Result<std::string> result_of(Core& core, const RunId& id) {
  json::object results;
  for (std::optional<TaskCursor> from = TaskCursor{}; from;) {
    TRY(const std::string page, core.queries.tasks(id, *from, kPage));
    TRY(const json::value parsed, parse(page));
    for (const json::value& task : parsed.at("items").as_array()) {
      const json::object& fields = task.as_object();
      const json::value* index = fields.if_contains("index");
      const json::value* result = fields.if_contains("result");
      if ((index != nullptr && !index->is_null()) || result == nullptr) continue;
      if (fields.at("role").as_string() != model::name(model::TaskRole::main))
        continue;  // has the step's name
      results[fields.at("step").as_string()] = *result;
    }
    const json::value& next = parsed.at("next");
    from = next.is_string() ? TaskCursor::parse(next.get_string()) : std::nullopt;
  }
  if (results.size() == 1) return json::serialize(results.begin()->value());
  return json::serialize(results);
}

Result<std::string> task_state(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  const std::string& text = call.captures.at(0);
  if (const auto task = TaskId::parse(text)) {
    TRY(const model::TaskRow row, core.queries.task_row(*task));
    Answer answer{text, celery_state(row.status)};
    answer.error = error_text(row.error_type, row.error_message);
    if (row.status == TaskStatus::completed) {
      TRY(const std::string shown, core.queries.task(*task));
      TRY(const json::value fields, parse(shown));
      answer.result = json::serialize(fields.at("result"));
    }
    return render(answer);
  }
  TRY(const RunId id, call.run_id());
  TRY(const store::RunView view, core.queries.find(id));
  Answer answer{text, celery_state(view.row.status)};
  answer.error = error_text(view.row.error_type, view.row.error_message);
  if (view.row.status == RunStatus::completed) {
    TRY(answer.result, result_of(core, id));
  }
  return render(answer);
}

// The newest run that the filter selects.
Result<std::optional<RunId>> newest_run(Core& core, const store::RunFilter& filter) {
  std::optional<RunKey> before;
  do {
    TRY(const store::RunPage page, core.store.list_runs(filter, before, 1));
    if (!page.rows.empty()) return page.rows.front().id;
    before = page.next;
  } while (before && !core.stopping);
  return std::nullopt;
}

// A run's id, or the user's own reference for it: then the newest run that has not ended.
Result<RunId> run_of_job(Core& core, const std::string& name) {
  if (const auto id = RunId::parse(name)) {
    TRY(const auto run, core.store.get_run(*id));
    if (run) return *id;  // else the reference may look like an id all the same
  }
  const store::RunFilter open{.statuses = {RunStatus::pending, RunStatus::running, RunStatus::paused,
                                           RunStatus::cancelling, RunStatus::recovering},
                              .job_ids = {name}};
  TRY(const auto going_on, newest_run(core, open));
  if (going_on) return *going_on;
  // Asked again, when it has been cancelled: that run.
  const store::RunFilter over{.statuses = {RunStatus::cancelled}, .job_ids = {name}};
  TRY(const auto cancelled, newest_run(core, over));
  if (cancelled) return *cancelled;
  return fail(ErrorCode::not_found,
              "there is no open run with the job id \"" + printable(utf8_prefix(name, 256)) + "\"");
}

}  // namespace

void seed_task_state(const CorePtr& core, CallPtr call) {
  answer(*call, task_state(*core, *call));
}

void seed_cancel_job(const CorePtr& core, CallPtr call) {
  const auto id = run_of_job(*core, call->captures.at(0));
  if (!id) return call->fail(id.error());
  const auto view = core->queries.find(*id);
  if (!view) return call->fail(view.error());
  if (view->row.status == RunStatus::cancelled) return answer(*call, core->queries.run(*view));
  call->captures = {id->text()};
  cancel_run(core, call);
}

}  // namespace baton::api
