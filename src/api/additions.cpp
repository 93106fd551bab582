// POST /api/v1/tasks/{id}/tasks: a running task adds tasks to its run.
#include "api/additions.hpp"

#include <algorithm>

#include "api/handlers.hpp"
#include "api/json_text.hpp"
#include "api/request_body.hpp"
#include "api/token.hpp"
#include "api/workflows.hpp"
#include "auth/permission.hpp"
#include "model/addition.hpp"
#include "spec/parse.hpp"

namespace baton::api {
namespace {

struct Asked {
  Token token;
  TaskId task;
  std::string steps;
  std::string file;
  bool detach = false;
};

Result<Asked> read(const Call& call) {
  TRY_VOID(call.only({}));
  Asked asked;
  TRY(asked.task, call.task_id());
  TRY(const RequestBody body, RequestBody::parse(call.request));
  TRY_VOID(body.only({"token", "steps", "file", "detach"}));
  TRY(asked.token, read_token(body));
  if (body.find("steps") == nullptr) {
    return fail(ErrorCode::invalid_request,
                "\"steps\" is missing: the text of a map with `steps`, in YAML or JSON", "/steps");
  }
  TRY(asked.steps, body.text("steps", model::kAdditionBytes));
  TRY(asked.file, body.text("file", 4096));
  TRY(asked.detach, body.boolean("detach", false));
  return asked;
}

// The names that the steps may need: what stands beside them and beside those that added them, then the
// definition's.
std::vector<std::string> names_for(const RunSteps& steps, const std::string& adding) {
  std::vector<std::string> names;
  for (const RunSteps::Part& part : steps.parts()) {
    if (part.old || !(adding == part.is.scope || adding.starts_with(part.is.scope + '/'))) continue;
    for (Ordinal i = 0; i < part.is.count; ++i) {
      names.push_back(part.text->steps[part.is.outside.size() + i].name);
    }
  }
  for (const model::Step& step : steps.definition().steps) {
    if (!step.finally) names.push_back(step.name);
  }
  return names;
}

void answer(Call& call, const model::TasksAdded& added) {
  JsonText out;
  out.begin_object();
  out.key("items").begin_array();
  for (const model::TasksAdded::Added& task : added.tasks) {
    out.begin_object();
    out.key("id").string(task.task.text());
    out.key("step").string(task.name);
    out.end_object();
  }
  out.end_array();
  out.key("existing").boolean(added.existing);
  out.end_object();
  call.json(added.existing ? 200 : 201, out.take());
}

}  // namespace

Result<spec::AdditionResult> read_addition(Queries& queries, const TaskId& task, std::string_view text,
                                           const std::string& file) {
  TRY(const store::RunView view, queries.find(task.run));
  TRY(const std::shared_ptr<const RunSteps> steps, queries.steps_of(view.row));
  TRY(const model::TaskRow row, queries.task_row(task));
  std::string adding = steps->name(row.step);
  if (row.index >= 0) adding += '[' + std::to_string(row.index) + ']';
  const model::Step* step = steps->find(row.step);
  const spec::AdditionScope scope{
      .definition = steps->definition(),
      .names = names_for(*steps, adding),
      .queue = step != nullptr ? model::queue_of(step->queue, *row.flow) : "default"};
  return spec::parse_addition(text, scope, {.file_name = file});
}

namespace {

// A task adds what its run's definition could have had: the same secrets by name, and no value of one.
Status check_secrets(const Core& core, const std::string& text) {
  const auto redactor = redactor_of(core);
  if (!redactor || !redactor->finds(text)) return {};
  return fail(
      ErrorCode::invalid_request,
      "the steps have the value of a secret in them, and would be kept and shown: write ${{ secrets.NAME }}",
      "/steps");
}

Status check_secrets(Queries& queries, const TaskId& task, const model::Workflow& added) {
  if (added.reads_secrets.empty()) return {};
  TRY(const store::RunView view, queries.find(task.run));
  TRY(const std::shared_ptr<const RunSteps> steps, queries.steps_of(view.row));
  const std::vector<std::string>& known = steps->definition().reads_secrets;
  for (const std::string& name : added.reads_secrets) {
    if (std::ranges::binary_search(known, name)) continue;
    return fail(ErrorCode::not_allowed,
                "added tasks may read the secrets that the definition of their run reads, and \"" + name +
                    "\" is none of them",
                "/steps");
  }
  return {};
}

}  // namespace

void add_tasks(const CorePtr& core, CallPtr call) {
  auto asked = read(*call);
  if (!asked) return call->fail(asked.error());
  if (!call->principal.may_bring_programs())
    return call->fail({ErrorCode::not_allowed, auth::refusal_of_programs(call->principal), ""});
  if (const Status fine = check_secrets(*core, asked->steps); !fine) return call->fail(fine.error());
  auto steps =
      read_addition(core->queries, asked->task, asked->steps, asked->file.empty() ? "steps" : asked->file);
  if (!steps) return call->fail(steps.error());
  spec::AdditionResult& parsed = *steps;
  if (!parsed.workflow) return fail_definition(*call, std::move(parsed.diagnostics));
  if (const Status fine = check_secrets(core->queries, asked->task, *parsed.workflow); !fine)
    return call->fail(fine.error());
  if (parsed.workflow->steps.size() - parsed.outside.size() > model::kAdditionSteps) {
    return call->fail({ErrorCode::too_large,
                       "at most " + std::to_string(model::kAdditionSteps) + " tasks can be added at once",
                       ""});
  }
  if (parsed.workflow->canonical.size() > model::kAdditionBytes) {
    return call->fail({ErrorCode::too_large,
                       "the steps take " + std::to_string(parsed.workflow->canonical.size()) +
                           " bytes with what they inherit; at most " + std::to_string(model::kAdditionBytes) +
                           " can be added at once",
                       ""});
  }
  model::AddTasks command{.token = asked->token,
                          .task = asked->task,
                          .steps = std::move(parsed.workflow),
                          .outside = std::move(parsed.outside),
                          .detach = asked->detach};
  core->runs.send(std::move(command), "task:" + asked->task.text(), [call](model::ReplyBody reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return call->fail(*error);
    answer(*call, std::get<model::TasksAdded>(reply));
  });
}

}  // namespace baton::api
