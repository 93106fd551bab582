// Reading tasks.
#include "api/handlers.hpp"

namespace baton::api {
namespace {

Result<std::string> list(Core& core, const Call& call) {
  TRY_VOID(call.only({"run", "limit", "cursor"}));
  const auto text = call.query("run");
  if (!text)
    return fail(ErrorCode::invalid_request, "query parameter \"run\" is missing: tasks of which run?");
  const auto run = RunId::parse(*text);
  if (!run) return fail(ErrorCode::not_found, "there is no such run");
  TRY(const std::size_t limit, call.number("limit", 200, 1, 1000));
  TaskCursor from;
  if (const auto cursor = call.query("cursor")) {
    const auto parsed = TaskCursor::parse(*cursor);
    if (!parsed) {
      return fail(ErrorCode::invalid_request, "query parameter \"cursor\" is not one that a list gave out");
    }
    from = *parsed;
  }
  return core.queries.tasks(*run, from, limit);
}

Result<std::string> get(Core& core, const Call& call) {
  TRY_VOID(call.only({}));
  TRY(const TaskId id, call.task_id());
  return core.queries.task(id);
}

}  // namespace

void list_tasks(const CorePtr& core, CallPtr call) {
  answer(*call, list(*core, *call));
}

void get_task(const CorePtr& core, CallPtr call) {
  answer(*call, get(*core, *call));
}

}  // namespace baton::api
