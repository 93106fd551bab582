// Questions that steps ask and nobody has answered yet.
#include "api/handlers.hpp"
#include "api/render.hpp"
#include "base/text.hpp"
#include "model/approval.hpp"

namespace baton::api {
namespace {

void write_approval(const model::Approval& approval, JsonText& out) {
  out.begin_object();
  out.key("task").string(approval.task.text());
  out.key("run").string(approval.task.run.text());
  out.key("workflow").string(approval.workflow);
  out.key("job_id").string_or_null(approval.job_id);
  out.key("step").string(approval.step);
  out.key("title").string(approval.title);
  out.key("index");
  if (approval.index < 0) {
    out.null();
  } else {
    out.integer(approval.index);
  }
  out.key("question").string_or_null(approval.question);
  out.key("asked_at").instant(approval.asked_at);
  out.key("until").instant(approval.until);
  out.end_object();
}

Result<std::string> list(Core& core, const Call& call) {
  TRY_VOID(call.only({"run", "limit", "cursor"}));
  TRY(const std::size_t limit, call.number("limit", 200, 1, 1000));
  store::RecordFilter filter{.kind = model::RecordKind::approval};
  if (const auto run = call.query("run")) {
    if (!RunId::parse(*run)) {
      return fail(ErrorCode::invalid_request, "query parameter \"run\" must be the id of a run, not \"" +
                                                  printable(utf8_prefix(*run, 60)) + "\"");
    }
    filter.group = std::string(*run);
  }
  std::optional<std::string> after;
  if (const auto cursor = call.query("cursor")) {
    if (!TaskId::parse(*cursor)) {
      return fail(ErrorCode::invalid_request, "query parameter \"cursor\" is not one that a list gave out");
    }
    after = std::string(*cursor);
  }
  TRY(const std::vector<model::Record> records, core.store.list_records(filter, after, limit + 1));
  JsonText out;
  out.begin_object().key("items").begin_array();
  for (std::size_t i = 0; i < std::min(limit, records.size()); ++i) {
    TRY(const model::Approval approval, model::approval_of(records[i]));
    write_approval(approval, out);
  }
  out.end_array().key("next");
  if (records.size() > limit) {
    out.string(records[limit - 1].id.key);
  } else {
    out.null();
  }
  out.end_object();
  return out.take();
}

}  // namespace

void list_approvals(const CorePtr& core, CallPtr call) {
  answer(*call, list(*core, *call));
}

}  // namespace baton::api
